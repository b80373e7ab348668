"""Say what an installation downloaded, from pip's own log, and what its environment takes on the disk."""

import re
import subprocess
import sys
from pathlib import Path

FETCHED = re.compile(r"(?:Downloading|Using cached) (\S+) \(([\d.]+) (bytes|kB|MB|GB)\)")
LOCAL = re.compile(r"Processing (/\S+\.whl)")
UNITS = {"bytes": 1e-6, "kB": 1e-3, "MB": 1.0, "GB": 1e3}


def fetched_mb(log: str) -> float:
    """Return the megabytes of all files that pip fetched, build tools included; cached and local ones count too."""
    sizes = {name: float(number) * UNITS[unit] for name, number, unit in FETCHED.findall(log)}
    for name in LOCAL.findall(log):
        sizes[name] = Path(name).stat().st_size / 1e6
    return sum(sizes.values())


def main() -> None:
    """Print one line about an environment and the log of its installation."""
    folder, log = sys.argv[1], Path(sys.argv[2]).read_text(encoding="utf-8", errors="replace")
    blocks = subprocess.run(["du", "-s", "--block-size=1MB", folder], capture_output=True, text=True, check=True)
    disk_mb = int(blocks.stdout.split()[0])
    print(f"Installed for the demo: {fetched_mb(log):.0f} MB downloaded, {disk_mb} MB on disk in {folder}")


if __name__ == "__main__":
    main()

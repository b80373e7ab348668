"""Becomes the script's program, bound to its worker: `python launch.py WORKER_PID PROGRAM ARGUMENTS...`.

Run by path, before anything is imported: the kernel kills what this process becomes when the worker dies.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1
NOT_FOUND = 127


def main() -> int:
    """Bind the life of this process to its worker's and become the program."""
    worker, program = int(sys.argv[1]), sys.argv[2:]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != worker:
        return 1
    try:
        os.execvp(program[0], program)
    except OSError as error:
        sys.stderr.write(f"cannot run {program[0]!r}: {error.strerror}\n")
        return NOT_FOUND


if __name__ == "__main__":
    sys.exit(main())

"""The documentation is complete and does not point into the void."""

from __future__ import annotations

import importlib
import re
import runpy
import shlex
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tutelage.control.hub import Hub
from tutelage.core.commands import Verb
from tutelage.core.errors import TutelageError
from tutelage.core.events import FROM_WORKER, EventKind
from tutelage.core.findings import Advice, Verdict
from tutelage.core.operation import LEGAL, NEEDS_SUPPORT, State
from tutelage.core.spec import Policy, Resources, Spec
from tutelage.interfaces.cli.app import PANELS
from tutelage.interfaces.rest.app import create_app
from tutelage.settings import Settings

ROOT = Path(__file__).parents[2]
SRC = ROOT / "src"
REFERENCE = ROOT / "docs" / "reference"
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md")), *sorted(SRC.rglob("*.md"))]
LINK = re.compile(r"(?<!!)\[[^\]]+\]\(([^)\s]+)\)")
DECLARES_A_CODE = re.compile(r"^    code(?:, status(?:, exit_code)?)?(?:: \S+)? = \(?\"?", re.MULTILINE)


def errors() -> list[type[TutelageError]]:
    """Return every error of the tree that a module of ours declares."""
    for path in sorted((SRC / "tutelage").rglob("*.py")):
        if DECLARES_A_CODE.search(path.read_text()):
            importlib.import_module(".".join(path.relative_to(SRC).with_suffix("").parts))
    return [
        kind for kind in descend(TutelageError) if getattr(sys.modules[kind.__module__], kind.__name__, None) is kind
    ]


def descend(kind: type[TutelageError]) -> Iterator[type[TutelageError]]:
    yield kind
    for derived in kind.__subclasses__():
        yield from descend(derived)


def rows(page: str) -> dict[str, list[str]]:
    """Return the rows of a page's tables by the first name in their first cell."""
    found: dict[str, list[str]] = {}
    for line in (REFERENCE / page).read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        for name in re.findall(r"`([^`]+)`", cells[0]) if line.startswith("| `") else ():
            found.setdefault(name, cells)
    return found


def test_every_error_has_a_code_of_its_own() -> None:
    codes = Counter(kind.code for kind in errors())
    assert [code for code, count in codes.items() if count > 1] == []


def test_every_error_is_documented_with_its_status_and_exit_code() -> None:
    documented = rows("errors.md")
    declared = {kind.code: [str(kind.status), str(kind.exit_code)] for kind in errors()}
    assert {code: documented[code][1:3] for code in documented} == declared


def test_every_state_is_documented_with_its_commands() -> None:
    documented = rows("words.md")
    for state in State:
        legal = re.findall(r"`(\w+)`(\*?)", documented[state][2].partition(";")[0])
        assert legal == [(str(verb), "*" if verb in NEEDS_SUPPORT else "") for verb in LEGAL[state]], state


@pytest.mark.parametrize(
    ("page", "names"),
    [
        ("words.md", [*Verb, *EventKind, *Verdict, *Advice]),
        ("spec.md", [*Spec.model_fields, *Resources.model_fields, *Policy.model_fields]),
        ("spec.md", [f"TUTELAGE_{name.upper()}" for name in Settings.model_fields]),
    ],
)
def test_every_name_is_documented(page: str, names: list[str]) -> None:
    text = re.sub(r"```.*?```", "", (REFERENCE / page).read_text(), flags=re.DOTALL)
    written = set(re.findall(r"`([^`]+)`", text))
    assert [str(name) for name in names if str(name) not in written] == []


def test_the_kinds_a_worker_writes_are_told_from_the_others() -> None:
    tables = (REFERENCE / "words.md").read_text().partition("## Events")[2].split("| kind | says |")
    assert set(re.findall(r"^\| `(\w+)`", tables[1], re.MULTILINE)) == set(FROM_WORKER)


def test_every_finding_has_a_page_with_its_picture_as_the_checks_see_it() -> None:
    pages = REFERENCE / "findings"
    codes = {path.stem[:4].upper() for path in (SRC / "tutelage" / "analysis" / "checks").glob("h*.py")}
    assert {path.stem for path in pages.glob("H*.md")} == codes
    listed = (pages / "README.md").read_text()
    drawing = runpy.run_path(str(pages / "draw.py"))
    for code, pair in drawing["panels"]().items():
        assert f"]({code}.svg)" in (pages / f"{code}.md").read_text()
        assert f"[{code}]({code}.md)" in listed
        assert (pages / f"{code}.svg").read_text() == drawing["drawn"](code, pair), "draw.py was not run"
        assert [drawing["outcome"](code, panel)[0] for panel in pair] == ["issue", "passed"]
    assert drawing["panels"]().keys() == codes


def test_every_command_is_documented() -> None:
    written = (REFERENCE / "cli.md").read_text()
    names = [name for commands in PANELS.values() for name in commands]
    assert [name for name in names if not re.search(rf"`{name}[ `]", written)] == []


def test_every_route_is_documented() -> None:
    written = (REFERENCE / "rest.md").read_text()
    paths = create_app(None, Hub()).openapi()["paths"]  # type: ignore[arg-type]
    last = {path: path.rpartition("/")[2] for path in paths}
    assert [path for path in paths if path not in written and f"`.../{last[path]}`" not in written] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_relative_links_lead_somewhere(page: Path) -> None:
    targets = [link.partition("#")[0] for link in LINK.findall(page.read_text()) if "://" not in link]
    assert [target for target in targets if target and not (page.parent / target).exists()] == []


def test_the_files_that_the_architecture_names_exist() -> None:
    named = re.findall(r"`([\w/.*]+(?:\.py|/))`", (ROOT / "ARCHITECTURE.md").read_text())
    places = (ROOT, SRC / "tutelage")
    inside = ("operations/", "checkpoints/", "artifacts/", "events/")
    assert [name for name in named if name not in inside and not any(any(at.glob(name)) for at in places)] == []


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) < 200


def test_decisions_are_numbered_without_gaps() -> None:
    numbers = [int(path.name[:4]) for path in sorted((ROOT / "docs" / "decisions").glob("*.md"))]
    assert numbers == list(range(1, len(numbers) + 1))


def marked_commands() -> list[str]:
    """Return the commands of README.md's blocks that stand under `<!-- run -->`."""
    blocks = re.findall(r"<!-- run -->\n```console\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    return [line.removeprefix("$ ") for block in blocks for line in block.splitlines() if line.startswith("$ ")]


@pytest.mark.slow  # trains for real: 15 s
@pytest.mark.parametrize("command", marked_commands())
def test_a_marked_command_of_the_readme_works(command: str, home: Path) -> None:
    program, *arguments = shlex.split(command)
    assert program == "tutelage"
    done = subprocess.run(
        [sys.executable, "-m", program, *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "completed" in done.stdout


def test_the_readme_marks_a_command_to_run() -> None:
    assert marked_commands() != []

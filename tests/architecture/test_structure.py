"""The house rules that no linter knows: sizes, printing, the import contracts, what a process holds when it starts."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "src" / "tutelage").rglob("*.py"))
MAX_FILE_LINES = 600
MAX_FUNCTION_LINES = 50
MIGRATIONS = ROOT / "src" / "tutelage" / "store" / "migrations" / "versions"
HEAVY = ("torch", "sklearn", "xgboost", "lightgbm", "optuna", "mlflow", "pandas", "numpy", "matplotlib")


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def loaded_after(statement: str) -> set[str]:
    """Return the top-level modules that a fresh interpreter holds after a statement."""
    code = f"import json, sys; {statement}; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return {name.partition(".")[0] for name in json.loads(done.stdout.splitlines()[-1])}


def test_no_file_is_longer_than_600_lines() -> None:
    lengths = {name_of(path): len(path.read_text().splitlines()) for path in SOURCES}
    assert {name: length for name, length in lengths.items() if length > MAX_FILE_LINES} == {}


def test_no_function_is_longer_than_50_lines() -> None:
    """Migrations are exempt: they are tables written down, and are never edited once released."""
    long = [
        f"{name_of(path)}:{node.lineno} {node.name} has {length} lines"
        for path in SOURCES
        if path.parent != MIGRATIONS
        for node in functions(path)
        if (length := (node.end_lineno or 0) - node.lineno + 1) > MAX_FUNCTION_LINES
    ]
    assert long == []


def test_only_the_command_line_prints() -> None:
    printing = [
        f"{name_of(path)}:{node.lineno}"
        for path in SOURCES
        if "interfaces/cli" not in path.as_posix()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]
    assert printing == []


def test_only_settings_reads_the_environment() -> None:
    """`environment.json` records thread counts as they are; a user's script is given its user's environment."""
    allowed = {
        "src/tutelage/settings.py",
        "src/tutelage/worker/environment.py",
        "src/tutelage/attach/current.py",
        "src/tutelage/interfaces/cli/script.py",
        "src/tutelage/services/script/train.py",
    }
    reading = {
        name_of(path)
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv")
    }
    assert reading - allowed == set()


def test_packages_only_name_what_is_public() -> None:
    """An `__init__.py` is a docstring, imports and names; a service's also holds its declaration."""
    plain = (ast.Expr, ast.Import, ast.ImportFrom, ast.Assign)
    odd = [
        f"{name_of(path)}:{node.lineno}"
        for path in SOURCES
        if path.name == "__init__.py"
        for node in ast.parse(path.read_text()).body
        if not isinstance(node, plain)
    ]
    assert odd == []


@pytest.mark.slow  # builds the graph of every import, external packages included: 5 s
def test_the_import_contracts_hold() -> None:
    program = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_supervisor_starts_without_any_training_library() -> None:
    assert loaded_after("import tutelage.supervisor, tutelage.main").isdisjoint(HEAVY)


def test_the_composed_control_plane_holds_no_training_library(tmp_path: Path) -> None:
    settings = f"load_settings(pathlib.Path({str(tmp_path)!r}))"
    imports = "import pathlib; from tutelage.main import build; from tutelage.settings import load_settings"
    assert loaded_after(f"{imports}; build({settings}).platform.services()").isdisjoint(HEAVY)


def test_help_imports_nothing_heavy() -> None:
    """Help is asked for most: it must not pay for the database, the server, the client or the models of the wire."""
    modules = loaded_after("from tutelage.interfaces.cli.app import build; build()")
    assert modules.isdisjoint({*HEAVY, "sqlalchemy", "alembic", "fastapi", "starlette", "uvicorn", "httpx", "pydantic"})


def test_declaring_a_service_imports_no_training_library() -> None:
    looked_up = "from tutelage.services.registry import Registry; [Registry().get(n) for n in Registry().names()]"
    assert loaded_after(looked_up).isdisjoint(HEAVY)

"""Makes the package's one-file program: `inference.py` with what it imports from Tutelage written into it."""

from __future__ import annotations

import ast
import importlib
import inspect
from pathlib import Path
from types import ModuleType

from tutelage.services.codegen.language import slots

OWN, PROGRAM = "tutelage", "inference.py"
LOCAL_MODULES: dict[str, ModuleType] = {slots.__name__: slots}
"""Modules whose whole text goes in; of any other of ours only the values that are imported."""


def single_file() -> str:
    """Return the program's text; nothing of Tutelage is imported by it."""
    return inlined(Path(__file__).with_name(PROGRAM).read_text(encoding="utf-8"))


def inlined(source: str) -> str:
    """Return a module's text in which every import from Tutelage is replaced by what it brings."""
    lines = source.splitlines()
    for node in reversed(ast.parse(source).body):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == OWN:
            assert node.module is not None, "imports of ours are absolute"
            names = [alias.name for alias in node.names]
            lines[node.lineno - 1 : node.end_lineno] = _brought(node.module, names).splitlines()
    return "\n".join(lines) + "\n"


def _brought(module: str, names: list[str]) -> str:
    if module in LOCAL_MODULES:
        return _body(inlined(inspect.getsource(LOCAL_MODULES[module])))
    found = importlib.import_module(module)
    return "\n".join(_value(name, getattr(found, name)) for name in names)


def _body(source: str) -> str:
    """Return a module's text without its docstring and `__future__`: both belong to the top of a file."""
    lines = source.splitlines()
    for node in reversed(ast.parse(source).body):
        is_docstring = isinstance(node, ast.Expr) and node.lineno == 1
        is_future = isinstance(node, ast.ImportFrom) and node.module == "__future__"
        if is_docstring or is_future:
            del lines[node.lineno - 1 : node.end_lineno]
    return "\n".join(lines).strip()


def _value(name: str, value: object) -> str:
    """Return an assignment of a constant, or a function without arguments that returns what it returned."""
    if callable(value):
        return f"def {name}():\n    return {_literal(value())}\n"
    return f"{name} = {_literal(value)}"


def _literal(value: object) -> str:
    if isinstance(value, frozenset):
        return f"frozenset({sorted(value)!r})"
    assert isinstance(value, int | str | tuple), f"{value!r} has no literal here"
    return repr(value)

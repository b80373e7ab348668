"""The package's single program: `portable` and what it takes from the language, in one file without Tutelage."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType

from tutelage.services.codegen.engines import portable
from tutelage.services.codegen.language import phrasebook, slots, vocabulary, words

PROGRAM = "generate.py"
OWN = "tutelage"

HEAD = '''"""Turns a sentence into WGSL: python generate.py "a function that returns the sine of x times 2".

It needs the files beside it and one library: ctranslate2, or onnxruntime and numpy. It was written by Tutelage from
its own modules, so that it finds names and numbers as the model's training did.
"""

from __future__ import annotations
'''


def write_program(folder: Path) -> Path:
    """Write `generate.py` into a folder that holds the model's files, and return its path."""
    path = folder / PROGRAM
    path.write_text(program(), encoding="utf-8")
    return path


def program() -> str:
    """Return the program's text: the same for every model."""
    modules = (slots, portable)
    imports = sorted({line for module in modules for line in _imports(module)})
    return "\n".join([HEAD, *imports, "", _constants(), *(_body(module) for module in modules)]) + "\n"


def _constants() -> str:
    """Return what the modules import from the language as literals, in a fixed order."""
    sets = {
        "FUNCTION_WORDS": phrasebook.FUNCTION_WORDS,
        "DECLARABLE": phrasebook.DECLARABLE,
        "NOT_NAMES": words.NOT_NAMES,
        "ENGLISH": phrasebook.english(),
    }
    lines = [f"{name} = frozenset(\n{_wrapped(values)}\n)" for name, values in sets.items()]
    lines += [f"NUM_NAME_SLOTS, NUM_NUMBER_SLOTS = {vocabulary.NUM_NAME_SLOTS}, {vocabulary.NUM_NUMBER_SLOTS}"]
    return "\n".join([*lines, "\n\ndef english() -> frozenset[str]:\n    return ENGLISH\n"])


def _wrapped(values: Iterable[str], *, per_line: int = 12) -> str:
    ordered = sorted(values)
    rows = [ordered[first : first + per_line] for first in range(0, len(ordered), per_line)]
    return "\n".join(f'    "{" ".join(row)} "' for row in rows) + "\n    .split()"


def _imports(module: ModuleType) -> Iterable[str]:
    for node in _tree(module).body:
        if isinstance(node, ast.Import | ast.ImportFrom) and _origin(node) not in (OWN, "__future__"):
            yield ast.unparse(node)


def _body(module: ModuleType) -> str:
    """Return a module's text without its docstring and imports."""
    lines = inspect.getsource(module).splitlines()
    tree = _tree(module)
    gone = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    docstring = tree.body[0]
    for node in (docstring, *gone):
        for number in range(node.lineno, (node.end_lineno or node.lineno) + 1):
            lines[number - 1] = ""
    return "\n\n" + "\n".join(lines).strip("\n") + "\n"


def _origin(node: ast.Import | ast.ImportFrom) -> str:
    name = node.module if isinstance(node, ast.ImportFrom) else node.names[0].name
    return (name or "").partition(".")[0]


def _tree(module: ModuleType) -> ast.Module:
    return ast.parse(inspect.getsource(module))

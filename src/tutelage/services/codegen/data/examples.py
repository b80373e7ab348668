"""Users' own material: files of pairs, and folders of shaders to retrieve from."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tutelage.core.errors import InvalidSpec, NotFound, TooLarge, unknown

MAX_FILE_BYTES = 32 * 1024 * 1024
MAX_EXAMPLES = 200_000
MAX_SENTENCE_CHARS, MAX_CODE_CHARS = 2_000, 20_000
MAX_SHADER_BYTES = 256 * 1024
MAX_SHADERS = 20_000

FORM = '[[examples]] with natural_language = "..." and wgsl_code = "..."'


class Example(BaseModel):
    """One pair of a user's file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    natural_language: str = Field(
        min_length=1, max_length=MAX_SENTENCE_CHARS, description="what the code does, in a sentence; characters"
    )
    wgsl_code: str = Field(min_length=1, max_length=MAX_CODE_CHARS, description="the WGSL; characters")


@dataclass(frozen=True, kw_only=True)
class Shader:
    """A file of a folder of shaders, described by its comments and the names of its functions."""

    path: Path
    description: str
    code: str


def load_examples(path: Path) -> list[Example]:
    """Read a file of pairs, TOML or JSON. Raises NotFound, TooLarge, or InvalidSpec that names file and entry."""
    document = _parsed(path, _text_of(path, MAX_FILE_BYTES))
    entries = document.get("examples") if isinstance(document, Mapping) else None
    if not isinstance(entries, list) or not entries:
        raise InvalidSpec(f"{path.name} holds no examples", hint=f"write {FORM}, or the same in JSON")
    if len(entries) > MAX_EXAMPLES:
        raise TooLarge(f"{path.name} holds {len(entries):,} examples; at most {MAX_EXAMPLES:,} are taken")
    return [_example(path, number, entry) for number, entry in enumerate(entries, start=1)]


def load_shaders(folder: Path) -> list[Shader]:
    """Read every `.wgsl` file below a folder, in the order of their paths. Raises NotFound, TooLarge, InvalidSpec."""
    if not folder.is_dir():
        raise NotFound(f"there is no folder {folder}", hint="name a folder that holds .wgsl files")
    paths = sorted(path for path in folder.rglob("*.wgsl") if path.is_file())
    if not paths:
        raise InvalidSpec(f"{folder} holds no .wgsl files", hint="name a folder that does")
    if len(paths) > MAX_SHADERS:
        raise TooLarge(f"{folder} holds {len(paths):,} .wgsl files; at most {MAX_SHADERS:,} are taken")
    return [_shader(path) for path in paths]


def _text_of(path: Path, limit: int) -> str:
    try:
        size = path.stat().st_size
        if size > limit:
            raise TooLarge(f"{path.name} has {size:,} bytes; at most {limit:,} are taken")
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise NotFound(f"there is no file {path}", hint="check the path") from None
    except IsADirectoryError:
        raise InvalidSpec(f"{path} is a folder", hint="name a file; a folder of shaders goes under `corpus`") from None
    except UnicodeDecodeError as error:
        raise InvalidSpec(f"{path.name} is not UTF-8: byte {error.start} is not", hint="save it as UTF-8") from None


def _parsed(path: Path, text: str) -> Any:
    if path.suffix not in (".toml", ".json"):
        raise InvalidSpec(f"{path.name} is neither TOML nor JSON", hint="end its name with .toml or .json")
    try:
        return tomllib.loads(text) if path.suffix == ".toml" else json.loads(text)
    except (tomllib.TOMLDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise InvalidSpec(f"{path.name} cannot be parsed: {error}", hint=f"write {FORM}") from None


def _example(path: Path, number: int, entry: object) -> Example:
    where = f"{path.name}, example {number}"
    if not isinstance(entry, Mapping):
        raise InvalidSpec(f"{where} is {type(entry).__name__}, not a table", hint=f"write {FORM}")
    for key in entry:
        if key not in Example.model_fields:
            problem = unknown("key", str(key), Example.model_fields)
            raise type(problem)(f"{where}: {problem.message}", hint=problem.hint)
    try:
        return Example.model_validate(dict(entry))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        problem_text = "is missing" if first["type"] == "missing" else first["msg"]
        raise InvalidSpec(f"{where}: {first['loc'][0]} {problem_text}"[:500], hint=f"write {FORM}") from None


_LINE_COMMENT = re.compile(r"^\s*//[/!]?\s?(.*)$", re.MULTILINE)
_FUNCTION = re.compile(r"\bfn\s+([A-Za-z_]\w*)")
_PARTS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+|\d+")


def _shader(path: Path) -> Shader:
    code = _text_of(path, MAX_SHADER_BYTES)
    comments = " ".join(found.strip() for found in _LINE_COMMENT.findall(code)[:20])
    names = " ".join(part.lower() for name in [path.stem, *_FUNCTION.findall(code)] for part in _PARTS.findall(name))
    return Shader(path=path, description=f"{names} {comments}".strip()[:MAX_SENTENCE_CHARS], code=code)

"""Spec files -> the document to submit: JSON, YAML and TOML, with overrides and absolute paths."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from tutelage.core.errors import InvalidSpec, NotFound, TooLarge
from tutelage.core.paths import absolute_paths
from tutelage.core.spec import Spec

MAX_BYTES = 1 << 20
SUFFIXES = {".json": "json", ".yaml": "yaml", ".yml": "yaml", ".toml": "toml"}


def load_document(path_or_text: str | Path, overrides: Iterable[str] = ()) -> dict[str, Any]:
    """Return the document of a spec file, or of JSON text that begins with `{`, ready to submit.

    `overrides` are `a.b=value` with JSON values, else text. In a document with a `service` a key that is no key
    of the spec itself belongs to its `config`; in a bare job document keys name its own settings.
    Relative paths are resolved against the file's folder, those of overrides against the working directory.
    Raises InvalidSpec, NotFound or TooLarge.
    """
    text, form, folder = _source(path_or_text)
    document = absolute_paths(_parse(text, form), folder)
    for override in overrides:
        key, value = parse_override(override)
        _apply(document, _place(document, key), absolute_paths({key[-1]: value}, Path.cwd())[key[-1]])
    return document  # type: ignore[no-any-return]


def parse_override(text: str) -> tuple[list[str], Any]:
    """Split `a.b=value` into the parts of its key and its value: JSON, else the text itself."""
    key, equals, value = text.partition("=")
    parts = key.strip().split(".")
    if not equals or not all(parts):
        raise InvalidSpec(f"an override has the form key=value, got {text!r}", hint="as in --set config.n_trials=20")
    try:
        return parts, json.loads(value, parse_constant=_no_constant)
    except (ValueError, InvalidSpec):
        return parts, value


def _source(path_or_text: str | Path) -> tuple[str, str, Path]:
    """Return text, form and the folder that relative paths count from."""
    if isinstance(path_or_text, str) and path_or_text.lstrip().startswith("{"):
        _check_size(len(path_or_text.encode()), "the document")
        return path_or_text, "json", Path.cwd()
    path = Path(path_or_text).expanduser()
    if not path.is_file():
        raise NotFound(f"no spec file {str(path)!r}", hint="`tutelage init SERVICE -o FILE` writes one to start from")
    _check_size(path.stat().st_size, str(path))
    form = SUFFIXES.get(path.suffix.lower())
    if form is None:
        raise InvalidSpec(f"a spec file ends in {', '.join(SUFFIXES)}; got {path.name!r}")
    try:
        return path.read_text(encoding="utf-8-sig"), form, path.resolve().parent
    except UnicodeDecodeError:
        raise InvalidSpec(f"{path} is not UTF-8 text") from None


def _check_size(num_bytes: int, what: str) -> None:
    if num_bytes > MAX_BYTES:
        raise TooLarge(f"{what} has {num_bytes:,} bytes, over the limit of {MAX_BYTES:,}")


def _parse(text: str, form: str) -> dict[str, Any]:
    parsers: dict[str, Callable[[str], Any]] = {"json": _parse_json, "toml": tomllib.loads, "yaml": _parse_yaml}
    try:
        document = parsers[form](text)
    except RecursionError:
        raise InvalidSpec("the document is nested too deeply") from None
    except ValueError as error:
        raise InvalidSpec(f"not valid {form.upper()}: {error}") from error
    if not isinstance(document, dict):
        raise InvalidSpec(f"a spec is an object of settings, got {type(document).__name__}")
    return document


def _parse_json(text: str) -> Any:
    return json.loads(text, parse_constant=_no_constant, object_pairs_hook=_unique)


def _parse_yaml(text: str) -> Any:
    # Imported here: most specs are JSON, and the parser costs a CLI call 40 ms.
    from tutelage.client.yaml import parse

    return parse(text)


def _no_constant(name: str) -> Any:
    raise InvalidSpec(f"{name} is no JSON value")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    seen: dict[str, Any] = {}
    for key, value in pairs:
        if key in seen:
            raise InvalidSpec(f"the key {key!r} is given twice")
        seen[key] = value
    return seen


def _place(document: dict[str, Any], key: list[str]) -> list[str]:
    if "service" in document and key[0] not in Spec.model_fields:
        return ["config", *key]
    return key


def _apply(node: Any, key: list[str], value: Any) -> None:
    """Set `value` at the place `key`; missing objects are made, an index must exist."""
    for depth, part in enumerate(key):
        last = depth == len(key) - 1
        index: Any = int(part) if isinstance(node, list) and part.isdecimal() else part
        fits = isinstance(node, dict) or (isinstance(node, list) and isinstance(index, int) and index < len(node))
        if not fits:
            at = ".".join(key[:depth]) or "the document"
            raise InvalidSpec(f"cannot set {'.'.join(key)}: {at} has no place {part!r}")
        if last:
            node[index] = value
        else:
            node = node.setdefault(index, {}) if isinstance(node, dict) else node[index]

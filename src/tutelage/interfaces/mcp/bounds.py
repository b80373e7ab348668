"""Keeps answers small and clean: sizes in bytes of JSON, texts without control signs, what was left out by name."""

from __future__ import annotations

import json
import unicodedata
from typing import Any, TypeVar

from pydantic import BaseModel

from tutelage.interfaces.mcp.answers import Answer

BRIEF_BYTES, FULL_BYTES = 8_000, 30_000
MAX_TEXT = 500
MAX_KEY, MAX_KEYS, MAX_OMITTED = 80, 40, 12
HIDDEN = ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")
"""Unicode categories that a reader cannot see: control, format, surrogate, private, line and paragraph separators."""

Shaped = TypeVar("Shaped", bound=Answer)


class Fields(dict[str, Any]):
    """The fields of a model: shortened, never left out; the keys of any other object are data and may be."""


def bounded(answer: Shaped, *, limit: int = BRIEF_BYTES) -> Shaped:
    """Return `answer` with its texts cleaned and its largest parts shortened until it fits into `limit` bytes."""
    plain = cleaned(_fields(answer, answer.model_dump(mode="json", by_alias=True)))
    budget = limit
    while True:
        omitted: list[str] = []
        short = shortened(plain, budget, omitted)
        short["omitted"] = [clean_text(text, limit=120) for text in sorted(omitted)[:MAX_OMITTED]]
        if size_of(short) <= limit or budget < limit // 50:
            return type(answer).model_validate(short)
        budget = budget * 4 // 5


def _fields(value: Any, dumped: Any) -> Any:
    """Return the dumped form of a value in which the objects that came from models are Fields."""
    if isinstance(value, BaseModel):
        infos = type(value).model_fields.items()
        names = {info.serialization_alias or info.alias or name: name for name, info in infos}
        return Fields({key: _fields(getattr(value, names[key]), item) for key, item in dumped.items()})
    if isinstance(value, dict):
        return {key: _fields(inner, item) for inner, (key, item) in zip(value.values(), dumped.items(), strict=True)}
    if isinstance(value, list | tuple):
        return [_fields(inner, item) for inner, item in zip(value, dumped, strict=True)]
    return dumped


def size_of(value: Any) -> int:
    """Return the bytes of a value as JSON."""
    return len(json.dumps(value, ensure_ascii=False).encode())


def cleaned(value: Any) -> Any:
    """Return a JSON value whose texts are capped and hold no sign that a reader cannot see."""
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, dict):
        return type(value)((clean_text(key, limit=MAX_KEY), cleaned(item)) for key, item in value.items())
    return [cleaned(item) for item in value] if isinstance(value, list) else value


def clean_text(text: str, *, limit: int = MAX_TEXT) -> str:
    """Return a text from data as one to show an agent: visible signs and line breaks alone, at most `limit`."""
    seen = "".join(sign for sign in text if sign in "\n\t" or unicodedata.category(sign) not in HIDDEN)
    return seen if len(seen) <= limit else seen[: limit - 1] + "…"


def shortened(value: Any, budget: int, omitted: list[str], at: str = "") -> Any:
    """Return a JSON value of about `budget` bytes: lists keep their first items, large objects their first keys.

    Small parts are kept whole and give what they do not need to the large ones. What was cut is added to `omitted`.
    """
    if size_of(value) <= budget:
        return value
    if isinstance(value, str):
        return clean_text(value, limit=max(20, budget))
    if isinstance(value, list):
        return _first_items(value, budget, omitted, at)
    return _every_key(value, budget, omitted, at) if isinstance(value, dict) else value


def _first_items(items: list[Any], budget: int, omitted: list[str], at: str) -> list[Any]:
    kept: list[Any] = []
    left = budget
    for item in items:
        short = shortened(item, max(60, budget // 2), omitted, f"{at}[{len(kept)}]") if not kept else item
        left -= size_of(short) + 2
        if left < 0 and kept:
            break
        kept.append(short)
        if left < 0:
            break
    if len(kept) < len(items):
        omitted.append(f"{at}: the first {len(kept)} of {len(items)}")
    return kept


def _every_key(document: dict[str, Any], budget: int, omitted: list[str], at: str) -> dict[str, Any]:
    is_typed = isinstance(document, Fields)
    left = budget
    kept: dict[str, Any] = {}
    by_size = sorted(document, key=lambda name: size_of(document[name]))
    by_size = by_size if is_typed else by_size[:MAX_KEYS]
    for index, name in enumerate(by_size):
        share = max(0, left) // (len(by_size) - index)
        short = shortened(document[name], share, omitted, f"{at}.{name}" if at else name)
        left -= size_of({name: short})
        if left < 0 and not is_typed:
            break
        kept[name] = short
    if len(kept) < len(document):
        omitted.append(f"{at}: {len(kept)} of {len(document)} keys")
    return type(document)((name, kept[name]) for name in document if name in kept)

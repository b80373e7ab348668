"""Reads hand-offs tolerantly: what asks for something becomes a wish; what is not understood is listed.

Both kinds of document have lists of recommendations: texts, or objects with a code and, where it needs them, columns
and a value. `featureAssessment` is a list of objects that name a column, or an object by column.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic.alias_generators import to_snake

from tutelage.services.tabular.errors import DataUnreadable

MAX_BYTES = 1 << 20
MAX_UNRECOGNIZED, MAX_TEXT = 50, 200
LISTS = ("recommendations", "issues", "suggestions", "feedback")
ASSESSMENT = "feature_assessment"
FIGURES = frozenset(
    {
        *("summary", "title", "version", "dataset", "metadata", "overview", "statistics", "generated_at", "created_at"),
        *("model_type", "rows", "threshold", "overall_metrics", "threshold_analysis", "slice_metrics"),
        *("error_analysis", "business_impact", "sensitive_features"),
    }
)
"""Parts that report and ask for nothing: those of an evaluation document of ours, and what introduces a document."""

CODES = ("code", "action", "recommendation", "treatment", "issue", "type", "kind")
COLUMNS = ("column", "columns", "feature", "features", "name", "names")
VALUES = ("value", "metric", "algorithm", "to")
TEXTS = ("text", "description", "message", "reason", "suggestion")
YES = (True, "true", "yes", "high", "suspected", "likely", "confirmed")


@dataclass(frozen=True, kw_only=True)
class Wish:
    """One thing that a hand-off asks for: a code of `meanings`, or a text to look for phrases in."""

    source: str
    says: str
    code: str = ""
    columns: tuple[str, ...] = ()
    value: Any = None
    text: str = ""


@dataclass(frozen=True, kw_only=True)
class Handoff:
    """What a document asks for, and what of it is not understood."""

    wishes: list[Wish] = field(default_factory=list)
    unrecognized: list[str] = field(default_factory=list)


def read_handoff(source: str, given: Any) -> Handoff:
    """Return what a hand-off asks for; `given` is its content, or the path of its file. Raises DataUnreadable."""
    document = _load(source, given) if isinstance(given, str) else given
    found = Handoff()
    if isinstance(document, list):
        document = {"recommendations": document}
    if not isinstance(document, Mapping):
        raise DataUnreadable(
            f"{source} must be an object, got {type(document).__name__}", hint="see the service's README"
        )
    for key, value in document.items():
        plain = to_snake(str(key))
        if plain in LISTS:
            for item in value if isinstance(value, list) else [value]:
                _read_item(found, source, item)
        elif plain == ASSESSMENT:
            for item in _assessments(value):
                _read_item(found, source, item)
        elif plain not in FIGURES:
            found.unrecognized.append(f"{source}.{key}"[:MAX_TEXT])
    return found


def _load(source: str, path: str) -> Any:
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise DataUnreadable(f"{source} {path} cannot be read: {error.strerror}", hint="check the path") from error
    if len(content) > MAX_BYTES:
        raise DataUnreadable(f"{source} has {len(content):,} bytes, over {MAX_BYTES:,}", hint="hand over a summary")
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise DataUnreadable(f"{source} {path} is not JSON: {str(error)[:200]}", hint="write it again") from error


def _assessments(value: Any) -> Iterator[Any]:
    if isinstance(value, Mapping):
        for name, item in value.items():
            yield {"column": str(name), **item} if isinstance(item, Mapping) else {"column": str(name), "action": item}
    else:
        yield from value if isinstance(value, list) else [value]


def _read_item(found: Handoff, source: str, item: Any) -> None:
    if isinstance(item, str):
        clauses = [part.strip() for part in re.split(r"[.;\n]", item) if part.strip()]
        found.wishes.extend(Wish(source=source, says=part[:MAX_TEXT], text=part) for part in clauses)
        return
    if not isinstance(item, Mapping):
        found.unrecognized.append(f"{source}: {item!r}"[:MAX_TEXT])
        return
    plain = {to_snake(str(key)): value for key, value in item.items()}
    codes = [plain_code(plain[key]) for key in CODES if isinstance(plain.get(key), str)]
    if any(plain.get(key) in YES for key in ("leakage", "leak", "is_leak", "leakage_risk")):
        codes.insert(0, "leakage")
    columns = next((plain[key] for key in COLUMNS if plain.get(key)), ())
    says = json.dumps(item, default=str)[:MAX_TEXT]
    texts = [str(plain[key]) for key in TEXTS if plain.get(key)]
    found.wishes.append(
        Wish(
            source=source,
            says=says,
            code="|".join(codes),
            columns=tuple(map(str, columns if isinstance(columns, list) else [columns] if columns else [])),
            value=next((plain[key] for key in VALUES if plain.get(key) is not None), None),
            text=". ".join(texts) or " ".join(str(plain[key]) for key in CODES if isinstance(plain.get(key), str)),
        )
    )


def plain_code(text: str) -> str:
    """Return a code in lower snake case."""
    return re.sub(r"[^a-z0-9]+", "_", text.strip().lower()).strip("_")

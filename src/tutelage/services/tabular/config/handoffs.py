"""What other programs hand to a job: an EDA document and an evaluator's feedback, embedded or as a file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic.alias_generators import to_camel

from tutelage.core.errors import InvalidSpec
from tutelage.core.paths import is_relative

if TYPE_CHECKING:
    from tutelage.services.tabular.config.document import TabularConfig

SOURCES = ("edaDocument", "evaluatorFeedback")
HANDOFF_KEYS = (*SOURCES, *(f"{name}Path" for name in SOURCES))
"""Keys of a job under which hand-offs stand; `...Path` is resolved against the spec's folder like every path."""

UNGIVEN: Any = (None, "auto", [], {})
"""Values that ask for nothing: a hand-off may fill them in."""


def note_given(document: Any) -> Any:
    """Return a job with `givenKeys` filled in where hand-offs are given: its own keys, which win over theirs."""
    if not isinstance(document, Mapping):
        return document
    plain = {to_camel(key) if "_" in str(key) else str(key): value for key, value in document.items()}
    has_handoff = any(plain.get(key) for key in HANDOFF_KEYS)
    if not has_handoff or plain.get("givenKeys") is not None:
        return document
    return {**document, "givenKeys": sorted(_given(plain))}


def _given(document: Mapping[str, Any]) -> set[str]:
    found: set[str] = set()
    for key, value in document.items():
        if key in HANDOFF_KEYS or value in UNGIVEN:
            continue
        if isinstance(value, Mapping):
            found |= {f"{key}.{to_camel(inner) if '_' in inner else inner}" for inner in map(str, value)}
        found.add("validationStrategy.type" if key == "validationStrategy" and isinstance(value, str) else key)
    return found


def check_handoffs(config: TabularConfig) -> None:
    """Refuse a hand-off given twice, and a path that hangs on a folder nobody names."""
    sources: tuple[tuple[str, Any, str | None], ...] = (
        ("edaDocument", config.eda_document, config.eda_document_path),
        ("evaluatorFeedback", config.evaluator_feedback, config.evaluator_feedback_path),
    )
    for key, given, path in sources:
        if given is not None and path is not None:
            raise InvalidSpec(f"both {key!r} and '{key}Path' are given", hint="keep one of them")
        if isinstance(given, str) and is_relative(given):
            raise InvalidSpec(
                f"{key!r} is an object or an absolute path, got {given[:80]!r}",
                hint=f"name the file in '{key}Path', which is resolved against the spec's folder",
            )


def check_columns_named(config: TabularConfig) -> None:
    """Refuse columns that are named for two things at once."""
    excluded = set(config.exclude_features)
    twice = sorted(excluded & ({*(config.features or []), *config.categorical_features}))
    if twice:
        raise InvalidSpec(f"{twice[0]!r} is in 'excludeFeatures' and asked for elsewhere", hint="keep one of them")
    lists = (("excludeFeatures", config.exclude_features), ("categoricalFeatures", config.categorical_features))
    for key, names in (*lists, ("sensitiveFeatures", config.sensitive_features)):
        if config.target in names:
            raise InvalidSpec(f"{key!r} names the target {config.target!r}", hint="name feature columns")

"""Names and values as MLflow takes them: cut to its limits, its forbidden characters replaced."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from tutelage.core.tracking import without_userinfo

MAX_KEY = 250
MAX_PARAM = 6000
MAX_TAG = 5000
MAX_EXPERIMENT = 250
MAX_MODEL = 200
NOT_IN_KEY = re.compile(r"[^\w./ -]", re.ASCII)
UNSAFE = re.compile(r"[/:\\'\"`%\x00-\x1f\x7f]+")
UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f]+")


def key_name(name: str) -> str:
    """Return the name of a parameter, metric or tag: letters, digits, `_ - . /` and spaces, no path upwards."""
    parts = [part.strip() for part in NOT_IN_KEY.sub("_", name).split("/")]
    return "/".join(part for part in parts if part.strip(". "))[:MAX_KEY].rstrip("/ ") or "_"


def experiment_name(name: str) -> str:
    """Return an experiment's name without control characters."""
    return UNPRINTABLE.sub(" ", name).strip()[:MAX_EXPERIMENT].strip() or "tutelage"


def model_name(name: str) -> str:
    """Return a registered model's name: it becomes a part of addresses and of folders."""
    return UNSAFE.sub("-", name).strip(" .-")[:MAX_MODEL].rstrip(" .-") or "tutelage"


def value_text(value: Any, *, limit: int = MAX_PARAM) -> str:
    """Return a parameter's value as text; no address in it carries credentials."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = without_userinfo(text).replace("\x00", "")
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def flattened(document: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield (dotted name, value) of each leaf; lists are leaves, empty objects and nulls are left out."""
    for name, value in document.items():
        place = f"{prefix}.{name}" if prefix else str(name)
        if isinstance(value, Mapping):
            yield from flattened(value, place)
        elif value is not None:
            yield place, value

"""Documents whose keys are read in camelCase and in snake_case."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ConfigDict, model_validator
from pydantic.alias_generators import to_camel

from tutelage.core.errors import InvalidSpec, NotYet, unknown
from tutelage.core.spec import Document
from tutelage.services.tabular import catalog


class CamelDocument(Document):
    """A document whose keys are read in camelCase and in snake_case; an unknown key names its nearest match."""

    model_config = ConfigDict(alias_generator=to_camel)

    @model_validator(mode="before")
    @classmethod
    def _known_keys(cls, document: Any) -> Any:
        if not isinstance(document, Mapping):
            return document
        known = {to_camel(name): name for name in cls.model_fields}
        kept: dict[str, Any] = {}
        for key, value in document.items():
            camel = to_camel(key) if "_" in key else key
            if camel in known:
                if known[camel] in kept:
                    raise InvalidSpec(f"{camel!r} is given twice, in camelCase and in snake_case", hint="keep one")
                kept[known[camel]] = value
            else:
                _refuse_key(camel, value, known)
        return kept


def _refuse_key(key: str, value: Any, known: Mapping[str, str]) -> None:
    """Raise for a key that is not built or not known; a planned one that asks for nothing passes."""
    if key not in catalog.PLANNED["key"]:
        raise unknown("key", key, known)
    if value not in (None, False, [], {}):
        raise NotYet(f"{key!r} is not built yet", hint="leave it out")

"""A service's settings as one line each, from its JSON schema: shorter for an agent than the schema."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def settings_table(schema: Mapping[str, Any]) -> dict[str, str]:
    """Return setting (dotted) -> `type, default: meaning`."""
    return dict(_lines(schema, schema.get("$defs", {}), ""))


def _lines(node: Mapping[str, Any], defs: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, str]]:
    required = node.get("required", ())
    for name, item in node.get("properties", {}).items():
        place = f"{prefix}{name}"
        inner = _referred(item, defs)
        if inner is not None and inner.get("properties"):
            yield from _lines(inner, defs, f"{place}.")
            continue
        default = "required" if name in required else f"default {item.get('default')}"
        yield place, f"{_type(item, defs)}, {default}: {item.get('description', '')}".rstrip(": ")


def _referred(item: Mapping[str, Any], defs: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the definition that a property refers to, itself or as one of several."""
    for part in (item, *item.get("anyOf", ()), *item.get("allOf", ())):
        if "$ref" in part:
            found: Mapping[str, Any] = defs.get(part["$ref"].rsplit("/", 1)[-1], {})
            return found
    return None


def _type(item: Mapping[str, Any], defs: Mapping[str, Any]) -> str:
    if "enum" in item:
        return " or ".join(map(str, item["enum"]))
    if "anyOf" in item:
        return " or ".join(dict.fromkeys(_type(part, defs) for part in item["anyOf"]))
    inner = _referred(item, defs)
    return _type(inner, defs) if inner else str(item.get("type", "any"))

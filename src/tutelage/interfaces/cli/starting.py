"""The spec that `tutelage init` writes: a preset, every other setting as a comment with its default."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

from tutelage.core.wire import ServiceInfo

WIDTH = 96
CHANGE_ME = "CHANGE_ME"


def document(info: ServiceInfo, preset: str | None) -> dict[str, Any]:
    """Return the spec as a document: required settings to fill in, and the preset's own."""
    required = (info.config_schema or {}).get("required", [])
    return {"service": info.name, "name": "", "config": {**dict.fromkeys(required, CHANGE_ME), **_chosen(info, preset)}}


def text(info: ServiceInfo, preset: str | None) -> str:
    """Return the spec as commented YAML."""
    return "\n".join(_lines(info, preset)) + "\n"


def _lines(info: ServiceInfo, preset: str | None) -> Iterator[str]:
    name = preset or next(iter(info.presets), None)
    yield f"# {info.name}: {info.about}"
    yield f"# Preset {name}; others: {', '.join(sorted(info.presets))}." if name else "# Fill in what is required."
    yield "# Relative paths count from this file's folder."
    yield f"service: {info.name}"
    yield 'name: ""'
    yield "config:"
    yield from _settings(info.config_schema or {}, _chosen(info, preset))
    yield ""
    yield "# seed: 42"
    yield "# resources: {cpus: 1, memory_gib: 4}"


def _settings(schema: Mapping[str, Any], chosen: Mapping[str, Any]) -> Iterator[str]:
    properties, required = schema.get("properties", {}), schema.get("required", [])
    in_order = [*required, *(key for key in chosen if key not in required)]
    in_order += [key for key in properties if key not in in_order]
    for key in in_order:
        about = properties.get(key, {})
        yield from textwrap.wrap(
            str(about.get("description", "")), WIDTH, initial_indent="  # ", subsequent_indent="  # "
        )
        if key in chosen:
            yield f"  {key}: {json.dumps(chosen[key], ensure_ascii=False)}"
        elif key in required:
            yield f"  {key}: {CHANGE_ME}"
        else:
            yield f"  # {key}: {json.dumps(about.get('default'), ensure_ascii=False)}"


def _chosen(info: ServiceInfo, preset: str | None) -> dict[str, Any]:
    name = preset or next(iter(info.presets), None)
    return dict(info.presets[name]) if name else {}

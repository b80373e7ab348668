"""YAML for specs: 1.2's core values, no aliases, no doubled keys, JSON's types only.

YAML 1.1, which the parser speaks by itself, reads `on:` as true, `1e-3` as text and `12:30` as 750.
"""

from __future__ import annotations

import re
from typing import Any

import yaml

from tutelage.core.errors import InvalidSpec

CORE = (
    ("null", r"~|null|Null|NULL|", "~nN"),
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", "-+0123456789"),
    ("float", r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?", "-+0123456789."),
)


class SpecLoader(yaml.SafeLoader):
    """A safe loader of plain values."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Refuse aliases: a short document could unfold into a huge one."""
        if self.check_event(yaml.AliasEvent):
            raise InvalidSpec("YAML aliases (*name) are not read", hint="write the value out")
        return super().compose_node(parent, index)


def _mapping(loader: SpecLoader, node: yaml.MappingNode) -> dict[str, Any]:
    """Build an object whose keys are texts, each given once."""
    result: dict[str, Any] = {}
    for key_node, value_node in node.value:
        if not isinstance(key_node, yaml.ScalarNode):
            raise InvalidSpec("a key must be text")
        key = str(key_node.value)
        if key in result:
            raise InvalidSpec(f"the key {key!r} is given twice")
        result[key] = loader.construct_object(value_node, deep=True)
    return result


def _int(loader: SpecLoader, node: yaml.ScalarNode) -> int:
    text = str(node.value)
    base = {"0o": 8, "0x": 16}.get(text[:2], 10)
    return int(text, base) if base != 10 else int(text)


def _refuse(loader: SpecLoader, node: yaml.Node) -> None:
    raise InvalidSpec(f"a spec holds JSON's values; {node.tag} is none of them")


for _name, _pattern, _first in CORE:
    SpecLoader.add_implicit_resolver(f"tag:yaml.org,2002:{_name}", re.compile(rf"(?:{_pattern})\Z"), list(_first))
SpecLoader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"\Z"), [""])
SpecLoader.add_constructor("tag:yaml.org,2002:map", _mapping)
SpecLoader.add_constructor("tag:yaml.org,2002:int", _int)
for _name in ("timestamp", "binary", "set", "omap", "pairs"):
    SpecLoader.add_constructor(f"tag:yaml.org,2002:{_name}", _refuse)


def parse(text: str) -> Any:
    """Return the document's value. Raises InvalidSpec with line and column of what cannot be read."""
    try:
        return yaml.load(text, Loader=SpecLoader)
    except yaml.YAMLError as error:
        raise InvalidSpec(f"not valid YAML: {error}") from error

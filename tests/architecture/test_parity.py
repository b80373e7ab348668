"""Every action is in every interface: docs/reference/actions.md is complete, true, and gives its reasons."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, cast

import anyio
import pytest
import typer.main

from tutelage.client import Client
from tutelage.control import ControlPlatform
from tutelage.control.hub import Hub
from tutelage.core.ports import Platform
from tutelage.interfaces.cli.app import build
from tutelage.interfaces.mcp import Access
from tutelage.interfaces.mcp import build as build_mcp
from tutelage.interfaces.rest.app import METHODS, create_app

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "actions.md"
COLUMNS = ("rest", "cli", "mcp")


def rows() -> dict[str, dict[str, str]]:
    """Return action -> column -> cell."""
    found = {}
    for line in PAGE.read_text().partition("## In one")[0].splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if match := re.match(r"`client\.(\w+)`\Z", cells[0]):
            found[match.group(1)] = dict(zip(COLUMNS, cells[1:], strict=True))
    return found


def named(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def alone() -> list[str]:
    """Return what the page says is in one interface only, each with a reason."""
    lines = PAGE.read_text().partition("## In one")[2].splitlines()
    pairs = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| `")]
    assert all(reason for _, reason in pairs)
    return [name for cell, _ in pairs for name in named(cell)]


def actions() -> set[str]:
    return {name for base in Platform.__mro__ for name, item in vars(base).items() if callable(item) and name[0] != "_"}


def routes() -> set[str]:
    paths: dict[str, Any] = create_app(cast(ControlPlatform, None), Hub()).openapi()["paths"]
    return {
        f"{method.upper()} {path.removeprefix('/api/v1') if path.startswith('/api/v1') else '/' + path}"
        for path, item in paths.items()
        for method in item
        if method in METHODS
    }


def commands() -> set[str]:
    """Return every command that is built, those of a group with the group's name."""
    found = set()
    group = cast(Any, typer.main.get_command(build()))
    for name, command in group.commands.items():
        inner = getattr(command, "commands", None)
        found |= {f"{name} {each}" for each in inner} if inner else {name}
    return found


def test_the_table_holds_every_action_and_no_other() -> None:
    assert set(rows()) == actions()


@pytest.mark.parametrize("action", sorted(actions()))
def test_the_client_has_the_action(action: str) -> None:
    assert callable(getattr(Client, action))


@pytest.mark.parametrize("column", COLUMNS)
def test_an_interface_has_the_action_or_says_why_not(column: str) -> None:
    missing = [
        action for action, row in rows().items() if not named(row[column]) and not re.match(r"- \w", row[column])
    ]
    assert missing == []


def test_the_routes_are_those_of_the_api() -> None:
    written = {route for row in rows().values() for route in named(row["rest"])} | {n for n in alone() if " /" in n}
    assert written == routes()


def test_the_commands_are_those_of_the_command_line() -> None:
    written = {name for row in rows().values() for name in named(row["cli"])} | {n for n in alone() if " /" not in n}
    assert written == commands()


def test_the_tools_are_those_of_the_mcp_server() -> None:
    server = build_mcp(Access(platform=cast(Platform, None), principal=lambda: cast(Any, None)))
    offered = {tool.name for tool in anyio.run(server.list_tools)}
    assert {name for row in rows().values() for name in named(row["mcp"]) if not row["mcp"].startswith("-")} == offered

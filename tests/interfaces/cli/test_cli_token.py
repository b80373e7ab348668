"""Tokens on the command line: the words it offers are those of the server, and a mistake names what is allowed."""

from __future__ import annotations

from typing import get_args

import pytest
from cli_support import Cli

from tutelage.core.access import Scope
from tutelage.core.wire import PrincipalKind
from tutelage.interfaces.cli import serve, token
from tutelage.interfaces.rest.servers import DEFAULT_PORT


def test_the_command_line_offers_what_the_server_takes() -> None:
    """Written twice, because help must not import the models."""
    assert set(token.KINDS) == set(get_args(PrincipalKind))
    assert tuple(Scope) == token.SCOPES
    assert serve.PORT == DEFAULT_PORT


def test_a_token_is_made_listed_and_revoked(cli: Cli) -> None:
    made = cli("token", "create", "bob", "--kind", "person", "--scope", "operate")
    assert made.code == 0
    assert "tut_" in made.out
    listed = cli("token", "list").out
    assert "bob" in listed
    assert "tut_" not in listed
    assert cli("token", "revoke", "bob").out.startswith("Revoked bob")
    assert "bob" not in cli("token", "list").out
    assert "revoked" in cli("token", "list", "--all").out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["x", "--kind", "robot"], "unknown kind 'robot'"),
        (["x", "--scope", "root"], "unknown scope 'root'"),
        (["x", "--expires", "soon"], "--expires"),
        (["a b"], "name"),
        (["supervisor"], "no token can be called"),
    ],
)
def test_a_mistake_is_named(cli: Cli, arguments: list[str], says: str) -> None:
    done = cli("token", "create", *arguments)
    assert done.code == 2
    assert says in done.err

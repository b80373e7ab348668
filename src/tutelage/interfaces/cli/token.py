"""`token create|list|revoke`: who may come over TCP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from tutelage.interfaces.cli.options import AsJson

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from tutelage.core.access import Token

KINDS = ("agent", "person", "program")
SCOPES = ("read", "operate", "admin")


def build() -> typer.Typer:
    """Return the group of commands."""
    app = typer.Typer(help="Make, list and revoke the tokens of `tutelage serve`.", no_args_is_help=True)
    app.command("create")(create)
    app.command("list")(list_)
    app.command("revoke")(revoke)
    return app


def create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Who it is for; stands in the ledger.")],
    kind: Annotated[str, typer.Option(help=f"What it is for: {', '.join(KINDS)}.")] = "program",
    scope: Annotated[str, typer.Option(help=f"How far it reaches: {', '.join(SCOPES)}.")] = "read",
    expires: Annotated[str | None, typer.Option(metavar="AGE", help="As in 30d, 12h; default: never.")] = None,
    as_json: AsJson = False,
) -> None:
    """Make a token and show its secret, this once."""
    from tutelage.interfaces.cli.session import print_json, session
    from tutelage.interfaces.cli.terminal import say

    request = _request(name, kind, scope, expires)
    with session(new_home=True) as client:
        made = client.create_token(request)
    if as_json:
        return print_json(made)
    until = f", until {made.expires_at}" if made.expires_at else ""
    say(f"Token for {made.name} ({made.kind}), scope {made.scope}{until}. The secret is shown this once:", "")
    print(f"  {made.secret}")
    return say("", "Use it with TUTELAGE_URL and TUTELAGE_TOKEN, or as `Authorization: Bearer ...`.")


def list_(
    every: Annotated[bool, typer.Option("--all", help="Revoked and expired ones, too.")] = False,
    as_json: AsJson = False,
) -> None:
    """List the tokens, without their secrets."""
    from tutelage.interfaces.cli.session import print_json, session
    from tutelage.interfaces.cli.terminal import say

    with session() as client:
        found = [token for token in client.tokens() if every or token.is_live]
    if as_json:
        return print_json(found)
    return say(_table(found) if found else "No token yet: tutelage token create NAME --kind agent --scope operate")


def revoke(
    name: Annotated[str, typer.Argument(metavar="NAME|ID", help="The token's id, or its name where one has it.")],
    as_json: AsJson = False,
) -> None:
    """End a token; what it asked for before stays in the ledger."""
    from tutelage.interfaces.cli.session import print_json, session
    from tutelage.interfaces.cli.terminal import say

    with session() as client:
        ended = client.revoke_token(name)
    print_json(ended) if as_json else say(f"Revoked {ended.name} ({ended.id})")


def _request(name: str, kind: str, scope: str, expires: str | None) -> Any:
    from pydantic import ValidationError

    from tutelage.core.access import TokenRequest
    from tutelage.core.errors import unknown
    from tutelage.interfaces.cli import words
    from tutelage.interfaces.cli.errors import usage_error

    for option, value, allowed in (("kind", kind, KINDS), ("scope", scope, SCOPES)):
        if value not in allowed:
            raise unknown(option, value, allowed)
    try:
        expires_s = words.seconds_of(expires) if expires else None
        return TokenRequest.model_validate({"name": name, "kind": kind, "scope": scope, "expires_s": expires_s})
    except ValidationError as error:
        first = error.errors()[0]
        raise usage_error(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from None
    except ValueError as error:
        raise usage_error(f"--expires: {error}") from None


def _table(tokens: Sequence[Token]) -> Table:
    from tutelage.interfaces.cli import words
    from tutelage.interfaces.cli.terminal import table

    rows = table("name", "kind", "scope", "made", "until", "id", wide=["name"])
    for token in tokens:
        kind = "login" if token.is_login else token.kind
        ends = token.expires_at[:10] if token.expires_at else "always"
        until = "revoked" if token.revoked_at else ends if token.is_live else "expired"
        rows.add_row(token.name, kind, str(token.scope), words.age(words.since(token.created_at)), until, token.id)
    return rows

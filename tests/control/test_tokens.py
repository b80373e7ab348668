"""Tokens: a secret is kept as a hash, ends when it is revoked or old, and a login code works once."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support import ME, Plane, plane_at

from tutelage.control.tokens import LOGIN_CODE_S, SESSION_S, Tokens
from tutelage.core.access import Scope, TokenRequest
from tutelage.core.errors import InvalidSpec, NotFound, Unauthorized


class Clock:
    now_s = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def plane(tmp_path: Path) -> Iterator[Plane]:
    with plane_at(tmp_path / "home") as made:
        yield made


@pytest.fixture
def tokens(plane: Plane, clock: Clock) -> Tokens:
    object.__setattr__(plane.parts.base, "clock", clock)
    return Tokens(plane.parts.base)


def request(name: str = "steward", scope: Scope = Scope.OPERATE, expires_s: float | None = None) -> TokenRequest:
    return TokenRequest(name=name, kind="agent", scope=scope, expires_s=expires_s)


def test_a_secret_stands_for_its_principal_and_is_kept_as_a_hash_only(tokens: Tokens, plane: Plane) -> None:
    made = tokens.create(request())
    access = tokens.authenticate(made.secret)
    assert (access.principal.name, access.principal.kind, access.scope) == ("steward", "agent", Scope.OPERATE)
    home = plane.parts.base.files.root
    kept = b"".join(path.read_bytes() for path in home.glob("tutelage.db*"))
    assert made.secret.encode() not in kept
    assert hashlib.sha256(made.secret.encode()).hexdigest().encode() in kept
    assert len(made.secret.removeprefix("tut_")) * 6 >= 256


def test_a_token_ends_when_it_expires(tokens: Tokens, clock: Clock) -> None:
    made = tokens.create(request(expires_s=60))
    clock.now_s += 59
    tokens.authenticate(made.secret)
    clock.now_s += 1
    with pytest.raises(Unauthorized, match="expired"):
        tokens.authenticate(made.secret)
    assert [token.is_live for token in tokens.listed()] == [False]


def test_a_token_ends_when_it_is_revoked_by_name_or_id(tokens: Tokens) -> None:
    one, two = tokens.create(request("a")), tokens.create(request("b"))
    tokens.revoke("a")
    tokens.revoke(two.id)
    for made in (one, two):
        with pytest.raises(Unauthorized, match="revoked"):
            tokens.authenticate(made.secret)


def test_a_name_that_several_have_is_refused(tokens: Tokens) -> None:
    one, two = tokens.create(request()), tokens.create(request())
    with pytest.raises(InvalidSpec, match="2 tokens") as error:
        tokens.revoke("steward")
    assert one.id in error.value.hint
    assert two.id in error.value.hint


@pytest.mark.parametrize("name", ["supervisor", "local"])
def test_nobody_takes_the_name_of_those_who_decide_here(tokens: Tokens, name: str) -> None:
    with pytest.raises(InvalidSpec, match="no token can be called"):
        tokens.create(request(name))


def test_an_unknown_name_names_the_nearest(tokens: Tokens) -> None:
    tokens.create(request())
    with pytest.raises(NotFound, match="Did you mean 'steward'"):
        tokens.revoke("stewart")


@pytest.mark.parametrize("secret", ["", "tut_", "tut_x", "\ud800", "' OR 1=1 --"])
def test_nothing_else_is_a_token(tokens: Tokens, secret: str) -> None:
    tokens.create(request())
    with pytest.raises(Unauthorized, match="unknown"):
        tokens.authenticate(secret)


def test_a_login_code_works_once_and_its_session_ends(tokens: Tokens, clock: Clock) -> None:
    code = tokens.login_code(ME)
    session, secret = tokens.login(code)
    assert session.principal == ME
    assert tokens.authenticate(secret).scope is Scope.ADMIN
    with pytest.raises(Unauthorized):
        tokens.login(code)
    clock.now_s += SESSION_S
    with pytest.raises(Unauthorized):
        tokens.authenticate(secret)


def test_a_login_code_grows_old(tokens: Tokens, clock: Clock) -> None:
    code = tokens.login_code(ME)
    clock.now_s += LOGIN_CODE_S
    with pytest.raises(Unauthorized):
        tokens.login(code)

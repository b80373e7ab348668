"""Tokens and logins: made, looked up, revoked. A secret is shown once; its SHA-256 is what is kept."""

from __future__ import annotations

import hashlib
import secrets
import threading

from ulid import ULID

from tutelage.control.base import Base
from tutelage.control.commands import SUPERVISOR
from tutelage.core.access import TOKEN_PREFIX, Access, NewToken, Scope, Session, Token, TokenRequest
from tutelage.core.clock import iso
from tutelage.core.errors import InvalidSpec, NotFound, Unauthorized, nearest
from tutelage.core.wire import Principal
from tutelage.store import tokens
from tutelage.store.tokens import TokenRecord

SECRET_BYTES = 32
RESERVED = frozenset({SUPERVISOR.name, Principal().name})
LOGIN_CODE_S = 600.0
SESSION_S = 7 * 86400.0


class Tokens:
    """Everybody who may come over TCP."""

    def __init__(self, base: Base) -> None:
        self._base = base
        self._codes: dict[str, tuple[Principal, float]] = {}
        self._lock = threading.Lock()

    def create(self, request: TokenRequest) -> NewToken:
        """Make a token; the answer is the only place that ever holds its secret."""
        if request.name in RESERVED:
            raise InvalidSpec(f"no token can be called {request.name!r}", hint="decisions of that name are made here")
        record, secret = self._add(
            Principal(name=request.name, kind=request.kind), scope=request.scope, expires_s=request.expires_s
        )
        return NewToken(**self._shown(record).model_dump(), secret=secret)

    def listed(self) -> list[Token]:
        """Return every token and login, oldest first."""
        with self._base.store.reading() as reading:
            return [self._shown(record) for record in tokens.every(reading.connection)]

    def revoke(self, name: str) -> Token:
        """End a token, named by its id, or by its name where only one that lives has it."""
        base = self._base
        with base.store.writing() as tx:
            record = self._meant(tokens.every(tx.connection), name)
            if record.revoked_at_s is None:
                tokens.revoke(tx.connection, record.id, at_s=base.clock())
            found = tokens.by_hash(tx.connection, record.secret_hash)
        assert found is not None, "a token that was revoked is still listed"
        return self._shown(found)

    def authenticate(self, secret: str) -> Access:
        """Return who stands behind a secret. Raises Unauthorized where nobody does, any more or yet."""
        with self._base.store.reading() as reading:
            record = tokens.by_hash(reading.connection, _hash(secret))
        if record is None or not record.is_live(self._base.clock()):
            state = "unknown" if record is None else "revoked" if record.revoked_at_s else "expired"
            raise Unauthorized(f"the token is {state}", hint="`tutelage token create NAME` makes one")
        return Access(principal=_principal(record), scope=Scope(record.scope))

    def login_code(self, principal: Principal) -> str:
        """Return a code that logs a person in once, within ten minutes; it lives in memory only."""
        code = secrets.token_urlsafe(SECRET_BYTES)
        with self._lock:
            self._codes[_hash(code)] = (principal, self._base.clock() + LOGIN_CODE_S)
        return code

    def login(self, code: str) -> tuple[Session, str]:
        """Exchange a code for a session and its secret. Raises Unauthorized for a code that is used, old or unknown."""
        with self._lock:
            principal, until_s = self._codes.pop(_hash(code), (None, 0.0))
        if principal is None or self._base.clock() >= until_s:
            raise Unauthorized(
                "the login link was used already, or is too old", hint="a new start of `tutelage serve` prints one"
            )
        record, secret = self._add(principal, scope=Scope.ADMIN, expires_s=SESSION_S, is_login=True)
        session = Session(principal=principal, scope=Scope.ADMIN, expires_at=iso(record.expires_at_s) or "")
        return session, secret

    def _add(
        self, principal: Principal, *, scope: Scope, expires_s: float | None, is_login: bool = False
    ) -> tuple[TokenRecord, str]:
        at_s, secret = self._base.clock(), TOKEN_PREFIX + secrets.token_urlsafe(SECRET_BYTES)
        record = TokenRecord(
            id=f"tok_{str(ULID()).lower()}",
            name=principal.name,
            kind=principal.kind,
            scope=str(scope),
            is_login=is_login,
            secret_hash=_hash(secret),
            created_at_s=at_s,
            expires_at_s=None if expires_s is None else at_s + expires_s,
        )
        with self._base.store.writing() as tx:
            tokens.add(tx.connection, record)
        return record, secret

    def _meant(self, records: list[TokenRecord], name: str) -> TokenRecord:
        now_s = self._base.clock()
        named = [item for item in records if item.id == name] or [
            item for item in records if item.name == name and item.is_live(now_s)
        ]
        if len(named) > 1:
            ids = ", ".join(item.id for item in named)
            raise InvalidSpec(f"{len(named)} tokens are called {name!r}", hint=f"revoke them by id: {ids}")
        if not named:
            close = nearest(name, [item.name for item in records])
            question = f" Did you mean {close!r}?" if close else ""
            raise NotFound(f"there is no live token {name!r}.{question}", hint="`tutelage token list` lists them")
        return named[0]

    def _shown(self, record: TokenRecord) -> Token:
        return Token(
            id=record.id,
            name=record.name,
            kind=_principal(record).kind,
            scope=Scope(record.scope),
            is_login=record.is_login,
            created_at=iso(record.created_at_s) or "",
            expires_at=iso(record.expires_at_s),
            revoked_at=iso(record.revoked_at_s),
            is_live=record.is_live(self._base.clock()),
        )


def _principal(record: TokenRecord) -> Principal:
    return Principal.model_validate({"name": record.name, "kind": record.kind})


def _hash(secret: str) -> str:
    """Return SHA-256 of a secret: 256 random bits need no salt and no slow hash."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()

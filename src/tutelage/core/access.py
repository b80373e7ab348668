"""Who may do what: scopes, tokens, logins, and the principal that stands behind a request."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from pydantic import Field

from tutelage.core.spec import Document
from tutelage.core.wire import Principal, PrincipalKind, Timestamp, Wire

TOKEN_PREFIX = "tut_"
MAX_NAME = 80
NAME = re.compile(rf"[A-Za-z0-9][\w.@+-]{{0,{MAX_NAME - 1}}}\Z")
"""What a principal may be called; the same in a token and in `Tutelage-Principal`."""


class Scope(StrEnum):
    """How far a token reaches; each includes those before it."""

    READ = "read"
    OPERATE = "operate"
    ADMIN = "admin"

    def includes(self, other: Scope) -> bool:
        """Tell whether whoever holds this scope may do what `other` asks for."""
        return ORDER.index(self) >= ORDER.index(other)


ORDER = tuple(Scope)


@dataclass(frozen=True, kw_only=True)
class Access:
    """What a request was found to be: who asks, and how far they may go.

    `is_local` came over the home's Unix socket, where the file's mode is the authority and the name is taken as given.
    """

    principal: Principal
    scope: Scope
    is_local: bool = False


LOCAL = Access(principal=Principal(), scope=Scope.ADMIN, is_local=True)


class TokenRequest(Document):
    """A token to make."""

    name: str = Field(
        min_length=1,
        max_length=MAX_NAME,
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_.@+\-]*$",
        description="who it is for: letters, digits and ._@+-",
    )
    kind: PrincipalKind = Field("program", description="what it is for")
    scope: Scope = Field(
        Scope.READ,
        description="read: look; operate: also submit, command and use; admin: also remove and manage tokens",
    )
    expires_s: float | None = Field(
        None, gt=0, le=10 * 366 * 86400.0, description="seconds until it ends; null: it does not end by itself"
    )


class Token(Wire):
    """A token without its secret."""

    id: str = Field(description="names the token when it is revoked")
    name: str = Field(description="the principal that it stands for")
    kind: PrincipalKind = Field(description="what kind of principal that is")
    scope: Scope = Field(description="how far it reaches")
    is_login: bool = Field(False, description="made by a login, and kept in a browser's cookie")
    created_at: Timestamp = Field(description="when it was made")
    expires_at: Timestamp | None = Field(None, description="when it ends; null: not by itself")
    revoked_at: Timestamp | None = Field(None, description="when it was revoked")
    is_live: bool = Field(True, description="neither revoked nor expired")


class NewToken(Token):
    """A token just made, with its secret, which is shown this once."""

    secret: str = Field(description="the secret; only its SHA-256 is kept")


class LoginRequest(Document):
    """The one-time code of a login link."""

    code: str = Field(min_length=1, max_length=200, description="the part of the link after #")


class Session(Wire):
    """Who is logged in, how far they may go, and until when."""

    principal: Principal = Field(description="who is logged in")
    scope: Scope = Field(description="how far they may go")
    expires_at: Timestamp = Field(description="when the session ends")

"""Tokens in the database: by the hash of their secret, or all of them."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from sqlalchemy import Connection, insert, select, update

from tutelage.store.schema import TOKENS


@dataclass(frozen=True, kw_only=True)
class TokenRecord:
    """A token as it is stored."""

    id: str
    name: str
    kind: str
    scope: str
    is_login: bool
    secret_hash: str
    created_at_s: float
    expires_at_s: float | None
    revoked_at_s: float | None = None

    def is_live(self, now_s: float) -> bool:
        """Tell whether the token is neither revoked nor expired."""
        return self.revoked_at_s is None and (self.expires_at_s is None or now_s < self.expires_at_s)


def add(connection: Connection, record: TokenRecord) -> None:
    """Store a new token."""
    connection.execute(insert(TOKENS).values(asdict(record)))


def by_hash(connection: Connection, secret_hash: str) -> TokenRecord | None:
    """Return the token with this hash of its secret, or None."""
    row = connection.execute(select(TOKENS).where(TOKENS.c.secret_hash == secret_hash)).mappings().first()
    return TokenRecord(**{**row, "is_login": bool(row["is_login"])}) if row else None


def every(connection: Connection) -> list[TokenRecord]:
    """Return all tokens, oldest first."""
    rows = connection.execute(select(TOKENS).order_by(TOKENS.c.id)).mappings()
    return [TokenRecord(**{**row, "is_login": bool(row["is_login"])}) for row in rows]


def revoke(connection: Connection, token_id: str, *, at_s: float) -> None:
    """Mark a token as revoked."""
    connection.execute(update(TOKENS).where(TOKENS.c.id == token_id).values(revoked_at_s=at_s))

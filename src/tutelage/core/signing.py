"""Files that execute code when loaded: signed with the installation's key, loaded only when hash and signature hold."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
from pathlib import Path

from tutelage.core.errors import DamagedFile

SIGNATURE_SUFFIX = ".sig"


def installation_key(path: Path) -> bytes:
    """Return the 256-bit key kept at `path`, made on first use with mode 0600."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return bytes.fromhex(path.read_text())
    with os.fdopen(fd, "w") as file:
        file.write(secrets.token_hex(32))
    return bytes.fromhex(path.read_text())


def sign_file(path: Path, key: bytes) -> Path:
    """Write `path` + `.sig` with the SHA-256 of the file and its HMAC-SHA-256 under `key`."""
    digest = _sha256(path)
    signature = hmac.new(key, digest.encode(), hashlib.sha256).hexdigest()
    target = path.with_name(path.name + SIGNATURE_SUFFIX)
    target.write_text(json.dumps({"sha256": digest, "hmac": signature}))
    return target


def check_signature(path: Path, key: bytes) -> None:
    """Raise DamagedFile unless the file is the one that this installation signed."""
    try:
        stored = json.loads(path.with_name(path.name + SIGNATURE_SUFFIX).read_text())
        digest = _sha256(path)
        expected = hmac.new(key, digest.encode(), hashlib.sha256).hexdigest()
        holds = digest == stored["sha256"] and hmac.compare_digest(expected, stored["hmac"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DamagedFile(f"{path.name} cannot be verified: {error}", hint="train the model again") from error
    if not holds:
        raise DamagedFile(
            f"{path.name} is not the file that this installation wrote",
            hint="it was changed, or comes from another installation; loading it could execute foreign code",
        )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

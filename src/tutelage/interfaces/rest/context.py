"""What every route is given: the platform and who asks."""

from __future__ import annotations

import re
from typing import Annotated, get_args

from fastapi import Depends, Header, Request

from tutelage.control import ControlPlatform
from tutelage.core.access import Access
from tutelage.core.errors import InvalidSpec, Unauthorized
from tutelage.core.wire import Principal, PrincipalKind

PRINCIPAL = re.compile(r"(\w+):([\w.@+-]{1,80})\Z", re.ASCII)


def _platform(request: Request) -> ControlPlatform:
    platform: ControlPlatform = request.app.state.platform
    return platform


def _principal(
    request: Request,
    tutelage_principal: Annotated[
        str | None, Header(description="KIND:NAME, on the Unix socket; a token's own principal counts on TCP")
    ] = None,
) -> Principal:
    """Return who asks: the token's principal, or on the Unix socket who `Tutelage-Principal` says it is.

    There the file's mode is the authority. A request that came past the door is refused.
    """
    access: Access | None = request.scope.get("state", {}).get("access")
    if access is None:
        raise Unauthorized("this request came past the door")
    if not access.is_local or tutelage_principal is None:
        return access.principal
    match = PRINCIPAL.match(tutelage_principal)
    if match is None or match.group(1) not in get_args(PrincipalKind):
        raise InvalidSpec(
            f"Tutelage-Principal {tutelage_principal[:100]!r} is not KIND:NAME",
            hint=f"KIND is one of {', '.join(get_args(PrincipalKind))}",
        )
    return Principal.model_validate({"name": match.group(2), "kind": match.group(1)})


PlatformHere = Annotated[ControlPlatform, Depends(_platform)]
Asker = Annotated[Principal, Depends(_principal)]
IdempotencyKey = Annotated[str | None, Header(max_length=200)]

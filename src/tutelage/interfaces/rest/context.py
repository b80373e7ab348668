"""What every route is given: the platform and who asks."""

from __future__ import annotations

import re
from typing import Annotated, get_args

from fastapi import Depends, Header, Request

from tutelage.control import ControlPlatform
from tutelage.core.errors import InvalidSpec
from tutelage.core.wire import Principal, PrincipalKind

PRINCIPAL = re.compile(r"(\w+):([\w.@+-]{1,80})\Z")


def _platform(request: Request) -> ControlPlatform:
    platform: ControlPlatform = request.app.state.platform
    return platform


def _principal(tutelage_principal: Annotated[str | None, Header()] = None) -> Principal:
    """Read `Tutelage-Principal: person:NAME`; on the Unix socket the file's mode is the authority."""
    if tutelage_principal is None:
        return Principal()
    match = PRINCIPAL.match(tutelage_principal)
    if match is None or match.group(1) not in get_args(PrincipalKind):
        raise InvalidSpec(
            f"Tutelage-Principal {tutelage_principal[:100]!r} is not KIND:NAME",
            hint=f"KIND is one of {', '.join(get_args(PrincipalKind))}",
        )
    return Principal(name=match.group(2), kind=match.group(1))


PlatformHere = Annotated[ControlPlatform, Depends(_platform)]
Asker = Annotated[Principal, Depends(_principal)]
IdempotencyKey = Annotated[str | None, Header(max_length=200)]

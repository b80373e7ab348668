"""What a tune may ask for: the service's tunables, within their bounds."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tutelage.core.errors import InvalidSpec, unknown
from tutelage.core.service import Service, Tunable


def check_tune(service: Service, args: Mapping[str, Any]) -> None:
    """Raise unless every key is tunable and every value within its bounds."""
    for name, value in args.items():
        tunable = next((item for item in service.tunables if item.means(name)), None)
        if tunable is None:
            raise unknown("tunable", name, [item.name for item in service.tunables])
        _check_value(tunable, name, value)


def _check_value(tunable: Tunable, name: str, value: Any) -> None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or (tunable.type is int and int(value) != value) or not tunable.low <= value <= tunable.high:
        kind = "a whole number" if tunable.type is int else "a number"
        raise InvalidSpec(
            f"{name} must be {kind} from {tunable.low:g} to {tunable.high:g}, got {json.dumps(value)}",
            hint=tunable.about,
        )

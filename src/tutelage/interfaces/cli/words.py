"""Numbers, durations, ages and sizes as a person reads them."""

from __future__ import annotations

import datetime as dt
import math

MINUS = "\N{MINUS SIGN}"
MINUTE_S, HOUR_S, DAY_S = 60, 3600, 86_400
SIZES = ("B", "KiB", "MiB", "GiB", "TiB")
SHORT_ID = 6


def number(value: float | None) -> str:
    """Render a value with 4 significant digits: 2.233, 1,180, 0.05; a missing one is blank."""
    if value is None:
        return ""
    if not math.isfinite(value):
        return "nan" if math.isnan(value) else "inf" if value > 0 else f"{MINUS}inf"
    size = abs(value)
    if size >= 1e9 or 0 < size < 0.001:
        digits, _, power = f"{value:.1e}".partition("e")
        text = f"{digits}e{int(power)}"
    elif size >= 1000 or value == int(value):
        text = f"{value:,.0f}"
    else:
        text = f"{value:.4g}"
    return text.replace("-", MINUS)


def spread(value: float) -> str:
    """Render a deviation with 2 significant digits: 0.0041, 15."""
    if not math.isfinite(value) or value == 0 or abs(value) < 0.001:
        return number(value)
    return f"{value:.2g}".replace("-", MINUS) if abs(value) < 10 else number(round(value))


def duration(seconds: float) -> str:
    """Render a time span in two units at most: 0.4 s, 40 s, 6 min 10 s, 1 h 50 min, 2 d 3 h."""
    if seconds < 10:
        return f"{seconds:.1f} s".replace(".0 s", " s")
    whole = round(seconds)
    for unit_s, unit, next_s, next_unit in ((DAY_S, "d", HOUR_S, "h"), (HOUR_S, "h", 60, "min"), (60, "min", 1, "s")):
        if whole >= unit_s:
            rest = whole % unit_s // next_s
            return f"{whole // unit_s} {unit}" + (f" {rest} {next_unit}" if rest else "")
    return f"{whole} s"


def age(seconds: float) -> str:
    """Render an age in one unit: 12 s, 47 min, 3 h, 2 d."""
    for unit_s, unit in ((DAY_S, "d"), (HOUR_S, "h"), (MINUTE_S, "min")):
        if seconds >= unit_s:
            return f"{int(seconds // unit_s)} {unit}"
    return f"{max(0, int(seconds))} s"


def left(seconds: float) -> str:
    """Render an estimate: never seconds above two minutes."""
    if seconds < 120:
        return f"{max(1, round(seconds))} s left"
    return f"{duration(round(seconds / 60) * 60)} left"


def size(num_bytes: float) -> str:
    """Render a size: 512 B, 1.4 MiB, 9.1 GiB."""
    for unit in SIZES:
        if num_bytes < 1024 or unit == SIZES[-1]:
            break
        num_bytes /= 1024
    return f"{num_bytes:.0f} {unit}" if unit == "B" or num_bytes >= 100 else f"{num_bytes:.1f} {unit}"


def seconds_of(text: str) -> float:
    """Read `30d`, `12h`, `45min`, `10m` or `90s`. Raises ValueError for anything else."""
    units = {"s": 1, "m": MINUTE_S, "min": MINUTE_S, "h": HOUR_S, "d": DAY_S}
    unit = text.lstrip("0123456789.")
    return float(text.removesuffix(unit)) * units[unit.strip()] if unit.strip() in units else _bad(text)


def since(timestamp: str | None, now: dt.datetime | None = None) -> float:
    """Return the seconds from a wire timestamp until now; 0 where there is none."""
    if timestamp is None:
        return 0.0
    return ((now or dt.datetime.now(dt.UTC)) - moment(timestamp)).total_seconds()


def moment(timestamp: str) -> dt.datetime:
    """Return the moment of a wire timestamp."""
    return dt.datetime.fromisoformat(timestamp)


def clock(timestamp: str) -> str:
    """Render a wire timestamp as the local time of day."""
    return moment(timestamp).astimezone().strftime("%H:%M:%S")


def short(operation_id: str) -> str:
    """Return the ending of an id, which every command understands."""
    return operation_id[-SHORT_ID:]


def plural(count: int, word: str) -> str:
    """Render a count with its noun: 1 trial, 12 trials."""
    return f"{count:,} {word}{'' if count == 1 else 's'}"


def _bad(text: str) -> float:
    raise ValueError(f"a time span has the form 30d, 12h, 45min or 90s; got {text!r}")

"""H005: no step for five times the median interval (a minute at the least), or no heartbeat."""

from __future__ import annotations

import pytest

from tutelage.analysis.checks.h005_stalled import stalled


@pytest.mark.parametrize(
    ("why", "silent_s", "interval_s", "heartbeat_s", "outcome"),
    [
        ("it does not train", None, 1.0, 1.0, "not_applicable"),
        ("in step", 3.0, 2.0, 1.0, "passed"),
        ("long steps", 400.0, 100.0, 1.0, "passed"),
        ("five of its intervals", 501.0, 100.0, 1.0, "issue"),
        ("short steps, half a minute of saving", 30.0, 0.01, 1.0, "passed"),
        ("short steps, over a minute", 61.0, 0.01, 1.0, "issue"),
        ("its pace is not known", 3600.0, None, 1.0, "passed"),
        ("no sign of life", 100.0, 100.0, 90.0, "issue"),
        ("steps, but no samples of the system", 1.0, 1.0, 90.0, "passed"),
    ],
)
def test_it_is_raised_as_defined(
    why: str, silent_s: float | None, interval_s: float | None, heartbeat_s: float | None, outcome: str
) -> None:
    found = stalled(silent_s=silent_s, interval_s=interval_s, heartbeat_s=heartbeat_s, last_step=7)
    assert found.outcome == outcome, why
    assert found.since_step == (7 if outcome == "issue" else None)

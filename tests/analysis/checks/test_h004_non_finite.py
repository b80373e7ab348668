"""H004: a NaN or infinity in any metric of the scope, at once and for good."""

from __future__ import annotations

import pytest
from tests.analysis.curves import INF, NAN, Points

from tutelage.analysis import Scope, assess

TABLE = [
    ("nothing reported", {}, "not_applicable", None),
    ("finite", {"loss": [(1, 1.0), (2, 2.0)]}, "passed", None),
    ("a NaN", {"loss": [(1, 1.0), (2, NAN), (3, 1.0)]}, "issue", 2),
    ("an infinity", {"loss": [(1, -INF)]}, "issue", 1),
    ("the earliest of several", {"a": [(5, NAN)], "b": [(3, INF)]}, "issue", 3),
]


@pytest.mark.parametrize(("why", "curves", "outcome", "since"), TABLE, ids=[row[0] for row in TABLE])
def test_it_is_raised_as_defined(why: str, curves: dict[str, Points], outcome: str, since: int | None) -> None:
    found = next(item for item in assess(Scope(), curves).findings if item.code == "H004")
    assert (found.outcome, found.since_step) == (outcome, since)

"""Who starts next, as a table."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tutelage.control.queue import Candidate, Slots, admit, check_possible
from tutelage.core.errors import InvalidSpec
from tutelage.core.spec import Resources

MACHINE = Slots(cpus=4, gpus=1, memory_gib=16)


def wants(name: str, owner: str = "a", **resources: float) -> Candidate:
    return Candidate(id=name, owner=owner, resources=Resources(**{"memory_gib": 1, **resources}))


@pytest.mark.parametrize(
    ("why", "waiting", "running", "started"),
    [
        ("the oldest first", [wants("2"), wants("1")], [], ["1", "2"]),
        ("no more than the slots", [wants("1", cpus=3), wants("2", cpus=3)], [], ["1"]),
        ("a smaller one may pass one that does not fit", [wants("1", cpus=3), wants("2")], [wants("0", cpus=2)], ["2"]),
        ("priority before age", [wants("1", cpus=4), wants("2", cpus=4, priority=1)], [], ["2"]),
        ("the least served owner before age", [wants("1", "a"), wants("2", "b")], [wants("0", "a", cpus=3)], ["2"]),
        (
            "fair within one admission",
            [wants("1", cpus=2), wants("2", cpus=2), wants("3", "b", cpus=2)],
            [],
            ["1", "3"],
        ),
        ("memory is a slot", [wants("1", memory_gib=10), wants("2", memory_gib=10)], [], ["1"]),
        ("a GPU is a slot", [wants("1", gpus=1), wants("2", gpus=1)], [], ["1"]),
    ],
)
def test_who_starts(why: str, waiting: list[Candidate], running: list[Candidate], started: list[str]) -> None:
    assert admit(waiting, running, MACHINE) == started, why


@given(st.lists(st.tuples(st.integers(1, 6), st.floats(0.1, 20), st.sampled_from("abc")), max_size=12))
def test_nothing_is_ever_handed_out_twice(asked: list[tuple[int, float, str]]) -> None:
    waiting = [wants(str(i), owner, cpus=cpus, memory_gib=gib) for i, (cpus, gib, owner) in enumerate(asked)]
    started = [item for item in waiting if item.id in admit(waiting, [], MACHINE)]
    assert sum(item.resources.cpus for item in started) <= MACHINE.cpus
    assert sum(item.resources.memory_gib for item in started) <= MACHINE.memory_gib


@pytest.mark.parametrize("resources", [{"cpus": 5}, {"gpus": 2}, {"memory_gib": 17}])
def test_what_the_machine_never_has_is_refused_at_once(resources: dict[str, int]) -> None:
    with pytest.raises(InvalidSpec, match=next(iter(resources))):
        check_possible(Resources(**resources), MACHINE)

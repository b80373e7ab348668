"""Who starts next: admission by declared slots, then priority, least-served owner, age. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tutelage.core.errors import InvalidSpec
from tutelage.core.spec import Resources


@dataclass(frozen=True, kw_only=True)
class Slots:
    """What a machine has, or what is left of it."""

    cpus: int
    gpus: int
    memory_gib: float

    def without(self, used: Resources) -> Slots:
        """Return what is left when `used` is taken."""
        return Slots(
            cpus=self.cpus - used.cpus, gpus=self.gpus - used.gpus, memory_gib=self.memory_gib - used.memory_gib
        )

    def fits(self, wanted: Resources) -> bool:
        """Tell whether `wanted` can be taken."""
        return self.cpus >= wanted.cpus and self.gpus >= wanted.gpus and self.memory_gib >= wanted.memory_gib


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """An operation that waits for a slot, or holds one."""

    id: str
    owner: str
    resources: Resources


def admit(waiting: Sequence[Candidate], running: Sequence[Candidate], machine: Slots) -> list[str]:
    """Return the ids to start now, in order.

    Highest priority first, then the owner who holds the fewest CPU slots, then the oldest (ids sort by time).
    An operation that does not fit does not hold back a smaller one behind it.
    """
    free = machine
    for candidate in running:
        free = free.without(candidate.resources)
    held = _held_cpus(running)
    left, started = list(waiting), []
    while left:
        left.sort(key=lambda item: (-item.resources.priority, held.get(item.owner, 0), item.id))
        fitting = next((item for item in left if free.fits(item.resources)), None)
        if fitting is None:
            break
        left.remove(fitting)
        free = free.without(fitting.resources)
        held = {**held, fitting.owner: held.get(fitting.owner, 0) + fitting.resources.cpus}
        started.append(fitting.id)
    return started


def check_possible(wanted: Resources, machine: Slots) -> None:
    """Raise InvalidSpec when the machine could never run this."""
    for name in ("cpus", "gpus", "memory_gib"):
        asked, has = getattr(wanted, name), getattr(machine, name)
        if asked > has:
            raise InvalidSpec(
                f"resources.{name} is {asked:g}, but this machine hands out {has:g}",
                hint=f"ask for at most {has:g}, or raise TUTELAGE_{name.upper()} if the machine has more",
            )


def _held_cpus(running: Sequence[Candidate]) -> Mapping[str, int]:
    held: dict[str, int] = {}
    for candidate in running:
        held[candidate.owner] = held.get(candidate.owner, 0) + candidate.resources.cpus
    return held

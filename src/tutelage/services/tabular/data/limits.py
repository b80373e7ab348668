"""How much memory the reading of a source may take: an estimate before, a hard limit while it is read."""

from __future__ import annotations

import contextlib
import resource
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tutelage.core.errors import MemoryLimit

GIB = 2**30
DEFAULT_GIB = 4.0
RESERVED_GIB = 2.0
"""What an address space needs beyond the memory used: allocators and threads reserve more than they fill. Helper
processes are bounded by the worker with the same allowance."""

READ_SHARE = 0.5
"""Share of an operation's memory that a table may fill: the typed copy and the fits need the rest."""


@dataclass(frozen=True, kw_only=True)
class Budget:
    """The memory of an operation, GiB."""

    memory_gib: float

    @property
    def table_bytes(self) -> float:
        """What a table may fill."""
        return self.memory_gib * READ_SHARE * GIB

    def check(self, estimate_bytes: float, what: str) -> None:
        """Raise MemoryLimit where a table would need more than it may."""
        if estimate_bytes > self.table_bytes:
            raise MemoryLimit(
                f"{what} would need about {estimate_bytes / GIB:.1f} GiB of memory, and a table may take "
                f"{READ_SHARE:.0%} of the {self.memory_gib:g} GiB there are",
                hint="raise resources.memory_gib, or give fewer rows or columns",
            )

    @contextlib.contextmanager
    def enforced(self, what: str) -> Iterator[None]:
        """Bound the address space meanwhile, so that what no estimate foresees ends in an error."""
        soft, hard = resource.getrlimit(resource.RLIMIT_AS)
        bound = _address_space() + int((self.memory_gib + RESERVED_GIB) * GIB)
        kept = bound if soft == resource.RLIM_INFINITY else min(soft, bound)
        resource.setrlimit(resource.RLIMIT_AS, (kept, hard))
        try:
            yield
        except MemoryError as error:
            raise MemoryLimit(
                f"{what} needs more than the {self.memory_gib:g} GiB of memory there are",
                hint="raise resources.memory_gib, or give fewer rows or columns",
            ) from error
        finally:
            resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def helper_budget() -> Budget:
    """Return the budget of a process that looks at data or uses a model: what its address space was bounded to."""
    soft, _ = resource.getrlimit(resource.RLIMIT_AS)
    if soft == resource.RLIM_INFINITY:
        return Budget(memory_gib=DEFAULT_GIB)
    return Budget(memory_gib=max(0.25, soft / GIB - RESERVED_GIB))


def _address_space() -> int:
    """Return this process's address space in bytes, or a bound without meaning where the system does not say."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[0])
    except (OSError, ValueError):
        return 64 * GIB
    return pages * resource.getpagesize()

"""The supervisor's figures for Prometheus."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Gauge, generate_latest

from tutelage.core.operation import State
from tutelage.core.ports import Platform


def exposition(platform: Platform) -> str:
    """Return operations by state, workers alive, memory and uptime in Prometheus' text format."""
    registry = CollectorRegistry()
    health = platform.health()
    by_state = Gauge("tutelage_operations", "Operations by state", ["state"], registry=registry)
    counts = platform.operations(limit=1).counts
    for state in State:
        by_state.labels(state=str(state)).set(counts.get(str(state), 0))
    for name, about, value in (
        ("tutelage_workers_alive", "Live workers", health.live),
        ("tutelage_operations_queued", "Operations that wait for a slot", health.queued),
        ("tutelage_supervisor_rss_bytes", "Resident memory of the supervisor", health.rss_mib * 2**20),
        ("tutelage_supervisor_uptime_seconds", "Age of the supervisor", health.uptime_s),
    ):
        Gauge(name, about, registry=registry).set(value)
    return generate_latest(registry).decode()

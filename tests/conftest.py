"""What holds for every test: no trace of the developer's own home, and no skip that hides a missing component."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import end_processes

os.environ.update(OMP_NUM_THREADS="1", OMP_WAIT_POLICY="PASSIVE")  # as workers have it: spinning threads cost 25x

OWN = ("TUTELAGE_HOME", "TUTELAGE_URL", "TUTELAGE_TOKEN", "TUTELAGE_SERVICES", "TUTELAGE_IDLE_S")
FAKE = json.dumps({"fake": "tutelage.testing.fake:SERVICE"})
IN_CI = os.environ.get("CI", "").lower() in ("1", "true")


def _has_shared_data() -> bool:
    named = os.environ.get("TUTELAGE_TEST_DATA")
    return bool(named) and Path(str(named)).is_dir()


def _has_gpu() -> bool:
    return Path("/dev/nvidiactl").exists()


MAY_BE_ABSENT = {
    "needs_shared_data": (_has_shared_data, "TUTELAGE_TEST_DATA names no folder of real tables"),
    "needs_gpu": (_has_gpu, "this machine has no accelerator"),
}
"""Marker -> whether what it needs is here, and the reason of the skip where it is not."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what this machine cannot run, with the reason; put files with many slow tests first.

    Two processes take whole files: a long one that begins last keeps one of them idle.
    """
    num_slow = Counter(item.path for item in items if item.get_closest_marker("slow"))
    items.sort(key=lambda item: -num_slow[item.path])
    for marker, (is_there, reason) in MAY_BE_ABSENT.items():
        if is_there():
            continue
        for item in items:
            if item.get_closest_marker(marker):
                item.add_marker(pytest.mark.skip(reason=reason))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """In CI, count a skip as a failure unless its marker names something that may be absent, and it is."""
    report: pytest.TestReport = yield
    allowed = any(item.get_closest_marker(name) and not is_there() for name, (is_there, _) in MAY_BE_ABSENT.items())
    if IN_CI and report.skipped and not allowed and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"a skip fails in CI: {_reason(report)}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Iterator[None]:
    """In CI, a module that skips itself fails too."""
    report: pytest.CollectReport = yield
    if IN_CI and report.skipped:
        report.outcome = "failed"
        report.longrepr = f"a skip fails in CI: {_reason(report)}"
    return report


def _reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    return str(report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr)


@pytest.fixture(scope="session", autouse=True)
def _apart(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the developer's own home and settings out of every test."""
    with pytest.MonkeyPatch.context() as patch:
        for name in OWN:
            patch.delenv(name, raising=False)
        patch.setenv("TUTELAGE_HOME", str(tmp_path_factory.mktemp("nobodys") / ".tutelage"))
        yield


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home of its own with the fake service; whatever a test starts in it ends with it."""
    folder = tmp_path / ".tutelage"
    monkeypatch.setenv("TUTELAGE_HOME", str(folder))
    monkeypatch.setenv("TUTELAGE_SERVICES", FAKE)
    monkeypatch.setenv("TUTELAGE_IDLE_S", "5")
    yield folder
    end_processes(folder)

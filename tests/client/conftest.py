from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Repeats come at once: nothing here waits for a real supervisor."""
    monkeypatch.setattr("tutelage.client.calls.PAUSE_S", 0)
    monkeypatch.setattr("tutelage.client.client.PAUSE_S", 0)

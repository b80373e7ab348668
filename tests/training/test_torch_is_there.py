"""Says why the tests of the training layer are not there, where they are not."""

from __future__ import annotations

import pytest


def test_the_training_layer_can_be_tested() -> None:
    assert pytest.importorskip("torch")

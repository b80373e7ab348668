"""The training layer's names, metrics and tunables: there without torch, and helpful about mistakes."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from tutelage.core.errors import InvalidSpec, UnknownName
from tutelage.core.training import (
    OPTIMIZERS,
    SCHEDULES,
    VOLATILE,
    check_optimizer,
    check_schedule,
    training_metrics,
    training_tunables,
)


def test_they_are_there_without_any_library() -> None:
    code = "import sys, tutelage.core.training; print({'torch', 'numpy'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


@pytest.mark.parametrize("name", sorted(OPTIMIZERS))
def test_every_optimizer_takes_its_own_keys(name: str) -> None:
    assert check_optimizer({"name": name, "lr": 1e-3, **dict.fromkeys(OPTIMIZERS[name], 0)}) == name


@pytest.mark.parametrize("name", sorted(SCHEDULES))
def test_every_schedule_takes_its_own_keys_and_a_warmup(name: str) -> None:
    assert check_schedule({"name": name, "warmup_steps": 5, **dict.fromkeys(SCHEDULES[name], 0)}) == name


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ({"name": "adan"}, "unknown optimizer 'adan'. Did you mean 'adam'"),
        ({"name": "adam", "beta": 0.9}, "unknown key of optimizer 'adam' 'beta'. Did you mean 'betas'"),
        ({"lr": 0.1}, "the optimizer has no name"),
        ({"name": 3}, "the optimizer has no name"),
    ],
)
def test_a_mistake_is_answered_with_what_is_near(config: dict[str, Any], says: str) -> None:
    with pytest.raises((UnknownName, InvalidSpec), match=says) as caught:
        check_optimizer(config)
    assert "allowed" in caught.value.hint


def test_the_glossary_names_what_the_plan_counts() -> None:
    names = [metric.name for metric in training_metrics(item="token")]
    assert "tokens_per_s" in names
    assert len(names) == len(set(names))
    assert set(names) & VOLATILE == {"tokens_per_s", "step_s", "peak_memory_mib"}


def test_a_service_tunes_by_its_own_names() -> None:
    names = [tunable.name for tunable in training_tunables({"learning_rate": "lr", "steps": "max_steps"})]
    assert names[:3] == ["learning_rate", "weight_decay", "steps"]

"""Several ranks by torchrun over gloo: they are one training, and go on bit for bit."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from tests.training.conftest import ROOT
from tests.training.runs import answers, curve

SCRIPT = Path(__file__).with_name("ranks.py")
TORCHRUN = ["-m", "torch.distributed.run", "--standalone", "--max-restarts", "0", "--nproc-per-node"]


def train(folder: Path, *, ranks: int, max_steps: int, accumulate: int, dropout: float) -> dict[str, torch.Tensor]:
    folder.mkdir(exist_ok=True)
    environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}", "OMP_NUM_THREADS": "1"}
    arguments = [str(SCRIPT), str(folder), str(max_steps), str(accumulate), str(dropout)]
    program = [sys.executable, *([*TORCHRUN, str(ranks)] if ranks > 1 else []), *arguments]
    done = subprocess.run(program, env=environment, cwd=ROOT, capture_output=True, text=True, check=False, timeout=280)
    assert done.returncode == 0, done.stderr[-3000:]
    weights: dict[str, torch.Tensor] = torch.load(folder / f"weights-{max_steps}.pt", weights_only=True)
    return weights


@pytest.mark.slow  # starts torch in four processes: 20 s
def test_two_ranks_are_one_to_five_digits_with_batches_of_uneven_size(tmp_path: Path) -> None:
    one = train(tmp_path / "one", ranks=1, max_steps=8, accumulate=4, dropout=0.0)
    two = train(tmp_path / "two", ranks=2, max_steps=8, accumulate=2, dropout=0.0)
    for name in ("train_loss", "val_loss", "grad_norm", "filtered_grad_norm", "train_accuracy"):
        expected = curve(tmp_path / "one", name)
        assert expected
        assert curve(tmp_path / "two", name) == pytest.approx(expected, abs=1e-5)
    torch.testing.assert_close(two, one, rtol=0, atol=1e-5)
    assert answers(tmp_path / "two") == [("tune", "applied", 0)]
    assert set(curve(tmp_path / "two", "lr").values()) == {0.02}


@pytest.mark.slow  # starts torch in six processes: 30 s
def test_two_ranks_go_on_bit_for_bit_with_a_random_state_each(tmp_path: Path) -> None:
    calm = train(tmp_path / "calm", ranks=2, max_steps=8, accumulate=2, dropout=0.3)
    train(tmp_path / "halted", ranks=2, max_steps=4, accumulate=2, dropout=0.3)
    resumed = train(tmp_path / "halted", ranks=2, max_steps=8, accumulate=2, dropout=0.3)
    assert all(torch.equal(resumed[name], calm[name]) for name in calm)

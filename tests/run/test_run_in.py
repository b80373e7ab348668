"""A run without a supervisor: entered again it goes on."""

from __future__ import annotations

from pathlib import Path

from tutelage.run import run_in


def test_entered_again_it_goes_on_from_its_newest_checkpoint(tmp_path: Path) -> None:
    with run_in(tmp_path / "own", seed=7) as run:
        assert (run.attempt, run.seed, run.resume()) == (1, 7, None)
        run.metric(1, loss=2.0)
        run.checkpoint(1, lambda folder: (folder / "state").write_text("one") and None)
    with run_in(tmp_path / "own") as run:
        assert run.attempt == 2
        assert (run.resume() / "state").read_text() == "one"
    assert len(list((tmp_path / "own" / "events").iterdir())) == 2

"""Checkpoints: whole or not at all, whatever fails and whenever."""

from __future__ import annotations

import errno
import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from tutelage.run.checkpoints import CheckpointFolder


def saving(text: str):
    def save(folder: Path) -> None:
        (folder / "weights.bin").write_text(text)
        (folder / "inner").mkdir()
        (folder / "inner" / "state.json").write_text(text * 2)

    return save


def write(folder: CheckpointFolder, step: int, **metrics: float) -> None:
    folder.write(step, saving(f"weights {step}"), attempt=1, metrics=metrics)


def newest_text(folder: CheckpointFolder) -> str | None:
    found = folder.newest_valid()
    return (found.path / "weights.bin").read_text() if found else None


def test_the_newest_two_and_the_best_are_kept(tmp_path: Path) -> None:
    folder = CheckpointFolder(tmp_path)
    for step, loss in ((1, 3.0), (2, 1.0), (3, 2.0), (4, 2.5), (5, 2.6)):
        write(folder, step, val_loss=loss)
        folder.rotate(objective="val_loss", direction="minimize")
    assert [item.step for item in folder.list()] == [2, 4, 5]


class FailingCall:
    """Passes calls on, and says at the n-th that the disk is full."""

    def __init__(self, real: Callable[..., object], nth: int) -> None:
        self._real, self._nth, self.calls = real, nth, 0

    def __call__(self, *args: object, **kwargs: object) -> object:
        self.calls += 1
        if self.calls == self._nth:
            raise OSError(errno.ENOSPC, "No space left on device")
        return self._real(*args, **kwargs)


@pytest.mark.parametrize("operation", ["fsync", "rename", "open"])
def test_a_failure_at_any_point_leaves_a_valid_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, operation: str
) -> None:
    """Fail the n-th call for every n, until a write gets through without reaching it."""
    real = getattr(os, operation)
    for nth in range(1, 50):
        folder = CheckpointFolder(tmp_path / f"{nth}")
        write(folder, 1)
        failing = FailingCall(real, nth)
        monkeypatch.setattr(os, operation, failing)
        try:
            write(folder, 2)
            survived = True
        except OSError:
            survived = False
        monkeypatch.setattr(os, operation, real)
        assert newest_text(folder) in ({"weights 2"} if survived else {"weights 1", "weights 2"})
        if failing.calls < nth:
            return
    pytest.fail("the write never got through")


def test_writing_a_step_again_replaces_it_even_when_cut_in_two(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = CheckpointFolder(tmp_path)
    folder.write(5, saving("old"), attempt=1, metrics={})
    real, renames = os.rename, 0

    def dying(source: object, target: object) -> None:
        nonlocal renames
        renames += 1
        if renames == 2:
            raise KeyboardInterrupt
        real(source, target)

    monkeypatch.setattr(os, "rename", dying)
    with pytest.raises(KeyboardInterrupt):
        folder.write(5, saving("new"), attempt=2, metrics={})
    monkeypatch.setattr(os, "rename", real)
    assert newest_text(folder) == "old"
    folder.write(5, saving("new"), attempt=2, metrics={})
    assert newest_text(folder) == "new"


def test_every_flipped_bit_is_noticed_and_the_one_before_is_used(tmp_path: Path) -> None:
    draw = random.Random(0)
    for number in range(100):
        warnings: list[str] = []
        folder = CheckpointFolder(tmp_path / str(number), warn=warnings.append)
        write(folder, 1)
        write(folder, 2)
        files = sorted(path for path in (tmp_path / str(number) / "2").rglob("*") if path.is_file())
        victim = draw.choice([path for path in files if path.name != "manifest.json"])
        content = bytearray(victim.read_bytes())
        content[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
        victim.write_bytes(content)
        assert newest_text(folder) == "weights 1"
        assert "damaged" in warnings[0]


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b"{}", b'{"files": {}}'])
def test_a_damaged_manifest_is_named_and_the_one_before_is_used(tmp_path: Path, damage: bytes) -> None:
    warnings: list[str] = []
    folder = CheckpointFolder(tmp_path, warn=warnings.append)
    write(folder, 1)
    write(folder, 2)
    (tmp_path / "2" / "manifest.json").write_bytes(damage)
    assert newest_text(folder) == "weights 1"
    assert warnings

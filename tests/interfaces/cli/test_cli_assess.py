"""`tutelage assess`: a verdict on the curves of a file, without a home and without a supervisor."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from cli_support import Cli
from tests.analysis.curves import Points, falling, turning

from tutelage.interfaces.cli.plot import plot


def csv_of(path: Path, **curves: Points) -> Path:
    rows = [dict(points) for points in curves.values()]
    lines = [f"{step},{','.join(str(row[step]) for row in rows)}" for step in rows[0]]
    path.write_text("\n".join([f"epoch,{','.join(curves)}", *lines]))
    return path


def test_a_curve_that_overfits_exits_with_3_and_says_why(cli: Cli, tmp_path: Path, home: Path) -> None:
    ran = cli("assess", str(csv_of(tmp_path / "log.csv", train_loss=falling(80), val_loss=turning(80))))
    assert ran.code == 3
    assert "▲ overfitting" in ran.out
    assert "while train_loss does not get worse" in ran.out
    assert "Recommended: stop" in ran.out
    assert any("⠀" <= sign <= "⣿" for sign in ran.out), "a picture of it"
    assert not home.exists(), "nothing of a home is needed"


def test_a_healthy_curve_exits_with_0_and_is_answered_as_json(cli: Cli, tmp_path: Path) -> None:
    path = csv_of(tmp_path / "log.csv", val_loss=falling(80))
    ran = cli("assess", str(path), "--json", "--target", "0.5")
    assert ran.code == 0
    document = ran.json()
    assert document["metric"] == "val_loss"
    assert document["best"]["step"] == 80
    assert document["assessment"]["verdict"] == "improving"
    assert document["target"]["step"] > 80


def test_other_names_are_given_a_direction_a_twin_and_a_role(cli: Cli, tmp_path: Path) -> None:
    val = [(step, -value) for step, value in turning(80)]
    train = [(step, -value) for step, value in falling(80)]
    path = csv_of(tmp_path / "log.csv", acc=train, acc_held=val, rate=[(step, 0.1) for step, _ in val])
    assert cli("assess", str(path)).code == 2
    arguments = ["-d", "acc_held=maximize", "--pair", "acc_held=acc", "--role", "rate=learning_rate"]
    ran = cli("assess", str(path), *arguments, "--baseline", "acc_held=-3", "--json")
    assert ran.code == 3
    found = ran.json()["assessment"]
    assert found["verdict"] == "overfitting"
    assert {item["code"]: item["outcome"] for item in found["findings"]}["H008"] != "not_applicable"


def test_a_folder_of_runs_is_answered_run_by_run(cli: Cli, tmp_path: Path) -> None:
    for run, points in (("a", falling(40)), ("b", turning(40))):
        metrics = tmp_path / "mlruns" / "0" / run / "metrics"
        metrics.mkdir(parents=True)
        (metrics.parent / "meta.yaml").write_text("")
        (metrics / "val_loss").write_text("".join(f"0 {value} {step}\n" for step, value in points))
    ran = cli("assess", str(tmp_path / "mlruns"), "--json")
    assert ran.code == 3
    assert [item["assessment"]["verdict"] for item in ran.json()["runs"]] == ["improving", "overfitting"]
    assert "mlruns/0/a" in cli("assess", str(tmp_path / "mlruns")).out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["none.csv"], "there is nothing at"),
        (["log.csv", "-d", "val_loss"], "takes NAME=VALUE"),
        (["log.csv", "--baseline", "val_loss=low"], "takes a number"),
        (["log.csv", "-m", "val_los"], "Did you mean 'val_loss'"),
    ],
)
def test_what_cannot_be_judged_exits_with_2(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], says: str
) -> None:
    csv_of(tmp_path / "log.csv", val_loss=falling(20))
    monkeypatch.chdir(tmp_path)
    ran = cli("assess", *arguments)
    assert ran.code == 2
    assert says in " ".join(ran.err.split())


def test_the_picture_has_its_range_its_steps_and_the_marked_one() -> None:
    drawn = plot([[(step, float(step)) for step in range(1, 101)]], width=40, height=4, marked=50)
    assert len(drawn) == 5
    assert drawn[0].split()[0] == "97"
    assert drawn[-1].split() == ["1", "^50", "100"]
    assert {len(line) for line in drawn} == {51}


def test_points_far_apart_are_joined() -> None:
    drawn = plot([[(1, 0.0), (34, 0.3), (67, 0.6), (100, 0.9)]], width=40, height=4)
    assert all(any(sign != "\N{BRAILLE PATTERN BLANK}" for sign in line[11:]) for line in drawn[:4])


def test_a_picture_of_nothing_finite_is_empty_and_of_anything_is_drawn() -> None:
    assert plot([[(1, math.nan)]], width=10, height=3) == []
    assert plot([[(1, 1.0)]], width=10, height=3)
    assert plot([[(1, -1e308), (2, 1e308), (3, math.inf)]], width=10, height=3)


def test_the_json_is_valid_with_a_nan_in_the_curve(cli: Cli, tmp_path: Path) -> None:
    path = csv_of(tmp_path / "log.csv", val_loss=[*falling(20), (21, math.nan)])
    ran = cli("assess", str(path), "--json")
    assert ran.code == 3
    assert json.loads(ran.out)["assessment"]["evidence"][0]["value"] == "nan"

"""Curves are read from what trainings leave behind: CSV, JSON lines, TensorBoard events, MLflow's file store."""

from __future__ import annotations

import base64
import json
import math
import os
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from tutelage.analysis.readers import read_curves
from tutelage.analysis.readers.tensorboard import masked_crc32c
from tutelage.core.errors import DamagedFile, InvalidSpec, NotFound


def only(path: Path) -> dict[str, list[tuple[int, float]]]:
    (run,) = read_curves(path)
    return dict(run.curves)


def test_a_csv_has_a_column_for_each_metric(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("Epoch,val_loss,note,time\n1,0.5,fine,12\n2,,late,13\n3,nan,,14\n")
    curves = only(path)
    assert curves.keys() == {"val_loss"}
    assert curves["val_loss"][0] == (1, 0.5)
    assert math.isnan(curves["val_loss"][1][1])


def test_a_csv_may_have_a_row_for_each_value(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("metric,step,value\nloss,1,0.5\nacc,1,0.7\nloss,2,0.4\n")
    assert only(path) == {"loss": [(1, 0.5), (2, 0.4)], "acc": [(1, 0.7)]}


def test_json_lines_have_both_shapes(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    rows = [{"step": 1, "loss": 0.5, "lr": None}, {"step": 2, "loss": "inf"}, {"step": 3, "name": "loss", "value": 2}]
    path.write_text("\n".join(map(json.dumps, rows)) + "\n\n")
    assert only(path)["loss"] == [(1, 0.5), (2, math.inf), (3, 2.0)]
    path.write_text(json.dumps(rows))
    assert only(path)["loss"] == [(1, 0.5), (2, math.inf), (3, 2.0)]


def test_an_mlruns_folder_holds_several_runs(tmp_path: Path) -> None:
    for run in ("a", "b"):
        metrics = tmp_path / "mlruns" / "0" / run / "metrics"
        (metrics / "val").mkdir(parents=True)
        (metrics.parent / "meta.yaml").write_text("run_id: x\n")
        (metrics / "val" / "loss").write_text("1700000000000 0.5 1\n1700000000001 0.4 2\n")
    trashed = tmp_path / "mlruns" / ".trash" / "c" / "metrics"
    trashed.mkdir(parents=True)
    (trashed.parent / "meta.yaml").write_text("")
    found = read_curves(tmp_path / "mlruns")
    assert [Path(run.source).name for run in found] == ["a", "b"]
    assert found[0].curves == {"val/loss": [(1, 0.5), (2, 0.4)]}


def varint(value: int) -> bytes:
    out = b""
    while value > 0x7F:
        out, value = out + bytes([value & 0x7F | 0x80]), value >> 7
    return out + bytes([value])


def field(number: int, data: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(data)) + data


def framed(body: bytes) -> bytes:
    length = struct.pack("<Q", len(body))
    return b"".join(part + struct.pack("<I", masked_crc32c(part)) for part in (length, body))


def event(step: int, value: bytes) -> bytes:
    return framed(b"\x09" + struct.pack("<d", 1.7e9) + b"\x10" + varint(step) + field(5, field(1, value)))


def simple(tag: str, value: float) -> bytes:
    return field(1, tag.encode()) + b"\x15" + struct.pack("<f", value)


def tensor(tag: str, value: float) -> bytes:
    return field(1, tag.encode()) + field(8, b"\x08\x01" + field(2, b"") + field(4, struct.pack("<f", value)))


def test_tensorboard_scalars_of_both_versions_are_read(tmp_path: Path) -> None:
    path = tmp_path / "events.out.tfevents.1700000000.host"
    path.write_bytes(event(1, simple("loss", 0.5)) + event(300, tensor("loss", 0.25)) + event(2, field(1, b"text")))
    assert only(path) == {"loss": [(1, 0.5), (300, 0.25)]}
    assert only(tmp_path) == {"loss": [(1, 0.5), (300, 0.25)]}


BY_TENSORBOARD = """
SAAAAAAAAAD+kkidCUFsU6VXwNpBGg1icmFpbi5FdmVudDoyUi4KLHRlbnNvcmJvYXJkLnN1bW1hcnkud3JpdGVyLmV2ZW50X2ZpbGVfd3JpdGVyTGs/
kDIAAAAAAAAAJBlW7AkAAABA/FTZQRAKKiUKIwoIdmFsX2xvc3NCCggBEgAqBAAAAD9KCwoJCgdzY2FsYXJzcweDqjMAAAAAAAAADKcgVgkAAABA/FTZ
QRCsAiolCiMKCHZhbF9sb3NzQgoIARIAKgQAAIA+SgsKCQoHc2NhbGFyc/y3Dok=
"""
"""Written by TensorBoard 2.21.0: val_loss 0.5 at step 10 and 0.25 at step 300."""

BY_TENSORBOARDX = """
GAAAAAAAAACjf0siCfB5A51XwNpBGg1icmFpbi5FdmVudDoyKwbkeRoAAAAAAAAAEpvYLQn1bgOdV8DaQRADKg0KCwoEYm90aBUAAIA/8aUjrw==
"""
"""Written by tensorboardX 2.6.5: both 1.0 at step 3."""


@pytest.mark.parametrize(
    ("written", "curves"),
    [(BY_TENSORBOARD, {"val_loss": [(10, 0.5), (300, 0.25)]}), (BY_TENSORBOARDX, {"both": [(3, 1.0)]})],
)
def test_what_the_libraries_themselves_wrote_is_read(
    tmp_path: Path, written: str, curves: dict[str, list[tuple[int, float]]]
) -> None:
    path = tmp_path / "events.out.tfevents.1"
    path.write_bytes(base64.b64decode(written))
    assert only(path) == curves


@pytest.mark.parametrize("at", [0, 9, 15, 40, 80])
def test_a_changed_byte_of_an_event_file_is_told_with_its_place(tmp_path: Path, at: int) -> None:
    """A byte of a length, of its checksum, of a message; of the first record, and of the second."""
    whole = event(1, simple("loss", 0.5)) + event(2, simple("loss", 0.4))
    path = tmp_path / "events.out.tfevents.1"
    path.write_bytes(whole[:at] + bytes([whole[at] ^ 4]) + whole[at + 1 :])
    first = len(event(1, simple("loss", 0.5)))
    with pytest.raises(DamagedFile, match="no event file" if at < first else f"the record at byte {first}"):
        read_curves(path)


def test_the_checksum_is_crc_32c_masked() -> None:
    assert (masked_crc32c(b"123456789") - 0xA282EAD8) & 0xFFFFFFFF == (0xE3069283 >> 15 | 0xE3069283 << 17) & 0xFFFFFFFF


@pytest.mark.slow  # imports MLflow, which makes its database by migrations
@pytest.mark.parametrize("kind", ["mlruns", "mlflow.db"])
def test_what_mlflow_itself_wrote_is_read(tmp_path: Path, kind: str) -> None:
    address = f"sqlite:///{tmp_path / kind}" if kind == "mlflow.db" else (tmp_path / kind).as_uri()
    script = (
        "import sys; from mlflow import MlflowClient; client = MlflowClient(sys.argv[1]); "
        "made = [client.create_run(client.create_experiment('curves'), run_name='one').info.run_id]; "
        "[client.log_metric(made[0], 'val/loss', value, step=step) for step, value in "
        "[(1, 0.5), (2, 0.25), (3, float('nan')), (4, float('-inf'))]]"
    )
    environment = {**os.environ, "MLFLOW_ALLOW_FILE_STORE": "true"}
    subprocess.run([sys.executable, "-c", script, address], env=environment, cwd=tmp_path, check=True, timeout=120)
    curve = only(tmp_path / kind)["val/loss"]
    assert curve[:2] == [(1, 0.5), (2, 0.25)]
    assert math.isnan(curve[2][1])
    assert curve[3] == (4, -math.inf)


def test_a_folder_of_artifacts_alone_says_where_the_metrics_are(tmp_path: Path) -> None:
    (tmp_path / "mlruns" / "0" / "a" / "artifacts").mkdir(parents=True)
    (tmp_path / "mlflow.db").write_bytes(b"")
    with pytest.raises(InvalidSpec, match="holds no curves") as refused:
        read_curves(tmp_path / "mlruns")
    assert "mlflow.db" in refused.value.hint


def test_an_event_file_cut_off_by_a_crash_gives_what_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "events.out.tfevents.1"
    path.write_bytes(event(1, simple("loss", 0.5)) + event(2, simple("loss", 0.4))[:-7])
    assert only(path) == {"loss": [(1, 0.5)]}


@pytest.mark.parametrize(
    ("name", "content", "kind", "says"),
    [
        ("log.txt", b"x", InvalidSpec, "cannot be told from its name"),
        ("log.csv", b"", DamagedFile, "is empty"),
        ("log.csv", b"loss,acc\n1,2\n", InvalidSpec, "no column of steps"),
        ("log.csv", b"step,loss\n", InvalidSpec, "holds no curves"),
        ("log.csv", b"step,loss\n1,0.5\n2,\xe9\n", DamagedFile, "log.csv is no text in UTF-8"),
        ("log.jsonl", b"\xff\xfe{", DamagedFile, "log.jsonl is no text in UTF-8"),
        ("log.jsonl", b"{'a': 1}\n", DamagedFile, "line 1 of log.jsonl is not JSON"),
        ("x.tfevents.1", framed(b"\xff\xff\xff"), DamagedFile, "no event file"),
        ("x.tfevents.1", b"step,loss\n1,0.5\n2,0.4\n", DamagedFile, "no event file"),
        ("x.db", b"step,loss\n1,0.5\n2,0.4\n", DamagedFile, "no database of SQLite"),
        ("x.db", b"", InvalidSpec, "no database of MLflow"),
    ],
)
def test_what_cannot_be_read_is_refused(
    tmp_path: Path, name: str, content: bytes, kind: type[Exception], says: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(kind, match=says):
        read_curves(tmp_path / name)


def test_nothing_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="there is nothing at"):
        read_curves(tmp_path / "none.csv")

"""Spec files are read the way their writer meant them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tutelage.client import load_document, parse_override
from tutelage.core.errors import InvalidSpec, NotFound, TooLarge

SPEC = {"service": "tabular", "config": {"trainDataPath": "train.csv", "n": 1}}
YAML = """
service: tabular
policy:
  on: {H004: stop}
config:
  trainDataPath: train.csv
  lr: 1e-3
  start: 2024-01-31
  clock: 12:30
  answer: no
  octal: 010
  nothing:
"""


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_json_yaml_and_toml_give_the_same_document(tmp_path: Path) -> None:
    toml = 'service = "tabular"\n[config]\ntrainDataPath = "train.csv"\nn = 1\n'
    yaml = "service: tabular\nconfig: {trainDataPath: train.csv, n: 1}\n"
    found = [
        load_document(write(tmp_path, name, text))
        for name, text in (("a.json", json.dumps(SPEC)), ("a.yaml", yaml), ("a.yml", yaml), ("a.toml", toml))
    ]
    assert all(document == found[0] for document in found)
    assert found[0]["config"]["trainDataPath"] == str(tmp_path / "train.csv")


def test_yaml_is_read_as_yaml_1_2(tmp_path: Path) -> None:
    document = load_document(write(tmp_path, "a.yaml", YAML))
    assert document["policy"] == {"on": {"H004": "stop"}}
    config = document["config"]
    assert config["lr"] == 1e-3
    assert config["octal"] == 10
    assert config["nothing"] is None
    assert [config[key] for key in ("start", "clock", "answer")] == ["2024-01-31", "12:30", "no"]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.yaml", "a: &x [1]\nb: *x\n", "aliases"),
        ("a.yaml", "a: 1\na: 2\n", "given twice"),
        ("a.yaml", "a: !!timestamp 2024-01-31\n", "JSON's values"),
        ("a.yaml", "a: !!python/object/apply:os.getcwd []\n", "not valid YAML"),
        ("a.yaml", "a: [1\n", "not valid YAML"),
        ("a.yaml", "? [1]\n: 2\n", "a key must be text"),
        ("a.json", '{"a": 1, "a": 2}', "given twice"),
        ("a.json", '{"a": NaN}', "NaN is no JSON value"),
        ("a.json", '{"a": ', "not valid JSON"),
        ("a.json", "[1]", "an object of settings"),
        ("a.json", "[" * 100_000, "nested too deeply"),
        ("a.toml", "a = ", "not valid TOML"),
        ("a.txt", "{}", "a spec file ends in"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_reason(tmp_path: Path, name: str, text: str, message: str) -> None:
    with pytest.raises(InvalidSpec, match=message):
        load_document(write(tmp_path, name, text))


def test_a_file_that_is_absent_or_too_large_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no spec file"):
        load_document(tmp_path / "none.json")
    with pytest.raises(TooLarge, match="over the limit"):
        load_document(write(tmp_path, "big.json", " " * (1 << 20) + "{}"))


def test_text_that_begins_with_a_brace_is_the_document_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert load_document(' {"dataPath": "a.csv"}') == {"dataPath": str(tmp_path / "a.csv")}


@pytest.mark.parametrize(
    ("override", "place", "value"),
    [
        ("n=5", ("config", "n"), 5),
        ("config.n=5", ("config", "n"), 5),
        ("seed=7", ("seed",), 7),
        ("resources.cpus=2", ("resources", "cpus"), 2),
        ("search.sampler=random", ("config", "search", "sampler"), "random"),
        ("flag=true", ("config", "flag"), True),
        ("features=[1, 2]", ("config", "features"), [1, 2]),
        ("text=a=b", ("config", "text"), "a=b"),
        ("lr=NaN", ("config", "lr"), "NaN"),
    ],
)
def test_an_override_lands_in_its_place(override: str, place: tuple[str, ...], value: object) -> None:
    found: object = load_document(json.dumps(SPEC), [override])
    for key in place:
        assert isinstance(found, dict)
        found = found[key]
    assert found == value


def test_an_override_of_a_bare_job_changes_the_job_itself() -> None:
    job = {"task": "train_model", "features": ["a", "b"]}
    document = load_document(json.dumps(job), ["search.nTrials=3", "features.1=c"])
    assert document == {"task": "train_model", "features": ["a", "c"], "search": {"nTrials": 3}}


def test_paths_of_overrides_count_from_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = write(tmp_path, "a.json", json.dumps(SPEC))
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    config = load_document(spec, ["testDataPath=test.csv"])["config"]
    assert config["testDataPath"] == str(tmp_path / "here" / "test.csv")
    assert config["trainDataPath"] == str(tmp_path / "train.csv")


@pytest.mark.parametrize("text", ["n", "=5", "a..b=1", ""])
def test_an_override_without_key_or_value_is_refused(text: str) -> None:
    with pytest.raises(InvalidSpec, match="key=value"):
        parse_override(text)


def test_an_override_into_a_value_is_refused() -> None:
    with pytest.raises(InvalidSpec, match=r"config\.n has no place 'deeper'"):
        load_document(json.dumps(SPEC), ["n.deeper=1"])

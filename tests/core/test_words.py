"""Small words: errors, ids, paths, signatures."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tutelage.core.errors import DamagedFile, TutelageError, UnknownName, unknown
from tutelage.core.ids import created_at_s, is_operation_id, new_operation_id
from tutelage.core.paths import absolute_paths, is_path_key, relative_paths
from tutelage.core.signing import check_signature, installation_key, sign_file


def subclasses(kind: type[TutelageError]) -> list[type[TutelageError]]:
    return [kind, *(deeper for child in kind.__subclasses__() for deeper in subclasses(child))]


def test_every_error_has_a_code_a_status_and_a_sentence() -> None:
    for kind in subclasses(TutelageError):
        if kind.__module__.startswith("tutelage.core"):
            assert re.fullmatch(r"[a-z_]+", kind.code)
            assert 400 <= kind.status < 600
            assert kind.__doc__


def test_codes_are_unique() -> None:
    codes = [kind.code for kind in subclasses(TutelageError) if kind.__module__.startswith("tutelage.core")]
    assert len(codes) == len(set(codes))


def test_an_unknown_name_gets_the_nearest_match_and_the_list() -> None:
    error = unknown("service", "tabuler", ["tabular", "script"])
    assert isinstance(error, UnknownName)
    assert "Did you mean 'tabular'?" in error.message
    assert "script, tabular" in error.hint


def test_ids_have_their_form_and_sort_by_time() -> None:
    first = new_operation_id()
    assert is_operation_id(first)
    assert not is_operation_id(first.upper())
    assert not is_operation_id("op_../../etc/passwd")
    assert created_at_s(first) == pytest.approx(created_at_s(new_operation_id()), abs=5)


@pytest.mark.parametrize(
    ("key", "is_path"),
    [
        ("trainDataPath", True),
        ("train_data_path", True),
        ("path", True),
        ("paths", True),
        ("outputDir", True),
        ("inputJsonPath", True),
        ("pathology", False),
        ("name", False),
        ("directory", False),
    ],
)
def test_path_keys(key: str, is_path: bool) -> None:
    assert is_path_key(key) is is_path


def test_relative_paths_are_resolved_and_sources_left_alone() -> None:
    document = {
        "config": {
            "trainDataPath": "data/a.csv",
            "testDataPath": "/abs/b.csv",
            "dataPath": "sklearn:wine",
            "name": "x/y",
        },
        "parts": [{"path": ["c.csv", "d.csv"]}],
    }
    resolved = absolute_paths(document, Path("/spec"))
    assert resolved["config"] == {
        "trainDataPath": "/spec/data/a.csv",
        "testDataPath": "/abs/b.csv",
        "dataPath": "sklearn:wine",
        "name": "x/y",
    }
    assert resolved["parts"] == [{"path": ["/spec/c.csv", "/spec/d.csv"]}]
    assert list(relative_paths(resolved)) == []
    assert dict(relative_paths(document)) == {"config.trainDataPath": "data/a.csv", "parts[0].path": "d.csv"}


def test_a_signed_file_is_loaded_only_as_it_was_signed(tmp_path: Path) -> None:
    key = installation_key(tmp_path / "key")
    assert key == installation_key(tmp_path / "key")
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600
    model = tmp_path / "model.joblib"
    model.write_bytes(b"weights")
    with pytest.raises(DamagedFile, match="cannot be verified"):
        check_signature(model, key)
    sign_file(model, key)
    check_signature(model, key)
    with pytest.raises(DamagedFile):
        check_signature(model, b"another installation's key")
    model.write_bytes(b"Weights")
    with pytest.raises(DamagedFile, match="not the file"):
        check_signature(model, key)

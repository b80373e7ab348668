"""Every kind of source, read whole; and every bad one, refused with its code."""

from __future__ import annotations

import gzip
import json
import sqlite3
import zipfile
from collections.abc import Callable
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from parquet_bomb import parquet_of

from tutelage.core.errors import InvalidSpec, MissingDependency, TutelageError
from tutelage.core.paths import absolute_paths, relative_paths
from tutelage.services.tabular.addresses import shown_source
from tutelage.services.tabular.config import check_source
from tutelage.services.tabular.config.sources import STATSMODELS_SETS
from tutelage.services.tabular.data.sources import read_table
from tutelage.services.tabular.inspect import inspect
from tutelage.services.tabular.use import answer

FRAME = pd.DataFrame({"a": [1.5, 2.5, 3.5], "b": ["x", "é", "z"], "y": [0, 1, 0]})
RECORDS = [{"a": 1.5, "b": "x", "y": 0}, {"a": 2.5, "b": "é", "y": 1}, {"a": 3.5, "b": "z", "y": 0}]


def _lines(path: Path) -> None:
    path.write_text("\n".join(json.dumps(record) for record in RECORDS) + "\n")


def _zipped(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("inner.csv", FRAME.to_csv(index=False))


def _zstd(path: Path) -> None:
    import pyarrow

    with pyarrow.output_stream(str(path), compression="zstd") as file:
        file.write(FRAME.to_csv(index=False).encode())


def _stream(path: Path) -> None:
    import pyarrow

    table = pyarrow.Table.from_pandas(FRAME)
    with pyarrow.ipc.new_stream(str(path), table.schema) as writer:
        writer.write_table(table)


def _parts(path: Path) -> None:
    path.mkdir()
    FRAME.iloc[:1].to_csv(path / "part-0.csv", index=False)
    FRAME.iloc[1:][["y", "b", "a"]].to_csv(path / "part-1.csv", index=False)
    (path / "_SUCCESS").touch()


@pytest.mark.parametrize(
    ("name", "write", "form"),
    [
        ("t.jsonl", _lines, "jsonl"),
        ("t.ndjson.gz", lambda path: path.write_bytes(gzip.compress(json.dumps(RECORDS[0]).encode())), "jsonl"),
        ("t.json", lambda path: path.write_text(json.dumps(RECORDS)), "json"),
        ("t.feather", lambda path: FRAME.to_feather(path), "arrow"),
        ("t.arrows", _stream, "arrow"),
        ("t.xlsx", lambda path: FRAME.to_excel(path, index=False), "excel"),
        ("t.zip", _zipped, "csv"),
        ("t.csv.zst", _zstd, "csv"),
        ("parts", _parts, "csv parts"),
    ],
)
def test_a_file_is_read_by_what_is_in_it(tmp_path: Path, name: str, write: Callable[[Path], object], form: str) -> None:
    write(tmp_path / name)
    table = read_table(str(tmp_path / name))
    assert table.format == form
    assert len(table.sha256) == 64
    pd.testing.assert_frame_equal(table.frame, FRAME.head(len(table.frame)), check_dtype=False)


def test_nested_json_becomes_text_and_is_told(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text('{"a": 1, "tags": ["x"]}\n{"a": 2}\n')
    table = read_table(str(path))
    assert table.frame["tags"].tolist()[0] == '["x"]'
    assert "nested" in table.notes[0]


def test_the_hash_of_a_folder_is_that_of_its_parts_and_names(tmp_path: Path) -> None:
    _parts(tmp_path / "one")
    first = read_table(str(tmp_path / "one")).sha256
    (tmp_path / "one" / "part-1.csv").rename(tmp_path / "one" / "part-2.csv")
    assert read_table(str(tmp_path / "one")).sha256 != first


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "rows.db"
    with closing(sqlite3.connect(path)) as connection:
        FRAME.to_sql("t", connection, index=False)
    return path


@pytest.mark.parametrize("query", ["SELECT a, b, y FROM t WHERE a > 1 AND b <> '&?%'", "SELECT%20*%20FROM%20t"])
def test_a_query_of_sqlite_is_read(database: Path, query: str) -> None:
    table = read_table(check_source(f"sqlite:///{database}?query={query}"))
    assert table.format == "sqlite"
    pd.testing.assert_frame_equal(table.frame, FRAME, check_dtype=False)


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("SELECT * FROM nothing", "data_unreadable"),
        ("SELECT a FROM t WHERE a < 0", "data_empty"),
        ("WITH gone AS (SELECT 1) DELETE FROM t", "data_unreadable"),
        ("SELECT a, a FROM t", "duplicate_columns"),
    ],
)
def test_a_bad_query_has_its_code_and_changes_nothing(database: Path, query: str, code: str) -> None:
    with pytest.raises(TutelageError) as raised:
        read_table(f"sqlite:///{database}?query={query}")
    assert raised.value.code == code
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute("SELECT count(*) FROM t").fetchone() == (3,)


def test_a_database_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(TutelageError, match="no database file"):
        read_table(f"sqlite:///{tmp_path}/none.db?query=SELECT 1")
    assert not (tmp_path / "none.db").exists()


@pytest.mark.parametrize("name", STATSMODELS_SETS)
def test_every_set_of_statsmodels_that_is_named_ships(name: str) -> None:
    table = read_table(check_source(f"statsmodels:{name}"))
    assert table.frame.shape[0] > 5
    assert table.frame.shape[1] > 1


@pytest.mark.slow  # scikit-learn tries again after a pause
def test_openml_without_a_network_is_a_clear_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("https_proxy", "HTTPS_PROXY", "http_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")  # nobody listens there
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(tmp_path))
    with pytest.raises(TutelageError, match="openml:31 cannot be fetched") as raised:
        read_table("openml:31")
    assert (raised.value.code, bool(raised.value.hint)) == ("data_unreadable", True)


@pytest.mark.parametrize(
    ("source", "error", "says"),
    [
        ("sklearn:linnerud", InvalidSpec, "three targets"),
        ("statsmodels:co3", InvalidSpec, "'co2'"),
        ("openml:adult", InvalidSpec, "number"),
        ("sqlite:///t.db", InvalidSpec, "query"),
        ("sqlite:///:memory:?query=SELECT 1", InvalidSpec, "memory"),
        ("sqlite:///t.db?query=DROP TABLE t", InvalidSpec, "SELECT"),
        ("sqlite:///t.db?mode=rw&query=SELECT 1", InvalidSpec, "no options"),
        ("postgers://host/db?query=SELECT 1", InvalidSpec, "postgresql"),
    ],
)
def test_a_source_that_cannot_be_is_refused_before_it_is_opened(source: str, error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        check_source(source)


def test_a_missing_driver_is_named_with_the_command_that_installs_it() -> None:
    source = "postgresql://me:secret@host/db?sslmode=require&query=SELECT 1"
    if find_spec("psycopg"):
        assert check_source(source) == source
        return
    with pytest.raises(MissingDependency, match="psycopg") as raised:
        check_source(source)
    assert "pip install" in raised.value.hint
    assert "secret" not in f"{raised.value.message}{raised.value.hint}"


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        (
            "postgresql://me:p%40ss@host:5/db?password=hush&query=SELECT 1",
            "postgresql://host:5/db?query=SELECT 1",
        ),
        ("postgresql://me:se?cr/et@host/db?password=hush", "postgresql://..."),
        ("sqlite:////data/t.db?query=SELECT 1", "sqlite:////data/t.db?query=SELECT 1"),
        ("sklearn:wine", "sklearn:wine"),
        ("/data/what?.csv", "/data/what?.csv"),
    ],
)
def test_what_may_be_secret_in_a_source_is_not_shown(source: str, shown: str) -> None:
    assert shown_source(source) == shown


def test_the_file_of_a_database_is_a_path() -> None:
    document = {"trainDataPath": "sqlite:///d/t.db?query=SELECT 'a/b'", "testDataPath": "parts"}
    assert [place for place, _ in relative_paths(document)] == ["trainDataPath", "testDataPath"]
    resolved = absolute_paths(document, Path("/spec"))
    assert resolved == {"trainDataPath": "sqlite:////spec/d/t.db?query=SELECT 'a/b'", "testDataPath": "/spec/parts"}
    assert not list(relative_paths(resolved))


HEADER = b"a,b,y\n"
BAD_FILES = [
    ("zero bytes", "t.csv", b"", "data_empty", "empty"),
    ("header only", "t.csv", HEADER, "data_empty", "0 rows"),
    ("binary", "t.csv", bytes(range(256)) * 8, "data_unreadable", "binary"),
    ("NUL byte", "t.csv", HEADER + b"1,2,0\n" * 20_000 + b"1,\x002,0\n", "data_unreadable", "NUL byte at byte"),
    ("too many fields", "t.csv", HEADER + b"1,2,0\n1,2,0,4\n", "data_unreadable", "line 3"),
    ("more fields in every row", "t.csv", HEADER + b"1,2,0,4\n1,2,0,4\n", "data_unreadable", "more fields"),
    ("too few fields", "t.csv", HEADER + b"1,2,0\n1,2\n", "data_unreadable", "line 3: 2 of 3"),
    ("no name", "t.csv", b"a,,y\n1,2,0\n", "data_unreadable", "no name for column 2 of 3"),
    ("one name twice", "t.csv", b"a,b, a\n1,2,0\n", "duplicate_columns", "'a'"),
    ("cut gzip", "t.csv.gz", gzip.compress(HEADER + np.random.default_rng(0).bytes(9000))[:-200], "data_unreadable",
     "cannot be unpacked"),
    ("cut Parquet", "t.parquet", parquet_of(1000)[:-20], "data_unreadable", "not valid Parquet"),
    ("Parquet bomb", "t.parquet", parquet_of(400_000_000), "memory_limit", "400,000,000 rows"),
    ("cut Arrow", "t.arrow", b"ARROW1\0\0" + b"\1" * 50, "data_unreadable", "not valid Arrow"),
    ("broken JSON", "t.jsonl", b'{"a": 1}\n{"a": \n', "data_unreadable", "line 2"),
    ("JSON of no objects", "t.json", b"[1, 2]", "data_unreadable", "no object"),
    ("empty JSON", "t.json", b"[]", "data_empty", "no record"),
    ("a key twice", "t.jsonl", b'{"a": 1, "a": 2}\n', "duplicate_columns", "'a' twice"),
    ("old Excel", "t.xls", b"\xd0\xcf\x11\xe0" + b"\0" * 600, "data_unreadable", "before 2007"),
    ("cut Excel", "t.xlsx", b"PK\x03\x04" + b"\1" * 60, "data_unreadable", "no valid workbook"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "content", "code", "says"), [row[1:] for row in BAD_FILES], ids=[r[0] for r in BAD_FILES]
)
def test_a_bad_file_has_its_code_what_is_wrong_and_a_next_step(
    tmp_path: Path, name: str, content: bytes, code: str, says: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(TutelageError, match=says) as raised:
        read_table(str(tmp_path / name), memory_gib=4)
    assert raised.value.code == code
    assert raised.value.hint


def test_inspect_and_use_refuse_a_bomb_as_training_does(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    path.write_bytes(parquet_of(10**12))
    assert path.stat().st_size < 507
    with pytest.raises(TutelageError) as seen:
        inspect({"dataPath": str(path)})
    with pytest.raises(TutelageError) as used:
        answer(None, {"dataPath": str(path)}, target="y")
    assert (seen.value.code, used.value.code) == ("memory_limit", "memory_limit")


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "latin1"])
def test_an_encoding_without_a_mark_is_found(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes("name,city,y\nJosé,Málaga,0\nAnna,Bern,1\n".encode(encoding))
    table = read_table(str(path))
    assert table.frame["city"].tolist() == ["Málaga", "Bern"]
    assert table.notes


def test_a_byte_that_is_no_utf8_far_down_is_told_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(HEADER + b"1,x,0\n" * 20_000 + "1,é,0\n".encode("cp1252"))
    table = read_table(str(path))
    assert table.frame["b"].iloc[-1] == "é"
    assert "Windows-1252" in table.notes[0]


def test_quoted_newlines_long_cells_and_row_names_are_read(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(',text,y\n1,"two\nlines, and more",0\n2,' + "x" * 1_000_000 + ",1\n3,,\n")
    frame = read_table(str(path)).frame
    assert frame.shape == (3, 3)
    assert frame["text"].str.len().tolist()[:2] == [19, 1_000_000]
    assert frame.columns[0] == "Unnamed: 0"


def test_parts_of_other_columns_are_refused_by_name(tmp_path: Path) -> None:
    _parts(tmp_path / "parts")
    (tmp_path / "parts" / "part-2.csv").write_text("a,c,y\n1,2,0\n")
    with pytest.raises(TutelageError, match=r"part-2.csv has other columns.*'b' is missing, 'c' is new"):
        read_table(str(tmp_path / "parts"))


@pytest.mark.slow  # parses 10,001 columns
def test_more_columns_than_are_read_is_an_error_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(",".join(f"c{index}" for index in range(10_001)) + "\n" + ",".join("1" * 10_001) + "\n")
    with pytest.raises(TutelageError, match="10,001 columns") as raised:
        read_table(str(path))
    assert raised.value.code == "too_many_columns"


def test_a_table_beyond_the_memory_is_refused_while_it_is_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "t.csv.gz"
    path.write_bytes(gzip.compress(HEADER + b"1,2,0\n" * 8_000_000, compresslevel=1))
    with pytest.raises(TutelageError, match=r"t\.csv\.gz would need about") as raised:
        read_table(str(path), memory_gib=0.2)
    assert raised.value.code == "memory_limit"

"""Files named in a document: sent to a server elsewhere, left alone for one of this home."""

from __future__ import annotations

import hashlib
from pathlib import Path

import httpx
import pytest
from client_support import Server, answer

from tutelage.client import Client, with_uploads
from tutelage.core.inputs import NAME, input_name
from tutelage.core.layout import HomeFiles

CONTENT = b"a,b\n1,2\n"
SHA = hashlib.sha256(CONTENT).hexdigest()
THERE = {"sha256": SHA, "name": "my_data.csv", "bytes": 8, "path": f"/srv/inputs/{SHA}/my_data.csv"}
MISSING = {"type": "x", "title": "x", "status": 404, "detail": "no", "code": "not_found"}


def document(path: Path) -> dict[str, object]:
    return {"service": "tabular", "config": {"trainDataPath": str(path), "testDataPath": "/srv/x.csv", "name": "a"}}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "my data.csv"
    path.write_bytes(CONTENT)
    return path


def test_a_file_is_sent_once_and_named_by_its_place_there(data: Path) -> None:
    server = Server([httpx.Response(404, json=MISSING), answer(THERE, 201), answer(THERE)])
    with server.client() as client:
        changed = with_uploads(client, document(data))
        again = with_uploads(client, document(data))
    assert changed == again == document(Path(THERE["path"]))  # type: ignore[arg-type]
    assert [(item.method, item.url.params["name"]) for item in server.requests] == [
        ("GET", "my_data.csv"),
        ("PUT", "my_data.csv"),
        ("GET", "my_data.csv"),
    ]
    assert server.requests[1].content == CONTENT


def test_a_server_of_this_home_reads_files_where_they_lie(data: Path) -> None:
    server = Server([answer({})])
    client = Client(server.locate, files=HomeFiles(data.parent))
    assert with_uploads(client, document(data)) == document(data)
    assert server.requests == []


@pytest.mark.parametrize(
    "name", ["train.csv", "mein Fr\u00fchst\u00fcck.parquet", "..", "x" * 300 + ".csv.gz", "-rf", "\u4e2d.csv"]
)
def test_any_name_becomes_one_that_an_input_may_have(name: str) -> None:
    made = input_name(name)
    assert NAME.match(made)
    assert made.endswith(Path(name).suffix if Path(name).suffix.isascii() else "")

"""Inputs: kept under the hash of their content or not at all; removed once nothing names them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support import Plane, plane_at

from tutelage.core.errors import InvalidSpec, NotFound

CONTENT = [b"a,b\n", b"1,2\n"]
SHA = hashlib.sha256(b"".join(CONTENT)).hexdigest()


@pytest.fixture
def plane(tmp_path: Path) -> Iterator[Plane]:
    with plane_at(tmp_path / "home") as made:
        yield made


def test_a_file_is_kept_under_its_hash_and_name(plane: Plane) -> None:
    made = plane.platform.put_input(SHA, name="train.csv", chunks=iter(CONTENT))
    assert Path(made.path).read_bytes() == b"".join(CONTENT)
    assert plane.platform.input(SHA) == made
    again = plane.platform.put_input(SHA, name="other.part", chunks=iter(CONTENT))
    assert plane.platform.input(SHA, name="other.part") == again
    with pytest.raises(NotFound):
        plane.platform.input(SHA, name="third.csv")


def test_another_content_is_refused_and_leaves_nothing(plane: Plane) -> None:
    with pytest.raises(InvalidSpec, match="has the SHA-256"):
        plane.platform.put_input(SHA, name="train.csv", chunks=iter([b"other"]))
    assert [path for path in plane.parts.base.files.inputs.rglob("*") if path.is_file()] == []


def test_what_breaks_off_leaves_nothing(plane: Plane) -> None:
    def cut() -> Iterator[bytes]:
        yield b"a"
        raise InvalidSpec("the file broke off")

    with pytest.raises(InvalidSpec, match="broke off"):
        plane.platform.put_input(SHA, name="train.csv", chunks=cut())
    assert [path for path in plane.parts.base.files.inputs.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("name", ["", ".", "..", "../x", "a/b", ".hidden", "x\n", "x" * 121, "-rf"])
def test_a_name_that_could_lead_elsewhere_is_refused(plane: Plane, name: str) -> None:
    with pytest.raises(InvalidSpec, match="cannot be called"):
        plane.platform.put_input(SHA, name=name, chunks=iter(CONTENT))


@pytest.mark.parametrize("sha256", ["", "..", "A" * 64, "0" * 63, "0" * 64 + "\n"])
def test_only_a_hash_names_an_input(plane: Plane, sha256: str) -> None:
    with pytest.raises(InvalidSpec, match="no SHA-256"):
        plane.platform.input(sha256)


def test_gc_removes_what_no_operation_names(plane: Plane) -> None:
    made = plane.platform.put_input(SHA, name="train.csv", chunks=iter(CONTENT))
    operation = plane.finish(plane.submit({"steps": 3}, tags={"data": made.path}).id)
    object.__setattr__(plane.parts.base, "clock", lambda: 4e9)
    assert plane.platform.gc(older_than_s=3.9e9).operations == []
    assert Path(made.path).exists()
    plane.platform.delete(operation.id)
    plane.platform.gc(older_than_s=1)
    assert not Path(made.path).exists()

"""What a person types finds one operation, or says why not."""

from __future__ import annotations

import pytest
from client_support import Server, answer, operation

from tutelage.client import find_operation
from tutelage.core.errors import InvalidSpec, NotFound

OLD, MIDDLE, NEW = (
    f"op_01kdqv6v0{digit}abcdefghjkmnp{ending}" for digit, ending in ((0, "aaa"), (1, "bbb"), (2, "ccc"))
)


def server() -> Server:
    first = {"items": [operation(OLD, attention=True)], "next_cursor": "1"}
    second = {"items": [operation(NEW), operation(MIDDLE)], "next_cursor": None}
    return Server([answer(first), answer(second)])


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        (OLD, OLD),
        ("last", NEW),
        (MIDDLE[:14], MIDDLE),
        (MIDDLE[3:14], MIDDLE),
        ("mnpccc", NEW),
    ],
)
def test_an_operation_is_found(typed: str, meant: str) -> None:
    assert find_operation(server().client(), typed) == meant


def test_several_matches_are_listed() -> None:
    with pytest.raises(InvalidSpec, match="means 3 operations"):
        find_operation(server().client(), "op_01")


@pytest.mark.parametrize("typed", ["zzzz", "ccc"])
def test_no_match_is_said(typed: str) -> None:
    with pytest.raises(NotFound, match="no operation"):
        find_operation(server().client(), typed)


def test_last_of_nothing_says_how_to_begin() -> None:
    empty = Server([answer({"items": [], "next_cursor": None})])
    with pytest.raises(NotFound, match="nothing has been trained"):
        find_operation(empty.client(), "last")

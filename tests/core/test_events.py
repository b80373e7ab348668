"""Lines of event files: what is written is read again, and nothing else is taken."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tutelage.core.events import FROM_WORKER, MAX_LINE_BYTES, BadLine, Draft, EventKind, decode_line, encode_line
from tutelage.core.numbers import from_json_number, to_json_number

NUMBERS = st.floats(allow_nan=True, allow_infinity=True)
NAMES = st.text(min_size=1, max_size=20)


@given(
    kind=st.sampled_from(sorted(FROM_WORKER)),
    values=st.dictionaries(NAMES, NUMBERS, max_size=5),
    step=st.none() | st.integers(0, 2**53),
    scope=st.text(max_size=30),
)
def test_what_is_written_is_read_again(kind: EventKind, values: dict[str, float], step: int | None, scope: str) -> None:
    line = encode_line(Draft(kind=kind, at_s=12.5, data={"values": values}, step=step, scope=scope))
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    json.loads(line, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
    read = decode_line(line, attempt=3, offset=7)
    assert (read.kind, read.step, read.scope, read.attempt, read.offset) == (kind, step, scope, 3, 7)
    for name, value in values.items():
        again = from_json_number(read.data["values"][name])
        assert again == value or (math.isnan(again) and math.isnan(value))


@pytest.mark.parametrize(
    "line",
    [
        b"\n",
        b"{}\n",
        b"not json\n",
        b"[1]\n",
        b"null\n",
        b'{"k":"metric","t":1}\n',
        b'{"k":"no_such_kind","t":1,"d":{}}\n',
        b'{"k":"verdict","t":1,"d":{}}\n',
        b'{"k":"metric","t":"x","d":{}}\n',
        b'{"k":"metric","t":1,"d":[]}\n',
        b'{"k":"metric","t":1,"d":{},"i":"one"}\n',
        b"\xff\xfe\n",
        b"x" * (MAX_LINE_BYTES + 1),
    ],
)
def test_anything_else_is_a_bad_line(line: bytes) -> None:
    with pytest.raises(BadLine):
        decode_line(line, attempt=1, offset=0)


@given(st.binary(max_size=200))
def test_no_bytes_break_the_reader(line: bytes) -> None:
    try:
        decode_line(line, attempt=1, offset=0)
    except BadLine:
        return


@given(NUMBERS)
def test_every_number_survives_json(value: float) -> None:
    again = from_json_number(json.loads(json.dumps(to_json_number(value), allow_nan=False)))
    assert again == value or (math.isnan(again) and math.isnan(value))

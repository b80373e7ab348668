"""Batches, shards and sequences: every row and token once, at a place that a position alone decides."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tutelage.core.errors import DamagedFile, InvalidSpec
from tutelage.training import ShuffledIndices, TokenShards, pack_rows, pad_rows, windows, write_shards


@settings(max_examples=50, deadline=None)
@given(num_rows=st.integers(1, 40), batch_size=st.integers(1, 60), seed=st.integers(0, 2**32 - 1))
def test_every_row_comes_once_an_epoch(num_rows: int, batch_size: int, seed: int) -> None:
    indices = ShuffledIndices(num_rows, batch_size=batch_size, seed=seed)
    rows = torch.cat([indices.at(position) for position in range(num_rows)]).tolist()
    assert len(rows) == num_rows * batch_size
    for epoch in range(batch_size):
        assert sorted(rows[epoch * num_rows : (epoch + 1) * num_rows]) == list(range(num_rows))


def test_a_batch_is_a_function_of_its_position_alone() -> None:
    one, other = ShuffledIndices(50, batch_size=7, seed=3), ShuffledIndices(50, batch_size=7, seed=3)
    forth = [one.at(position).tolist() for position in range(30)]
    back = [other.at(position).tolist() for position in reversed(range(30))]
    assert forth == back[::-1]
    assert forth != [ShuffledIndices(50, batch_size=7, seed=4).at(position).tolist() for position in range(30)]
    assert (one.epoch_at(7), one.epoch_at(8)) == (0, 1)


DOCUMENTS = [[1, 2, 3], [4], [], [5, 6, 7, 8, 9], [10, 11]]


@pytest.mark.parametrize("max_tokens", [1, 4, 1000])
def test_shards_give_back_every_token_and_document(tmp_path: Path, max_tokens: int) -> None:
    shards = write_shards(tmp_path, DOCUMENTS, vocab_size=12, max_tokens=max_tokens)
    whole = [token for document in DOCUMENTS for token in document]
    assert len(shards) == len(whole)
    for start in range(len(whole) + 1):
        for stop in range(start, len(whole) + 1):
            assert shards.read(start, stop).tolist() == whole[start:stop]
    for number, document in enumerate(DOCUMENTS):
        assert shards.read(*shards.document_bounds(number)).tolist() == document
    shards.verify()
    with pytest.raises(IndexError):
        shards.read(0, len(whole) + 1)


def test_large_vocabularies_take_more_bytes(tmp_path: Path) -> None:
    assert write_shards(tmp_path, [[70_000]], vocab_size=100_000).read(0, 1).tolist() == [70_000]
    with pytest.raises(InvalidSpec, match=r"outside 0\.\.9"):
        write_shards(tmp_path, [[3], [10]], vocab_size=10)


def test_a_damaged_shard_is_named(tmp_path: Path) -> None:
    write_shards(tmp_path, DOCUMENTS, vocab_size=12)
    path = tmp_path / "tokens-00000.bin"
    content = bytearray(path.read_bytes())
    path.write_bytes(content[:-1])
    with pytest.raises(DamagedFile, match="bytes, not"):
        TokenShards(tmp_path)
    content[0] ^= 1
    path.write_bytes(content)
    with pytest.raises(DamagedFile, match="does not match its hash"):
        TokenShards(tmp_path).verify()


@settings(max_examples=80, deadline=None)
@given(documents=st.lists(st.lists(st.integers(1, 99), max_size=25), max_size=20), length=st.integers(1, 12))
def test_packing_keeps_every_token_in_its_document(documents: list[list[int]], length: int) -> None:
    rows = pack_rows(documents, length=length, pad=0)
    pieces = []
    for row in range(len(rows.tokens)):
        for number in range(int(rows.documents[row].max()) + 1):
            at = rows.documents[row] == number
            pieces.append(rows.tokens[row][at].tolist())
            assert rows.places[row][at].tolist() == list(range(int(at.sum())))
    cut = [doc[begin : begin + length] for doc in documents for begin in range(0, len(doc), length)]
    assert sorted(pieces) == sorted(cut)
    assert int(rows.is_valid.sum()) == sum(map(len, documents))


def test_no_place_looks_into_another_document_or_predicts_it() -> None:
    rows = pack_rows([[1, 2, 3], [4, 5], [6]], length=6, pad=0)
    assert rows.tokens.tolist() == [[1, 2, 3, 4, 5, 6]]
    assert rows.targets().tolist() == [[2, 3, -100, 5, -100, -100]]
    mask = rows.attention_mask()[0]
    assert mask.int().tolist() == [
        [1, 0, 0, 0, 0, 0],
        [1, 1, 0, 0, 0, 0],
        [1, 1, 1, 0, 0, 0],
        [0, 0, 0, 1, 0, 0],
        [0, 0, 0, 1, 1, 0],
        [0, 0, 0, 0, 0, 1],
    ]


def test_padding_is_no_token() -> None:
    rows = pad_rows([[1, 2, 3], [4]], pad=0)
    assert rows.tokens.tolist() == [[1, 2, 3], [4, 0, 0]]
    assert rows.is_valid.tolist() == [[True, True, True], [True, False, False]]
    assert rows.targets().tolist() == [[2, 3, -100], [-100, -100, -100]]
    assert rows.attention_mask(causal=False)[1].int().tolist() == [[1, 0, 0], [0, 1, 0], [0, 0, 1]]


@settings(max_examples=80, deadline=None)
@given(num_tokens=st.integers(1, 60), length=st.integers(1, 12), data=st.data())
def test_windows_score_every_token_once(num_tokens: int, length: int, data: st.DataObject) -> None:
    stride = data.draw(st.integers(1, length))
    found = windows(num_tokens, length=length, stride=stride)
    scored = [place for _, stop, fresh in found for place in range(stop - fresh, stop)]
    assert scored == list(range(num_tokens))

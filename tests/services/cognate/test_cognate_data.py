"""Samples, mixing, the tokenizer and token streams."""

from __future__ import annotations

import pytest
import torch
from cognate_support import small_tokenizer, texts

from tutelage.core.errors import InvalidSpec
from tutelage.services.cognate.data.mixing import mix
from tutelage.services.cognate.data.sample import Sample
from tutelage.services.cognate.data.stream import IGNORED, Corpus, Stream
from tutelage.services.cognate.data.tokenizer import EOS_ID, PAD_ID, TextTokenizer
from tutelage.services.cognate.model.bank import EMPTY


def samples(num_short: int, num_long: int) -> list[Sample]:
    short = [Sample.of(f"short {index}", "a") for index in range(num_short)]
    return short + [Sample.of(f"long {index} " + "x" * 2000, "b") for index in range(num_long)]


@pytest.mark.parametrize(
    ("num_short", "num_long", "at_most", "expected"),
    [
        (100, 100, 100, (45, 55)),
        (100, 10, 100, (90, 10)),
        (5, 100, 100, (5, 95)),
        (10, 0, 100, (10, 0)),
        (20, 30, 100, (20, 30)),
    ],
)
def test_the_share_is_kept_and_nothing_thrown_away(
    num_short: int, num_long: int, at_most: int, expected: tuple[int, int]
) -> None:
    mixed = mix(samples(num_short, num_long), short_share=0.45, at_most=at_most, seed=42)
    assert (mixed.num_short, mixed.num_long) == expected
    assert len({sample.text for sample in mixed.samples}) == sum(expected)
    total = sum(expected)
    assert bool(mixed.note) == (abs(expected[0] / total - 0.45) > 1 / total)


def test_a_mix_is_the_same_for_the_same_seed_alone() -> None:
    given = samples(30, 30)
    first, again, other = (mix(given, short_share=0.45, at_most=20, seed=seed).samples for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_the_vocabulary_has_exactly_the_size_asked_for() -> None:
    tokenizer = small_tokenizer(280)
    assert tokenizer.vocab_size == 280
    text = "the cat saw, naïvely, 42 dogs\n\t&c. \N{SNOWMAN}"
    assert tokenizer.decode(tokenizer.encode(text)) == text


def test_a_vocabulary_larger_than_the_texts_support_is_refused_with_the_greatest_one() -> None:
    with pytest.raises(InvalidSpec, match="support only") as caught:
        small_tokenizer(5000)
    assert "use at most" in caught.value.hint


def test_training_a_tokenizer_twice_gives_the_same_one() -> None:
    assert small_tokenizer().fingerprint == small_tokenizer().fingerprint


def corpus(max_seq_len: int = 64) -> tuple[Corpus, TextTokenizer]:
    tokenizer = small_tokenizer()
    return Corpus.of(texts(), tokenizer, max_seq_len=max_seq_len), tokenizer


def test_an_epoch_reads_every_token_once_in_whole_documents() -> None:
    found, _ = corpus()
    stream = Stream(found, lanes=3, segment_len=8, seed=1)
    batches = [stream.batch(position) for position in range(stream.segments)]
    tokens = torch.cat([batch.tokens for batch in batches], 1)
    docs = torch.cat([batch.docs for batch in batches], 1)
    assert sorted(tokens[docs != EMPTY].tolist()) == sorted(found.tokens.tolist())
    assert (tokens[docs == EMPTY] == PAD_ID).all()
    lines = tokens.flatten()[docs.flatten() != EMPTY].tolist()
    assert lines[0] == EOS_ID
    assert [batch.begins for batch in batches] == [True] + [False] * (stream.segments - 1)


def test_labels_are_the_next_tokens_and_stop_at_documents_and_padding() -> None:
    found, _ = corpus()
    stream = Stream(found, lanes=2, segment_len=8, seed=1)
    tokens = torch.cat([stream.batch(position).tokens for position in range(stream.segments)], 1)
    labels = torch.cat([stream.batch(position).labels for position in range(stream.segments)], 1)
    docs = torch.cat([stream.batch(position).docs for position in range(stream.segments)], 1)
    inner = (docs[:, 1:] == docs[:, :-1]) & (docs[:, :-1] != EMPTY)
    assert torch.equal(labels[:, :-1][inner], tokens[:, 1:][inner])
    assert (labels[:, :-1][~inner] == IGNORED).all()
    assert int((labels != IGNORED).sum()) == found.num_tokens - len(found.lengths)


def test_batches_are_a_pure_function_of_their_position() -> None:
    found, _ = corpus()
    one, other = (Stream(found, lanes=2, segment_len=8, seed=1) for _ in range(2))
    far = one.segments * 2 + 1
    expected = one.batch(far).tokens
    for position in (0, far + 5, far):
        got = other.batch(position)
    assert torch.equal(got.tokens, expected)
    assert not torch.equal(one.batch(0).tokens, one.batch(one.segments).tokens), "each epoch has its own order"


def test_a_long_document_becomes_several_and_loses_no_token() -> None:
    whole, tokenizer = corpus(max_seq_len=1000)
    cut, _ = corpus(max_seq_len=16)
    assert 10 < max(cut.lengths) <= 16
    text = [token for token in cut.tokens.tolist() if token != EOS_ID]
    assert text == [token for token in whole.tokens.tolist() if token != EOS_ID]
    assert tokenizer.decode(text[:30]) in " ".join(sample.text for sample in texts()) + "x"
    assert cut.num_bytes == whole.num_bytes

"""Generation: sampling, the cache, segments that fill the memory, exact answers."""

from __future__ import annotations

import pytest
import torch
from cognate_support import FORMS, small_model, small_tokenizer, some_tokens

from tutelage.core.errors import InvalidSpec
from tutelage.services.cognate.data.sample import Sample
from tutelage.services.cognate.evaluation import answer_questions, final_answer
from tutelage.services.cognate.generation import Sampling, SegmentReader, choose, generate
from tutelage.services.cognate.model.reading import logits_of

GREEDY = Sampling(max_new_tokens=20, temperature=0.0)


@pytest.mark.parametrize("form", FORMS)
def test_with_and_without_a_cache_it_writes_the_same(form: str) -> None:
    """Beyond a segment, so that the memory is written and read on the way."""
    model = small_model(**FORMS[form])
    prompt = some_tokens(1, 5)[0].tolist()
    for sampling in (GREEDY, Sampling(max_new_tokens=20, temperature=1.5, top_k=20, top_p=0.9, seed=3)):
        cached = list(generate(model, prompt, sampling))
        assert cached == list(generate(model, prompt, sampling, use_cache=False))
        assert len(prompt) + len(cached) > 8


@pytest.mark.parametrize("form", [name for name in FORMS if "memory" in name])
@torch.no_grad()
def test_reading_token_by_token_gives_the_logits_of_reading_whole_segments(form: str) -> None:
    model, tokens = small_model(**FORMS[form]), some_tokens(1, 20)
    whole = logits_of(model, tokens)[0]
    reader = SegmentReader(model)
    one_by_one = torch.stack([reader.read([token]) for token in tokens[0].tolist()])
    assert torch.allclose(one_by_one, whole, atol=1e-5)
    assert reader.bank is not None
    assert reader.bank.written.item() > 8


def test_without_memory_the_next_token_always_has_context() -> None:
    reader = SegmentReader(small_model())
    logits = [reader.read([token]) for token in some_tokens(1, 9)[0].tolist()]
    alone = SegmentReader(small_model()).read(some_tokens(1, 9)[0].tolist()[4:])
    assert torch.allclose(logits[-1], alone, atol=1e-5)


@pytest.mark.parametrize(
    ("sampling", "allowed"),
    [
        (Sampling(temperature=0.0), {2}),
        (Sampling(temperature=1.0, top_k=1), {2}),
        (Sampling(temperature=1.0, top_k=2), {1, 2}),
        (Sampling(temperature=1.0, top_p=0.5), {2}),
        (Sampling(temperature=1.0, top_p=0.7), {1, 2}),
        (Sampling(temperature=1.0), {0, 1, 2, 3}),
    ],
)
def test_only_allowed_tokens_are_drawn(sampling: Sampling, allowed: set[int]) -> None:
    logits = torch.tensor([0.1, 0.2, 0.6, 0.1]).log()
    draw = torch.Generator().manual_seed(0)
    assert {choose(logits, sampling, draw) for _ in range(300)} == allowed


def test_draws_follow_the_probabilities() -> None:
    logits, draw = torch.tensor([0.1, 0.2, 0.6, 0.1]).log(), torch.Generator().manual_seed(0)
    drawn = [choose(logits, Sampling(temperature=1.0), draw) for _ in range(2000)]
    assert drawn.count(2) / 2000 == pytest.approx(0.6, abs=0.04)


@pytest.mark.parametrize("setting", [{"max_new_tokens": 0}, {"temperature": -1.0}, {"top_k": 0}, {"top_p": 0.0}])
def test_settings_that_cannot_be_meant_are_refused(setting: dict[str, float]) -> None:
    with pytest.raises(InvalidSpec, match=next(iter(setting))):
        Sampling(**setting)


def test_an_empty_prompt_is_refused() -> None:
    with pytest.raises(InvalidSpec, match="no token"):
        list(generate(small_model(), [], GREEDY))


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        (" 3 + 4 = 7\n#### 1,007\nmore", "1007"),
        (" Jack Owens\nProblem: next", "jack owens"),
        (" 42.", "42"),
        ("", ""),
    ],
)
def test_the_answer_of_a_text(text: str, answer: str) -> None:
    assert final_answer(text) == answer


def test_only_samples_with_an_answer_are_asked() -> None:
    samples = [Sample.of("a text", "test"), Sample.of("the cat sat", "test", prompt="the cat", answer="sat")]
    model = small_model(vocab_size=270)
    answered = answer_questions(model, small_tokenizer(), samples, at_most=5)
    assert answered.num_asked == 1
    assert answered.exact_match in (0.0, 1.0)
    assert answer_questions(model, small_tokenizer(), samples[:1], at_most=5).exact_match is None

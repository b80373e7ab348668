"""The nearest pairs, the baselines made of them, and the slots that neighbours have."""

from __future__ import annotations

import re

import pytest
from codegen_language_support import pairs

from tutelage.core.errors import InvalidSpec
from tutelage.services.codegen.retrieval.baselines import nearest_filled, nearest_verbatim
from tutelage.services.codegen.retrieval.index import RetrievalIndex
from tutelage.services.codegen.retrieval.neighbours import as_examples

PAIRS = pairs("small")


def test_a_sentence_finds_itself_first_unless_it_is_left_out() -> None:
    index = RetrievalIndex(PAIRS)
    for pair in PAIRS[:20]:
        [nearest] = index.nearest(pair.slotted_sentence)
        assert nearest.kind == pair.kind
        others = index.nearest(pair.slotted_sentence, 3, leave_out=pair.slotted_code)
        assert len(others) == 3
        assert pair.slotted_code not in {other.slotted_code for other in others}


def test_a_sentence_of_unknown_words_gets_the_first_pairs() -> None:
    assert RetrievalIndex(PAIRS).nearest("qwertz", 2) == list(PAIRS[:2])


def test_an_empty_corpus_is_refused() -> None:
    with pytest.raises(InvalidSpec, match="nothing to retrieve from"):
        RetrievalIndex([])


def test_the_filled_baseline_takes_names_and_numbers_from_the_prompt() -> None:
    index = RetrievalIndex(PAIRS)
    pair = next(pair for pair in PAIRS if pair.kind == "function" and "<n0>" in pair.slots)
    asked = pair.sentence.replace(pair.slots["<v0>"], "my_own_name").replace(pair.slots["<n0>"], "123.5")
    [verbatim], [filled] = nearest_verbatim(index, [asked]), nearest_filled(index, [asked])
    assert "my_own_name" not in verbatim
    assert "fn my_own_name(" in filled


def test_neighbours_have_slots_that_neither_the_prompt_nor_each_other_have() -> None:
    prompt, *others = PAIRS[:3]
    examples = as_examples(others, slots=prompt.slots)
    seen = set(prompt.slots)
    for pair, (sentence, code) in zip(others, examples, strict=True):
        own = set(re.findall(r"<[nv]\d+>", sentence))
        assert not own & seen
        assert set(re.findall(r"<[nv]\d+>", code)) <= own
        assert len(own) == len(pair.slots)
        seen |= own


def test_neighbours_beyond_the_slots_keep_their_names_as_text() -> None:
    taken = {f"<v{i}>": f"a{i}" for i in range(18)} | {f"<n{i}>": "1.0" for i in range(12)}
    [(sentence, code)] = as_examples(PAIRS[:1], slots=taken)
    assert (sentence, code) == (PAIRS[0].sentence, PAIRS[0].code)

"""GSM8K, SVAMP and HotpotQA: questions with their answers, as texts of one form each."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tutelage.services.cognate.data.sample import Sample
from tutelage.services.cognate.sources.base import damaged, json_lines, json_rows, read_text, text_of

GSM8K, SVAMP, HOTPOTQA = "GSM8K", "SVAMP", "HotpotQA"
CALCULATION = re.compile(r"<<[^>]*>>")
PLACEHOLDER = re.compile(r"number(\d+)")


@dataclass(frozen=True, kw_only=True)
class Questions:
    """A set of questions: its files to learn from and to hold out, as patterns, and how a row becomes a sample."""

    name: str
    folder: str
    train: Sequence[str]
    held_out: Sequence[str]
    licence: str
    hub: Mapping[str, str]
    """Where the hub has it: `path`, `name` of the configuration (or empty), `train` and `held_out` splits."""
    sample: Callable[[Mapping[str, Any], Path, int], Sample]


def gsm8k_sample(row: Mapping[str, Any], path: Path, line: int) -> Sample:
    """`Problem: ... Solution: ...`; the answer stands behind `####`, the calculator's marks are left out."""
    solution = CALCULATION.sub("", text_of(row, "answer", path, line))
    _, mark, answer = solution.rpartition("####")
    if not mark:
        raise damaged(path, line, "has no '####' before its answer")
    prompt = f"Problem: {text_of(row, 'question', path, line)} Solution:"
    return Sample.of(f"{prompt} {solution}", GSM8K, prompt=prompt, answer=answer.strip().replace(",", ""))


def svamp_sample(row: Mapping[str, Any], path: Path, line: int) -> Sample:
    """`Problem: Body Question Answer: ...`, of SVAMP's own objects or of MAWPS/ASDiv-A rows with numbers apart."""
    question = text_of(row, "Question", path, line)
    if "Numbers" in row:
        problem = _filled(question, str(row["Numbers"]).split())
    else:
        problem = f"{text_of(row, 'Body', path, line)} {question}"
    answer = _plain_number(text_of(row, "Answer", path, line))
    prompt = f"Problem: {problem} Answer:"
    return Sample.of(f"{prompt} {answer}", SVAMP, prompt=prompt, answer=answer)


def hotpotqa_sample(row: Mapping[str, Any], path: Path, line: int) -> Sample:
    """`Context: ... Question: ... Answer: ...`; always long, since the answer lies in the paragraphs."""
    paragraphs = [f"{title}: {''.join(sentences)}" for title, sentences in _paragraphs(row, path, line)]
    prompt = f"Context: {' '.join(paragraphs)} Question: {text_of(row, 'question', path, line)} Answer:"
    answer = text_of(row, "answer", path, line)
    return Sample(
        text=f"{prompt} {answer}",
        dataset=HOTPOTQA,
        seq_type="long",
        requires_memory=True,
        prompt=prompt,
        answer=answer,
        metadata={name: row[name] for name in ("level", "type") if name in row},
    )


def rows_of(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Yield (line, row) of a file: JSON lines, a JSON list (its rows counted) or CSV."""
    if path.suffix == ".jsonl":
        yield from json_lines(path)
    elif path.suffix == ".csv":
        reader = csv.DictReader(io.StringIO(read_text(path)))
        for row in reader:
            if None in row or None in row.values():
                raise damaged(
                    path, reader.line_num, f"does not have the {len(reader.fieldnames or ())} cells of the head"
                )
            yield reader.line_num, row
    else:
        yield from enumerate(json_rows(path), start=1)


def _paragraphs(row: Mapping[str, Any], path: Path, line: int) -> list[tuple[str, Sequence[str]]]:
    """Return (title, sentences), from the original form or from the hub's columns."""
    context = row.get("context")
    if isinstance(context, Mapping):
        context = list(zip(context.get("title", ()), context.get("sentences", ()), strict=False))
    if not isinstance(context, Sequence) or not context:
        raise damaged(path, line, "has no paragraphs under 'context'")
    found: list[tuple[str, Sequence[str]]] = []
    for paragraph in context:
        if not isinstance(paragraph, Sequence) or len(paragraph) != 2:
            raise damaged(path, line, "has a paragraph that is not a title and its sentences")
        found.append((str(paragraph[0]), [str(sentence) for sentence in paragraph[1]]))
    return found


def _filled(text: str, numbers: Sequence[str]) -> str:
    """Put the numbers of a MAWPS/ASDiv-A row in their places."""

    def number(match: re.Match[str]) -> str:
        index = int(match[1])
        return _plain_number(numbers[index]) if index < len(numbers) else match[0]

    return PLACEHOLDER.sub(number, text)


def _plain_number(text: str) -> str:
    try:
        value = float(text)
    except ValueError:
        return text
    return str(int(value)) if value.is_integer() else text


QUESTIONS: Mapping[str, Questions] = {
    GSM8K: Questions(
        name=GSM8K,
        folder="gsm8k",
        train=("train.jsonl",),
        held_out=("test.jsonl",),
        licence="MIT",
        hub={"path": "openai/gsm8k", "name": "main", "train": "train", "held_out": "test"},
        sample=gsm8k_sample,
    ),
    SVAMP: Questions(
        name=SVAMP,
        folder="svamp",
        train=("*train*.csv", "*train*.json"),
        held_out=("SVAMP.json", "*test*.json"),
        licence="MIT",
        hub={"path": "ChilleD/SVAMP", "name": "", "train": "train", "held_out": "test"},
        sample=svamp_sample,
    ),
    HOTPOTQA: Questions(
        name=HOTPOTQA,
        folder="hotpotqa",
        train=("hotpot*train*.json",),
        held_out=("hotpot*dev*.json",),
        licence="CC BY-SA 4.0",
        hub={"path": "hotpotqa/hotpot_qa", "name": "distractor", "train": "train", "held_out": "validation"},
        sample=hotpotqa_sample,
    ),
}

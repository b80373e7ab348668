"""Loading every source that a config names, and what is said of those that are missing."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tutelage.core.errors import MissingDependency
from tutelage.services.cognate.data.sample import Sample
from tutelage.services.cognate.sources.base import Loaded, SourceMissing
from tutelage.services.cognate.sources.hub import load_from_hub
from tutelage.services.cognate.sources.questions import QUESTIONS, Questions, rows_of
from tutelage.services.cognate.sources.texts import STDLIB, TEXT, load_folders, load_stdlib

if TYPE_CHECKING:
    from tutelage.services.cognate.config import CognateConfig

HELD_OUT_SHARE = 0.1
"""Of a source that keeps nothing apart itself."""


@dataclass(frozen=True, kw_only=True)
class Texts:
    """All samples, those to learn from and those held out, and what is known of their sources."""

    train: Sequence[Sample]
    held_out: Sequence[Sample]
    summary: Mapping[str, Any]
    missing: Mapping[str, str] = field(default_factory=dict)
    """Source -> why it is not here; only with `allow_partial`."""


def load_texts(config: CognateConfig, *, seed: int) -> Texts:
    """Load every source. Raises SourceMissing, unless `allow_partial`, and DamagedFile."""
    loaded: list[Loaded] = []
    missing: dict[str, str] = {}
    for name in config.dataset_sources:
        try:
            loaded.append(load_source(name, config))
        except (SourceMissing, MissingDependency) as error:
            if not config.allow_partial:
                raise
            missing[name] = error.message
    if not loaded:
        raise SourceMissing(
            f"none of the sources is here: {'; '.join(missing.values())}", hint="name at least one that is"
        )
    train: list[Sample] = []
    held_out: list[Sample] = []
    for source in loaded:
        learned, kept = _split(source, seed)
        train += learned
        held_out += kept
    summary = {source.name: source.summary() for source in loaded}
    return Texts(train=train, held_out=held_out, summary={"sources": summary, "missing": missing}, missing=missing)


def load_source(name: str, config: CognateConfig) -> Loaded:
    """Load one source."""
    if name == STDLIB:
        return load_stdlib()
    if name == TEXT:
        return load_folders(config.text_dirs)
    questions = QUESTIONS[name]
    place = _place(questions, config)
    if place is not None:
        return _from_files(questions, place)
    if config.allow_download:
        return load_from_hub(questions)
    key = f"{questions.folder}_path"
    installed = "" if importlib.util.find_spec("datasets") else " (needs the package datasets)"
    raise SourceMissing(
        f"no file of {name} is named",
        hint=f"set {key}, or data_dir to a folder with {questions.folder}/; allow_download asks the Hugging Face "
        f"hub{installed}; allow_partial goes on without",
    )


def _place(questions: Questions, config: CognateConfig) -> Path | None:
    named = getattr(config, f"{questions.folder}_path")
    if named is not None:
        if not Path(named).exists():
            raise SourceMissing(f"{questions.folder}_path names {named!r}, which does not exist")
        return Path(named)
    folder = Path(config.data_dir) / questions.folder if config.data_dir else None
    if folder is not None and not folder.is_dir():
        raise SourceMissing(f"data_dir has no folder {questions.folder!r}: {config.data_dir}")
    return folder


def _from_files(questions: Questions, place: Path) -> Loaded:
    if place.is_file():
        return _loaded(questions, [place], [])
    train, held_out = _matching(place, questions.train), _matching(place, questions.held_out)
    if not train and not held_out:
        patterns = ", ".join((*questions.train, *questions.held_out))
        raise SourceMissing(f"{place} holds no file of {questions.name}", hint=f"looked for {patterns}")
    return _loaded(questions, train or held_out, held_out if train else [])


def _loaded(questions: Questions, train: Sequence[Path], held_out: Sequence[Path]) -> Loaded:
    parts = [
        [questions.sample(row, path, line) for path in files for line, row in rows_of(path)]
        for files in (train, held_out)
    ]
    return Loaded(
        name=questions.name,
        samples=parts[0],
        held_out=parts[1],
        files=[*train, *held_out],
        licence=questions.licence,
    )


def _matching(folder: Path, patterns: Sequence[str]) -> list[Path]:
    found = {path for pattern in patterns for path in folder.glob(pattern) if "corpus" not in path.name}
    return sorted(found)


def _split(source: Loaded, seed: int) -> tuple[Sequence[Sample], Sequence[Sample]]:
    """Return what is learned from and what is held out: the source's own parts, else a tenth by the seed."""
    if source.held_out:
        return source.samples, source.held_out
    order = np.random.default_rng([seed, 3, len(source.samples)]).permutation(len(source.samples))
    num_kept = max(1, round(len(order) * HELD_OUT_SHARE)) if len(order) > 1 else 0
    kept = {int(index) for index in order[:num_kept]}
    return (
        [sample for index, sample in enumerate(source.samples) if index not in kept],
        [sample for index, sample in enumerate(source.samples) if index in kept],
    )

"""The Hugging Face hub, where the package `datasets` is installed and the network allows."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tutelage.core.errors import MissingDependency
from tutelage.services.cognate.sources.base import Loaded, SourceMissing
from tutelage.services.cognate.sources.questions import Questions


@dataclass(frozen=True, kw_only=True)
class HubLoaded(Loaded):
    """Samples of the hub, which have no files of their own: their hash is that of the rows."""

    sha256: str

    def summary(self) -> dict[str, Any]:
        """Return the source's entry in `download_summary.json`."""
        return {**super().summary(), "sha256": self.sha256}


def load_from_hub(questions: Questions) -> Loaded:
    """Ask the hub for a set of questions. Raises MissingDependency, or SourceMissing where it does not answer."""
    if importlib.util.find_spec("datasets") is None:
        raise MissingDependency(
            f"{questions.name} would come from the Hugging Face hub, which needs the package datasets",
            hint="pip install datasets, or name local files",
        )
    # Imported here: it is large, and only this needs it.
    datasets = importlib.import_module("datasets")
    hub = questions.hub
    place = Path(f"hub:{hub['path']}")
    try:
        parts = [list(_split(datasets, hub, hub[part])) for part in ("train", "held_out")]
    except Exception as error:  # the library raises many kinds; each means that the source is not here
        raise SourceMissing(
            f"{questions.name} could not be had from the Hugging Face hub as {hub['path']}: {error}",
            hint="name local files, or allow_partial to go on without",
        ) from error
    samples = [[questions.sample(row, place, line) for line, row in enumerate(rows, 1)] for rows in parts]
    digest = hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()
    return HubLoaded(
        name=questions.name, samples=samples[0], held_out=samples[1], files=(), licence=questions.licence, sha256=digest
    )


def _split(datasets: Any, hub: Mapping[str, str], split: str) -> Any:
    name = (hub["name"],) if hub["name"] else ()
    return (dict(row) for row in datasets.load_dataset(hub["path"], *name, split=split))

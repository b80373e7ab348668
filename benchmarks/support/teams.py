"""Trainings of teams for benchmarks: the service's own loop, the best evaluated weights of each seed examined."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.support.fitting import open_run
from tutelage.core.layout import OperationFiles
from tutelage.run import FileRun
from tutelage.services.agents import SERVICE
from tutelage.services.agents.communication.score import Coordination
from tutelage.services.agents.config import AgentsConfig
from tutelage.services.agents.evaluation.coordination import communication_document, mean_influence, scores_of
from tutelage.services.agents.evaluation.evaluate import final
from tutelage.services.agents.train import train
from tutelage.services.agents.training import Training


@dataclass(frozen=True, kw_only=True)
class Team:
    """What a team of several seeds came to; lists have one entry a seed."""

    returns: list[float]
    successes: list[float]
    shuffled: list[float]
    scores: list[float]
    influences: list[float]
    bounds: Mapping[str, float]
    steps: int
    cpu_s_per_seed: float


def train_team(settings: Mapping[str, Any]) -> Team:
    """Train, and examine on fresh episodes, greedily."""
    config = AgentsConfig.model_validate({"num_evaluations": 4, **settings})
    with tempfile.TemporaryDirectory() as folder:
        training = Training(config, open_run(Path(folder) / "home", seed=1))
        try:
            training.run()
        finally:
            training.close()
    team, seeds, about = training.team, training.seeds, training.about
    team.load_state_dict(training.best)
    greedy = final(team, config, seeds).greedy
    found = scores_of(team, config, seeds, about, greedy)
    scored = [each for each in found if isinstance(each, Coordination)]
    documents = [communication_document(team, config, seed, index=i, about=about) for i, seed in enumerate(seeds)]
    return Team(
        returns=greedy.returns.mean(1).tolist(),
        successes=greedy.successes.mean(1).tolist(),
        shuffled=[each.shuffled.value for each in scored],
        scores=[each.score.value for each in scored],
        influences=[mean_influence(document["influences"]) or 0.0 for document in documents],
        bounds={name: item.value for name, item in about.references.items()},
        steps=training.standing.env_steps,
        cpu_s_per_seed=training.standing.cpu_s / len(seeds),
    )


def train_whole(folder: Path, settings: Mapping[str, Any]) -> Mapping[str, Any]:
    """Train as a worker does, with all artifacts, in a folder; return the result document."""
    files = OperationFiles(folder)
    files.root.mkdir(parents=True)
    files.commands.write_text("")
    run = FileRun(files=files, service=SERVICE, attempt=1, seed=1)
    run.begin()
    try:
        result = train(AgentsConfig.model_validate(settings), run)
    finally:
        run.close()
    assert result is not None, "nobody asks a benchmark to pause"
    return result

"""Answers requests to a finished policy of Stable-Baselines3: observations in, actions out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tutelage.core.errors import DamagedFile, InvalidSpec, unknown
from tutelage.services.agents.artifacts import CONFIG
from tutelage.services.agents.asking import ActRequest, matrix
from tutelage.services.agents.config import AgentsConfig
from tutelage.services.agents.sb3.models import make_model, restore
from tutelage.services.agents.sb3.training import MODEL


class SavedModel:
    """A model of a finished operation, ready to act."""

    def __init__(self, folder: Path) -> None:
        if not (folder / MODEL).is_file():
            raise InvalidSpec(f"there is no policy in {folder.name}", hint="it is written when the training completes")
        try:
            document = json.loads((folder / CONFIG).read_text())
            self.config, self.seed = AgentsConfig.model_validate(document["config"]), int(document["best_seed"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise DamagedFile(f"the policy in {folder.name} cannot be read: {error}") from error
        self.model = make_model(self.config, self.seed, trains=False)
        self._agent = self.model.get_env().fleet.about.agents[0]
        self.model.get_env().close()
        restore(self.model, folder / MODEL)
        if hasattr(self.model, "exploration_final_eps"):
            self.model.exploration_rate = self.model.exploration_final_eps

    def answer(self, asked: ActRequest) -> dict[str, Any]:
        """Return the action: the greedy one, or with `sample` one drawn as the algorithm draws."""
        if asked.agent not in (None, self._agent.name):
            raise unknown("agent", str(asked.agent), [self._agent.name])
        if asked.seed not in (None, self.seed):
            raise unknown("seed", str(asked.seed), [str(self.seed)])
        odd = [name for name in ("heard", "memory", "allowed") if getattr(asked, name) is not None]
        if odd:
            raise InvalidSpec(f"a policy of Stable-Baselines3 takes no {', '.join(odd)}", hint="leave it out")
        seen = matrix("observation", asked.observation, self._agent.observation, None).numpy()
        if asked.sample:
            self.model.set_random_seed(asked.draw_seed % 2**32)
        actions, _ = self.model.predict(seen, deterministic=not asked.sample)
        is_one = bool(asked.observation) and not isinstance(asked.observation[0], list)
        return {"agent": self._agent.name, "seed": self.seed, "action": (actions[0] if is_one else actions).tolist()}

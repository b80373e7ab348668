"""What `backend: "sb3"` takes: what is given goes to Stable-Baselines3, what is not is its own default."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from tutelage.core.errors import InvalidSpec

if TYPE_CHECKING:
    from tutelage.services.agents.config.document import AgentsConfig

Algorithm = Literal["PPO", "DQN", "SAC"]

COMMON: Mapping[str, str | None] = {
    "learning_rate": "learning_rate",
    "gamma": "gamma",
    "batch_size": "batch_size",
    "lr_schedule": None,
    "num_copies": None,
    "hidden_size": None,
    "num_layers": None,
    "activation": None,
}
"""Our settings -> the argument of every algorithm of theirs; None: it takes more than passing it on."""

OWN: Mapping[Algorithm, Mapping[str, str | None]] = {
    "PPO": {
        "rollout_steps": "n_steps",
        "epochs": "n_epochs",
        "clip": "clip_range",
        "target_kl": "target_kl",
        "gae_lambda": "gae_lambda",
        "value_coefficient": "vf_coef",
        "entropy_coefficient": "ent_coef",
        "gradient_clip": "max_grad_norm",
    },
    "DQN": {"exploration_rate": "exploration_final_eps", "gradient_clip": "max_grad_norm"},
    "SAC": {"entropy_coefficient": "ent_coef"},
}
"""Algorithm -> what it takes beside."""

AROUND = {
    "preset", "environment", "environment_types", "backend", "sb3_algorithm", "max_steps", "seeds",
    "max_parameters", "num_evaluations", "evaluation_episodes", "final_episodes",
}  # fmt: skip
"""What is ours whoever trains: the task, the budget, the evaluation."""

AS_IT_IS: Mapping[str, tuple[Any, ...]] = {
    "training_mode": ("reward",),
    "agent_architecture": ("reactive",),
    "policy": (None, "mlp"),
    "normalize_observations": (False,),
    "normalize_rewards": (False,),
    "base_model": (None,),
    "task_complexity": (None,),
    "weight_decay": (0.0,),
}
"""Settings that do not count, at values that say how it is anyway."""


def algorithm_of(config: AgentsConfig) -> Algorithm:
    """Return the algorithm; PPO where none is named."""
    return config.sb3_algorithm or "PPO"


def check_backend(config: AgentsConfig) -> None:
    """What is given counts with the backend: nothing is ignored."""
    if config.backend != "sb3":
        if config.sb3_algorithm is not None:
            raise InvalidSpec(
                f"sb3_algorithm counts with backend 'sb3', got backend {config.backend!r}",
                hint="leave it out, or set the backend",
            )
        return
    _check_settings(config)
    if config.max_steps is None:
        raise InvalidSpec(
            "backend 'sb3' counts its budget in environment steps, got max_steps None", hint="max_steps: 100000"
        )
    if len(config.seed_list(0)) != 1:
        raise InvalidSpec(
            f"backend 'sb3' trains one seed a job, got seeds {config.seeds}", hint="submit one operation a seed"
        )


def given(config: AgentsConfig) -> dict[str, Any]:
    """Return the settings that are given and count with the algorithm."""
    takes = {**COMMON, **OWN[algorithm_of(config)]}
    return {name: getattr(config, name) for name in takes if name in config.model_fields_set}


def _check_settings(config: AgentsConfig) -> None:
    algorithm = algorithm_of(config)
    known = AROUND | set(COMMON) | set(OWN[algorithm])
    odd = [name for name in sorted(config.model_fields_set - known) if not _is_so_anyway(config, name)]
    if odd:
        raise InvalidSpec(
            f"settings that do not count with backend 'sb3' and {algorithm}: {', '.join(odd)}",
            hint=f"leave them out; what counts: {', '.join(sorted(known - {'preset'}))}",
        )


def _is_so_anyway(config: AgentsConfig, name: str) -> bool:
    return getattr(config, name) in AS_IT_IS.get(name, ())

"""What to train, in which environment, and for how long."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import AliasChoices, Field, JsonValue, field_validator, model_validator

from tutelage.core.document import Document
from tutelage.core.errors import unknown
from tutelage.services.agents.config import checks
from tutelage.services.agents.config.assignment import check_assignment
from tutelage.services.agents.config.channel import ChannelOptions, Protocol
from tutelage.services.agents.config.presets import PRESETS
from tutelage.services.agents.config.sb3 import Algorithm, check_backend


class EnvironmentSettings(Document):
    """Which environment, and its own settings."""

    id: str = Field("CartPole-v1", min_length=1, max_length=200, description="its id, such as CartPole-v1")
    kwargs: dict[str, JsonValue] = Field(default_factory=dict, description="what the environment is made with")


class AgentsConfig(Document):
    """Behaviour policies: their environment, their networks and their training."""

    preset: str | None = Field(None, description=f"settings to begin with: {', '.join(PRESETS)}; own settings win")
    environment: EnvironmentSettings = Field(
        default_factory=EnvironmentSettings, description="the environment to act in"
    )
    environment_types: list[str] = Field(
        default=["simulation"], min_length=1, description="simulation, interactive: of which type it may be"
    )
    training_mode: str = Field(
        "reward",
        validation_alias=AliasChoices("training_mode", "mode", "focus"),
        description="what is proved at the end: reward (nothing beyond the return), behavior_adaptation, "
        "task_specialization, coordination, multi_agent_collaboration or communication_protocols; aliases: mode, focus",
    )
    task_complexity: Literal["basic", "intermediate", "advanced"] | None = Field(
        None,
        description="difficulty moves so that 55-75 % of the last 100 episodes succeed, up to a third (basic), two "
        "thirds (intermediate) or all (advanced) of it; None: as the environment is",
    )

    agent_architecture: str = Field("reactive", description="reactive (feed-forward) or transformer (attention)")
    policy: str | None = Field(
        None, description="mlp, attention or recurrent; None: mlp, or attention for the transformer"
    )
    hidden_size: int = Field(128, ge=4, le=4096, description="width of the networks")
    num_layers: int = Field(4, ge=1, le=64, description="layers of the networks")
    num_heads: int = Field(8, ge=1, le=64, description="attention heads")
    head_width: int = Field(4, ge=1, le=256, description="numbers of one attention head")
    ffn_size: int = Field(24, ge=1, le=16_384, description="width of attention's feed-forward")
    max_context_length: int = Field(512, ge=1, le=65_536, description="most tokens that attention reads in a step")
    activation: Literal["tanh", "relu"] = Field("tanh", description="of multilayer perceptrons")
    critic_hidden_size: int | None = Field(None, ge=4, le=4096, description="width of the critic; None: as the actor's")
    critic_num_layers: int | None = Field(None, ge=1, le=64, description="layers of the critic; None: as the actor's")
    max_parameters: int = Field(
        100_000, ge=1, le=1_000_000_000, description="most numbers that an actor may learn; the critic is counted apart"
    )
    base_model: str | None = Field(
        None, description="the folder of artifacts of a finished operation, whose best policies it begins with"
    )
    base_kl_weight: float = Field(
        0.0, ge=0, le=100, description="price of each nat that the policy moves from the base model's"
    )
    max_forgetting: float = Field(
        0.5, gt=0, le=1, description="task_specialization: share of its former task that the policy may lose"
    )
    freeze_layers: list[str] = Field(
        default_factory=list, description="patterns of parameters that are not trained, such as *.actor.body.layers.0.*"
    )

    max_agents: int = Field(4, ge=1, le=64, description="most agents that the environment may have")
    coordination_strategy: str = Field(
        "centralized",
        description="how a team learns: centralized (a shared critic), independent, or hierarchical (a shared critic, "
        "and a manager that assigns goals to the others)",
    )
    assignment_every: int | None = Field(
        None, ge=1, le=65_536, description="hierarchical: steps that an assignment is held; None: 5"
    )
    goal_weight: float | None = Field(
        None,
        ge=0,
        le=100,
        description="hierarchical: what workers learn from beside their reward, for each unit nearer to their goal; "
        "no part of any return; None: 3",
    )
    share_parameters: bool = Field(True, description="agents with equal spaces have one policy")
    collaboration_weight: float = Field(
        0.3, ge=0, le=1, description="share of the team's mean reward in what each agent of a team is rewarded with"
    )
    communication_protocols: list[Protocol] = Field(
        default=["direct", "broadcast"],
        description="how agents speak to each other where the task has a link: direct (to a chosen one), broadcast "
        "(to all), or both; an empty list: nobody speaks",
    )
    channel: ChannelOptions = Field(default_factory=ChannelOptions, description="how words travel")
    signalling_weight: float = Field(
        0.1, ge=0, le=100, description="reward for words that depend on what is seen (positive-signalling bias)"
    )
    signalling_target: float = Field(
        0.0, ge=0, le=10, description="nats of uncertainty of a word, given what is seen, that the bias leaves alone"
    )
    listening_weight: float = Field(
        0.0,
        ge=0,
        le=100,
        description="reward for actions that depend on what is heard (positive-listening bias); it falls with the "
        "learning rate, and counts for agents that choose one of several actions",
    )
    max_episodes: int = Field(
        1000, ge=1, le=1_000_000_000, description="episodes of a seed; counts where max_steps is not given"
    )
    max_steps: int | None = Field(
        None, ge=1, le=1_000_000_000_000, description="environment steps of a seed; None: max_episodes counts"
    )
    seeds: int | list[int] = Field(
        1, description="several seeds in one batched job: how many, from the spec's seed on, or a list of them"
    )
    num_copies: int = Field(64, ge=1, le=65_536, description="copies of the environment of one seed")
    rollout_steps: int = Field(32, ge=1, le=65_536, description="steps of each copy between two updates")
    epochs: int = Field(4, ge=1, le=1000, description="times that an update reads its rollout")
    batch_size: int = Field(512, ge=1, le=10_000_000, description="steps of one optimizer step, a seed")
    learning_rate: float = Field(1e-3, gt=0, le=10, description="base learning rate of Adam")
    lr_schedule: Literal["constant", "linear", "cosine"] = Field(
        "linear", description="how the learning rate and the exploration fall over the budget"
    )
    gamma: float = Field(0.99, ge=0, le=1, description="discount of a step")
    gae_lambda: float = Field(0.95, ge=0, le=1, description="lambda of generalised advantage estimation")
    clip: float = Field(0.2, gt=0, le=10, description="bound of the ratio between new and old policy")
    target_kl: float | None = Field(
        None, gt=0, le=10, description="an update ends for a seed whose policy moved 1.5 times as far; nats"
    )
    value_coefficient: float = Field(0.5, ge=0, le=100, description="weight of the critic's loss")
    entropy_coefficient: float = Field(0.0, ge=0, le=10, description="reward for each nat of the policy's entropy")
    exploration_rate: float = Field(
        0.1, ge=0, le=1, description="entropy target of the policy, as that of acting at random this often; it falls"
    )
    exploration_weight: float = Field(0.1, ge=0, le=100, description="push for each nat below the entropy target")
    gradient_clip: float = Field(0.5, gt=0, le=1e6, description="bound of each seed's gradient norm")
    weight_decay: float = Field(0.0, ge=0, le=10, description="Adam's weight decay")
    normalize_observations: bool = Field(True, description="inputs to mean 0 and deviation 1, as seen so far")
    normalize_rewards: bool = Field(True, description="rewards divided by the deviation of the discounted return")

    adaptation_threshold: float = Field(0.8, gt=0, le=1, description="share of a former return that counts as regained")
    num_evaluations: int = Field(10, ge=1, le=10_000, description="evaluations and checkpoints over the budget")
    evaluation_episodes: int = Field(20, ge=1, le=10_000, description="episodes of each of them, greedy")
    final_episodes: int = Field(100, ge=1, le=100_000, description="episodes of the last one: greedy and as many drawn")
    backend: str = Field("own", description="which implementation trains: own, or sb3 (Stable-Baselines3)")
    sb3_algorithm: Algorithm | None = Field(
        None, description="sb3: PPO, DQN (exploration_rate is its epsilon) or SAC; None: PPO"
    )

    @model_validator(mode="before")
    @classmethod
    def _fill_in(cls, document: Any) -> Any:
        """Put the preset under what is given."""
        if not isinstance(document, Mapping) or document.get("preset") is None:
            return document
        if document["preset"] not in PRESETS:
            raise unknown("preset", str(document["preset"]), PRESETS)
        return {**PRESETS[document["preset"]], **document}

    @field_validator("seeds")
    @classmethod
    def _some_seeds(cls, value: int | list[int]) -> int | list[int]:
        numbers = value if isinstance(value, list) else [value]
        low = 0 if isinstance(value, list) else 1
        if not numbers or len(numbers) > 64 or any(not low <= number < 2**32 for number in numbers):
            raise ValueError("a number from 1 to 64, or a list of 1 to 64 seeds")
        if isinstance(value, int) and value > 64:
            raise ValueError("at most 64 seeds in one job")
        return value

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        for key in ("training_mode", "agent_architecture", "coordination_strategy", "backend"):
            checks.check_choice(key, getattr(self, key))
        for key in ("environment_types",):
            for value in getattr(self, key):
                checks.check_choice(key, value)
        checks.check_mode(self)
        checks.check_policy(self)
        check_assignment(self)
        checks.check_environment(self)
        check_backend(self)
        if self.backend == "own":
            checks.check_budget(self)
            checks.check_size(self)
        return self

    @property
    def kind(self) -> str:
        """The networks' kind: mlp, attention or recurrent."""
        return self.policy or ("attention" if self.agent_architecture == "transformer" else "mlp")

    @property
    def num_minibatches(self) -> int:
        """Optimizer steps that one reading of a rollout takes."""
        return max(1, round(self.num_copies * self.rollout_steps / self.batch_size))

    def seed_list(self, seed: int) -> list[int]:
        """Return the seeds to train, for an operation with this seed."""
        return list(self.seeds) if isinstance(self.seeds, list) else [seed + index for index in range(self.seeds)]

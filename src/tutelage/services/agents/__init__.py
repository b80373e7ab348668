"""`agents`: behaviour policies for one agent or a team, with communication."""

from __future__ import annotations

from tutelage.core.service import Metric, Role, Service, Tunable
from tutelage.services.agents.config.presets import PRESETS

SERVICE = Service(
    name="agents",
    about="trains behaviour policies by proximal policy optimisation: one agent or a team, several seeds at once",
    unit="episode",
    scopes={"seed": "episode", "control": "episode"},
    config="tutelage.services.agents.config:AgentsConfig",
    train="tutelage.services.agents.train:train",
    use="tutelage.services.agents.use:use",
    needs=("torch", "safetensors"),
    extra="torch",
    supports=frozenset({"checkpoint", "branch", "tune"}),
    tunables=(
        Tunable("learning_rate", float, 0.0, 10.0, about="base learning rate; the schedule multiplies it"),
        Tunable("entropy_coefficient", float, 0.0, 10.0, about="reward for each nat of the policy's entropy"),
        Tunable("exploration_rate", float, 0.0, 1.0, about="entropy target, as that of acting at random this often"),
        Tunable("clip", float, 1e-3, 10.0, about="bound of the ratio between new and old policy"),
        Tunable("value_coefficient", float, 0.0, 100.0, about="weight of the critic's loss"),
        Tunable("signalling_weight", float, 0.0, 100.0, about="reward for words that depend on what is seen"),
        Tunable("listening_weight", float, 0.0, 100.0, about="reward for actions that depend on what is heard"),
        Tunable("weight_decay", float, 0.0, 10.0, about="Adam's weight decay"),
        Tunable("max_steps", int, 1, 1_000_000_000_000, about="environment steps of a seed, where that is the budget"),
        Tunable("max_episodes", int, 1, 1_000_000_000, about="episodes of a seed, where that is the budget"),
    ),
    metrics=(
        Metric(
            name="reward",
            direction="maximize",
            about="mean return of the episodes that ended since the last point, as the training acts",
        ),
        Metric(name="success_rate", direction="maximize", about="share of them that succeeded, as the task defines it"),
        Metric(name="episode_length", unit="steps", about="mean length of them"),
        Metric(name="eval_reward", direction="maximize", about="mean return of evaluation episodes, acted greedily"),
        Metric(name="eval_success_rate", direction="maximize", about="share of them that succeeded"),
        Metric(
            name="coordination_score",
            direction="maximize",
            about="share of what the link can win that it wins: (J_team - J_cut) / (J_reference - J_cut)",
        ),
        Metric(name="cut_reward", about="mean return of the same evaluation episodes while nobody hears anything"),
        Metric(
            name="causal_influence",
            unit="nats",
            role=Role.CAUSAL_INFLUENCE,
            about="how far words forced on hearers change what they do, mean over pairs (Lowe et al. 2019)",
        ),
        Metric(name="messages_per_step", about="messages that the team sends in a step"),
        Metric(name="entropy", unit="nats", role=Role.ENTROPY, about="mean entropy of the policy where it acted"),
        Metric(
            name="approx_kl",
            unit="nats",
            role=Role.KL,
            about="divergence of the policy within an update: mean of r - 1 - ln r (Schulman 2020)",
        ),
        Metric(name="difficulty", about="present difficulty of the task, 0 to 1, where task_complexity moves it"),
        Metric(name="base_kl", unit="nats", about="divergence of the policy from the base model's, where it is priced"),
        Metric(name="clip_fraction", about="share of decisions whose ratio was clipped"),
        Metric(
            name="explained_variance",
            role=Role.EXPLAINED_VARIANCE,
            about="share of the returns' variance that the critic explains; 1 at best",
        ),
        Metric(name="value_loss", about="half the mean squared error of the critic"),
        Metric(name="policy_loss", about="mean clipped surrogate loss"),
        Metric(name="lr", role=Role.LEARNING_RATE, about="learning rate: base rate times schedule"),
        Metric(name="grad_norm", role=Role.GRADIENT_NORM, about="norm of the gradient of all seeds, before clipping"),
        Metric(name="env_steps", unit="steps", about="environment steps of each seed so far"),
        Metric(
            name="steps_per_s",
            unit="1/s",
            role=Role.THROUGHPUT,
            about="environment steps of all seeds a CPU second, evaluations apart",
        ),
    ),
    objective="reward",
    presets=PRESETS,
)

__all__ = ["SERVICE"]

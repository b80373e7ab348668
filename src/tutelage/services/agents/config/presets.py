"""Presets: how an environment is learned fast and surely; each is completed by the settings of a spec beside it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

TEAM: Mapping[str, Any] = {
    "hidden_size": 64,
    "num_layers": 2,
    "learning_rate": 2e-3,
    "entropy_coefficient": 0.01,
    "exploration_rate": 0.0,
    "signalling_weight": 0.5,
    "signalling_target": 0.3,
}
"""What the presets of teams have in common. Words keep 0.3 nats of uncertainty while they are learned: a word that two
situations share would otherwise become sure before another one is tried, and no listener learns what is never said.
"""

ORDERS: Mapping[str, Any] = {
    "hidden_size": 64,
    "num_layers": 2,
    "activation": "relu",
    "num_copies": 64,
    "rollout_steps": 18,
    "epochs": 4,
    "batch_size": 576,
    "learning_rate": 3e-3,
    "gamma": 0.9,
    "gae_lambda": 0.9,
    "exploration_rate": 0.0,
}
"""What the presets of a guide and its workers have in common."""

PRESETS: Mapping[str, Mapping[str, Any]] = {
    "cartpole": {
        "environment": {"id": "CartPole-v1"},
        "max_steps": 200_000,
        "hidden_size": 64,
        "num_layers": 2,
        "num_copies": 64,
        "rollout_steps": 16,
        "epochs": 10,
        "batch_size": 512,
        "learning_rate": 3e-3,
        "gamma": 0.98,
        "gae_lambda": 0.9,
        "exploration_rate": 0.0,
        "normalize_rewards": False,
    },
    "acrobot": {
        "environment": {"id": "Acrobot-v1"},
        "max_steps": 400_000,
        "hidden_size": 64,
        "num_layers": 2,
        "num_copies": 64,
        "rollout_steps": 64,
        "epochs": 4,
        "batch_size": 1024,
        "learning_rate": 2e-3,
        "gamma": 0.99,
        "gae_lambda": 0.94,
        "entropy_coefficient": 0.001,
        "exploration_rate": 0.0,
    },
    "speaker_listener": {
        "environment": {"id": "speaker_listener"},
        "max_steps": 598_400,
        **TEAM,
        "num_copies": 128,
        "rollout_steps": 25,
        "epochs": 8,
        "batch_size": 800,
        "gamma": 0.95,
    },
    "referential_game": {
        "environment": {"id": "referential_game"},
        "max_steps": 400_000,
        **TEAM,
        "hidden_size": 128,
        "activation": "relu",
        "num_copies": 256,
        "rollout_steps": 4,
        "epochs": 6,
        "batch_size": 512,
        "learning_rate": 3e-3,
        "gae_lambda": 1.0,
        "clip": 0.3,
        "signalling_weight": 0.3,
        "signalling_target": 0.6,
        "listening_weight": 0.1,
        "evaluation_episodes": 200,
    },
    "switch_riddle": {
        "environment": {"id": "switch_riddle"},
        "max_steps": 400_000,
        **TEAM,
        "num_copies": 256,
        "rollout_steps": 12,
        "epochs": 4,
        "batch_size": 768,
        "gamma": 0.9,
        "entropy_coefficient": 0.03,
        "signalling_weight": 0.1,
        "listening_weight": 0.1,
        "evaluation_episodes": 200,
        "communication_protocols": ["broadcast"],
        "channel": {"reading": "mean", "echo": True},
    },
    "announcement": {
        "environment": {"id": "announcement"},
        "max_agents": 5,
        "max_steps": 100_000,
        **ORDERS,
        "entropy_coefficient": 0.05,
        "signalling_weight": 0.3,
        "signalling_target": 0.6,
        "evaluation_episodes": 100,
        "communication_protocols": ["broadcast"],
    },
    "dispatch": {
        "environment": {"id": "dispatch", "kwargs": {"num_workers": 2, "num_tasks": 2, "cost": 0.5}},
        "max_steps": 60_000,
        **ORDERS,
        "entropy_coefficient": 0.1,
        "signalling_weight": 0.3,
        "signalling_target": 0.4,
        "listening_weight": 0.1,
        "evaluation_episodes": 100,
        "communication_protocols": ["direct"],
    },
    "nano": {
        "environment": {"id": "CartPole-v1"},
        "max_steps": 8_192,
        "hidden_size": 16,
        "num_layers": 1,
        "num_copies": 16,
        "rollout_steps": 32,
        "epochs": 2,
        "batch_size": 256,
        "learning_rate": 3e-3,
        "evaluation_episodes": 5,
        "final_episodes": 10,
    },
}
"""`nano` trains in a second, for tests. What the others reach, and which of them do not yet reach their mark, stands in
benchmarks/README.md.
"""

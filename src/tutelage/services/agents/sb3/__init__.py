"""`backend: "sb3"`: Stable-Baselines3's PPO, DQN and SAC under the metrics, commands and evaluation of this service."""

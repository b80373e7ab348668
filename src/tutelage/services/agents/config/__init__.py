"""The config of `agents`: names kept from the original system; no library is imported here."""

from tutelage.services.agents.config.document import AgentsConfig, EnvironmentSettings
from tutelage.services.agents.config.presets import PRESETS

__all__ = ["PRESETS", "AgentsConfig", "EnvironmentSettings"]

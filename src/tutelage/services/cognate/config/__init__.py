"""The config of `cognate`: names kept from the original system; no torch is imported here."""

from tutelage.services.cognate.config.document import CognateConfig
from tutelage.services.cognate.config.presets import PRESETS

__all__ = ["PRESETS", "CognateConfig"]

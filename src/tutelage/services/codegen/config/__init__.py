"""The config of `codegen`; its values stand in `default.toml`. No torch is imported here."""

from tutelage.services.codegen.config.data import DataConfig
from tutelage.services.codegen.config.decoding import DecodingConfig
from tutelage.services.codegen.config.defaults import PRESETS
from tutelage.services.codegen.config.document import PHASES, CodegenConfig, Phase
from tutelage.services.codegen.config.training import TrainingConfig
from tutelage.services.codegen.config.transformer import TransformerConfig

__all__ = [
    "PHASES",
    "PRESETS",
    "CodegenConfig",
    "DataConfig",
    "DecodingConfig",
    "Phase",
    "TrainingConfig",
    "TransformerConfig",
]

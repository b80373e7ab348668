"""What the training layer is called by: metrics, tunables, names. Without any library, so that declaring is cheap."""

from tutelage.core.training.glossary import VOLATILE, training_metrics, training_tunables
from tutelage.core.training.names import LOSSES, OPTIMIZERS, PRECISIONS, SCHEDULES, check_optimizer, check_schedule

__all__ = [
    "LOSSES",
    "OPTIMIZERS",
    "PRECISIONS",
    "SCHEDULES",
    "VOLATILE",
    "check_optimizer",
    "check_schedule",
    "training_metrics",
    "training_tunables",
]

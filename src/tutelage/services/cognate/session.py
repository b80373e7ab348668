"""The session API of the original pretraining service."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from tutelage.client.sessions import Sessions


class TrainingService(Sessions):
    """Pretraining sessions; a status shows the loss."""

    SERVICE = "cognate"
    FIGURES: ClassVar[Mapping[str, str]] = {"loss": "train_loss"}

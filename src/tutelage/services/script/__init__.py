"""`script`: runs the user's own training script, and hears what it reports."""

from __future__ import annotations

from tutelage.core.service import Metric, Service

SERVICE = Service(
    name="script",
    about="runs your own training script; three lines in it report metrics, checkpoints and hear commands",
    unit="step",
    config="tutelage.services.script.config:ScriptConfig",
    train="tutelage.services.script.train:train",
    supports=frozenset({"checkpoint", "branch"}),
    metrics=(
        Metric(name="train_loss", direction="minimize", about="loss on the data trained on, as the script reports it"),
        Metric(
            name="val_loss",
            direction="minimize",
            pairs="train_loss",
            about="loss on data held out, as the script reports it",
        ),
    ),
    objective="val_loss",
)

__all__ = ["SERVICE"]

"""`cognate`: pretrains a small reasoning language model with adaptive computation time and long-term memory."""

from __future__ import annotations

from tutelage.core.service import Metric, Service
from tutelage.core.training import training_metrics, training_tunables
from tutelage.services.cognate.config.presets import PRESETS

SERVICE = Service(
    name="cognate",
    about="pretrains a small language model on your texts: adaptive computation time, long-term memory, GrokFast",
    unit="step",
    scopes={"model": "step"},
    config="tutelage.services.cognate.config:CognateConfig",
    train="tutelage.services.cognate.train:train",
    use="tutelage.services.cognate.use:use",
    needs=("torch", "safetensors", "tokenizers"),
    extra="torch",
    supports=frozenset({"checkpoint", "branch", "tune"}),
    tunables=training_tunables({"learning_rate": "lr"}),
    metrics=(
        *training_metrics(item="token"),
        Metric(
            name="val_loss",
            direction="minimize",
            pairs="train_loss",
            unit="nats",
            about="held-out loss a token, as it is trained: cross-entropy plus act_tau x (N + R)",
        ),
        Metric(name="val_ce", direction="minimize", unit="nats", about="held-out cross-entropy a token"),
        Metric(
            name="val_bits_per_byte",
            direction="minimize",
            unit="bits",
            about="held-out cross-entropy a byte of text: comparable between vocabularies",
        ),
        Metric(name="train_ce", direction="minimize", unit="nats", about="cross-entropy a token of the step's batches"),
        Metric(name="train_ponder_steps", unit="steps", about="mean ponder steps of a token (N), in training"),
        Metric(name="val_ponder_steps", unit="steps", about="mean ponder steps of a held-out token (N)"),
        Metric(name="train_memory_reads", about="written slots that a token read, over all layers, in training"),
        Metric(name="val_memory_reads", about="written slots that a held-out token read, over all layers"),
        Metric(name="train_memory_writes", about="share of tokens that were written to memory, in training"),
        Metric(name="val_memory_writes", about="share of held-out tokens that were written to memory"),
        Metric(name="train_memory_gate", about="mean opening of the memory's gates, 0 to 1, in training"),
        Metric(name="val_memory_gate", about="mean opening of the memory's gates, 0 to 1, held out"),
    ),
    objective="val_loss",
    presets=PRESETS,
)

__all__ = ["SERVICE"]

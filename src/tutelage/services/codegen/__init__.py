"""`codegen`: trains an encoder-decoder Transformer from scratch that turns a sentence into WGSL."""

from __future__ import annotations

from tutelage.core.service import Metric, Service, ServiceCommand
from tutelage.core.training import training_metrics, training_tunables
from tutelage.services.codegen.config.defaults import PRESETS

SERVICE = Service(
    name="codegen",
    about="trains a Transformer that turns a sentence into WGSL: code that compiles and computes what was asked",
    unit="step",
    config="tutelage.services.codegen.config:CodegenConfig",
    train="tutelage.services.codegen.train:train",
    use="tutelage.services.codegen.use:use",
    needs=("torch", "safetensors", "tokenizers", "bm25s"),
    extra="codegen",
    reads_operations=True,
    supports=frozenset({"checkpoint", "branch", "tune"}),
    tunables=training_tunables({"learning_rate": "lr"}),
    metrics=(
        *training_metrics(item="token"),
        Metric(
            name="val_loss",
            direction="minimize",
            pairs="train_loss",
            unit="nats",
            about="loss a token on compositions held out, as it is trained: label smoothing included",
        ),
        Metric(
            name="val_ce", direction="minimize", unit="nats", about="cross-entropy a token on held-out compositions"
        ),
        Metric(name="train_ce", direction="minimize", unit="nats", about="cross-entropy a token of the step's batches"),
        Metric(
            name="val_exact_match",
            direction="maximize",
            about="share of held-out compositions written token for token, greedy and unconstrained",
        ),
        Metric(
            name="val_iid_exact_match",
            direction="maximize",
            about="the same on programs of compositions that are trained on, the programs themselves not",
        ),
        Metric(
            name="val_compile_at_1",
            direction="maximize",
            about="share of programs written for held-out compositions that Tint compiles, where it is installed",
        ),
    ),
    objective="val_loss",
    presets={name: {"preset": name} for name in PRESETS},
    commands={
        "bench": ServiceCommand(
            arguments="tutelage.services.codegen.commands.bench:BenchArguments",
            run="tutelage.services.codegen.commands.bench:bench",
            about="Measure speed, compare with earlier commits; exit 3 where a figure regressed beyond the noise.",
        ),
        "validate": ServiceCommand(
            arguments="tutelage.services.codegen.commands.validate:ValidateArguments",
            run="tutelage.services.codegen.commands.validate:validate",
            about="Tell whether a WGSL file compiles, with line and column; exit 1 where it does not.",
        ),
    },
)

__all__ = ["SERVICE"]

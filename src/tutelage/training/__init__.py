"""The training layer: one loop, its parts, and what makes a run exact to resume. Imports torch."""

from tutelage.core.errors import NonFiniteGradient
from tutelage.training.averaging import WeightAverage
from tutelage.training.batches import ShuffledIndices
from tutelage.training.best import load_best
from tutelage.training.checkpoint import load_weights, read_checkpoint, write_checkpoint
from tutelage.training.gradients import gradient_error, gradient_norms
from tutelage.training.grokfast import GradientFilter
from tutelage.training.keeping import Keeper
from tutelage.training.linear_cross_entropy import linear_cross_entropy, linear_cross_entropy_by_row
from tutelage.training.lion import Lion
from tutelage.training.loop import fit
from tutelage.training.losses import IGNORED, create_loss, cross_entropy, focal, huber, mse
from tutelage.training.optimizers import create_optimizer
from tutelage.training.outcome import Outcome
from tutelage.training.parameters import freeze, parameter_groups
from tutelage.training.plan import Clip, EarlyStopping, GrokFast, Group, NonFinite, Plan
from tutelage.training.precision import create_precision
from tutelage.training.progress import Progress
from tutelage.training.randomness import preserved, seed_everything, seed_of
from tutelage.training.schedules import create_schedule
from tutelage.training.sequences import Rows, pack_rows, pad_rows, windows
from tutelage.training.shards import TokenShards, write_shards
from tutelage.training.silent import SilentRun
from tutelage.training.steering import obey
from tutelage.training.task import CompilesTask, Loss, SamplesTask, StatefulTask, Task
from tutelage.training.tuning import Tuning
from tutelage.training.updater import Update, Updater
from tutelage.training.world import ALONE, World, join_world

__all__ = [
    "ALONE",
    "IGNORED",
    "Clip",
    "CompilesTask",
    "EarlyStopping",
    "GradientFilter",
    "GrokFast",
    "Group",
    "Keeper",
    "Lion",
    "Loss",
    "NonFinite",
    "NonFiniteGradient",
    "Outcome",
    "Plan",
    "Progress",
    "Rows",
    "SamplesTask",
    "ShuffledIndices",
    "SilentRun",
    "StatefulTask",
    "Task",
    "TokenShards",
    "Tuning",
    "Update",
    "Updater",
    "WeightAverage",
    "World",
    "create_loss",
    "create_optimizer",
    "create_precision",
    "create_schedule",
    "cross_entropy",
    "fit",
    "focal",
    "freeze",
    "gradient_error",
    "gradient_norms",
    "huber",
    "join_world",
    "linear_cross_entropy",
    "linear_cross_entropy_by_row",
    "load_best",
    "load_weights",
    "mse",
    "obey",
    "pack_rows",
    "pad_rows",
    "parameter_groups",
    "preserved",
    "read_checkpoint",
    "seed_everything",
    "seed_of",
    "windows",
    "write_checkpoint",
    "write_shards",
]

"""What can be wrong with a table or a fit: each with a stable code, the cause and the next step."""

from __future__ import annotations

from tutelage.core.errors import MemoryLimit, TrainingError


class DataUnreadable(TrainingError):
    """The source cannot be read as a table."""

    code = "data_unreadable"


class DataEmpty(TrainingError):
    """The source holds no rows or no columns."""

    code = "data_empty"


class DuplicateColumns(TrainingError):
    """Two columns carry one name."""

    code = "duplicate_columns"


class TooManyColumns(TrainingError):
    """More columns than a table may have."""

    code = "too_many_columns"


class TargetMissing(TrainingError):
    """The table has no column of the target's name, or no value in it."""

    code = "target_missing"


class FeatureMissing(TrainingError):
    """A named feature is not in the table."""

    code = "feature_missing"


class NoFeatures(TrainingError):
    """No column is left to learn from."""

    code = "no_features"


class TargetConstant(TrainingError):
    """The number to predict is the same in every row."""

    code = "target_constant"


class OneClass(TrainingError):
    """The class to predict is the same in every row."""

    code = "one_class"


class TargetNotNumeric(TrainingError):
    """A regression's target is not a number."""

    code = "target_not_numeric"


class TargetNotClasses(TrainingError):
    """A classification's target looks like a measured quantity."""

    code = "target_not_classes"


class NonFiniteTarget(TrainingError):
    """The target holds infinite values."""

    code = "non_finite_target"


class TooFewRows(TrainingError):
    """Not enough rows, or rows of a class, for the split that was asked for."""

    code = "too_few_rows"


class TooManyRows(TrainingError):
    """More rows than the split that was asked for can be done with."""

    code = "too_many_rows"


class TooFewClusters(TrainingError):
    """Fewer than two clusters were found, so that nothing can be scored."""

    code = "too_few_clusters"


class FitDeadline(TrainingError):
    """No fit ended within its deadline."""

    code = "fit_deadline"


class FitFailed(TrainingError):
    """No fit succeeded; the learner's own error is the message."""

    code = "fit_failed"


FIT_ERRORS: dict[str, type[TrainingError]] = {
    "memory_limit": MemoryLimit,
    "fit_deadline": FitDeadline,
    "fit_failed": FitFailed,
    "fit_crashed": FitFailed,
    "too_few_clusters": TooFewClusters,
}
"""Why a fit was lost -> the operation's error when every trial was lost."""

FIT_HINTS = {
    "memory_limit": "raise resources.memory_gib, or use fewer rows or columns",
    "fit_deadline": "raise options.fitTimeout, use fewer rows, or choose a lighter algorithm",
    "fit_failed": "the log names the trial and its parameters",
    "too_few_clusters": "use kmeans, other features, or another range by hyperparameterSearch.space",
    "fit_crashed": "the learner's process died by itself; the log has its last lines",
}

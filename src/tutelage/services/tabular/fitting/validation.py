"""Divides rows: the test, the folds, the final fit's validation part. Runs in the fit child."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.model_selection import (
    GroupKFold,
    GroupShuffleSplit,
    KFold,
    LeaveOneOut,
    RepeatedKFold,
    RepeatedStratifiedKFold,
    StratifiedGroupKFold,
    StratifiedKFold,
    TimeSeriesSplit,
    train_test_split,
)

from tutelage.services.tabular.catalog import MAX_LOO_ROWS
from tutelage.services.tabular.errors import TooFewRows, TooManyRows
from tutelage.services.tabular.fitting.messages import Divide, HoldOut, Rows

FINAL_SHARE = 0.15


def hold_out(request: HoldOut) -> tuple[Rows, Rows]:
    """Return row numbers (kept, held out), both sorted."""
    labels = np.asarray(request.labels)
    count = len(labels)
    num_held = max(1, round(count * request.share))
    if count - num_held < 2:
        raise TooFewRows(
            f"{count} rows cannot be divided into training and {request.share:.0%} held out", hint="give more rows"
        )
    if request.times is not None:
        order = np.argsort(request.times, kind="stable")
        kept, held = order[:-num_held], order[-num_held:]
    elif request.groups is not None:
        kept, held = _hold_out_groups(request, count)
    else:
        return _hold_out_rows(request, labels, num_held)
    if request.stratify:
        _check_kept(labels, kept)
    return np.sort(kept), np.sort(held)


def _hold_out_rows(request: HoldOut, labels: Any, num_held: int) -> tuple[Rows, Rows]:
    stratify = None
    count = len(labels)
    if request.stratify:
        _check_classes(labels, 2, "training and stratified test together")
        stratify = labels if min(num_held, count - num_held) >= len(np.unique(labels)) else None
    kept, held = train_test_split(
        np.arange(count), test_size=num_held, random_state=request.seed, stratify=stratify, shuffle=True
    )
    return np.sort(kept), np.sort(held)


def _hold_out_groups(request: HoldOut, count: int) -> tuple[Rows, Rows]:
    """Hold out whole groups: the share counts groups."""
    num_groups = len(np.unique(request.groups))
    if num_groups < 3:
        raise TooFewRows(f"{num_groups} groups cannot be divided for training and test", hint="give at least 3 groups")
    share = min(max(request.share, 1 / num_groups), 1 - 2 / num_groups)
    splitter = GroupShuffleSplit(1, test_size=share, random_state=request.seed)
    kept, held = next(splitter.split(np.zeros(count), groups=request.groups))
    return np.asarray(kept), np.asarray(held)


def _check_kept(labels: Any, kept: Rows) -> None:
    missing = np.setdiff1d(labels, labels[kept])
    if len(missing):
        raise TooFewRows(
            f"class {str(missing[0])!r} would only be in the rows held out, never trained on",
            hint="hold out less by testSize, or give more rows of that class",
        )


def divide(request: Divide, target: Any, *, has_classes: bool) -> list[tuple[Rows, Rows]]:
    """Return (training, validation) row numbers of each fold. Raises TooFewRows with what is needed."""
    needed = 3 if request.strategy == "loo" else 2 * request.folds
    if len(target) < needed:
        raise TooFewRows(
            f"{request.strategy} with {request.folds} folds needs at least {needed} training rows, got {len(target)}",
            hint="use fewer folds or give more rows",
        )
    folds = SPLITS[request.strategy](request, target, has_classes)
    if has_classes:
        _check_folds(folds, target, one_row=request.strategy == "loo")
    return folds


def _split(splitter: Any, target: Any, groups: Any = None) -> list[tuple[Rows, Rows]]:
    pairs = splitter.split(np.zeros(len(target)), target, groups)
    return [(np.asarray(train), np.asarray(held)) for train, held in pairs]


def _seed(request: Divide) -> int | None:
    return request.seed if request.shuffle else None


def _stratified(request: Divide, target: Any, has_classes: bool) -> list[tuple[Rows, Rows]]:
    _check_classes(target, request.folds, f"{request.folds} stratified folds")
    return _split(StratifiedKFold(request.folds, shuffle=request.shuffle, random_state=_seed(request)), target)


def _plain(request: Divide, target: Any, has_classes: bool) -> list[tuple[Rows, Rows]]:
    return _split(KFold(request.folds, shuffle=request.shuffle, random_state=_seed(request)), target)


def _grouped(request: Divide, target: Any, has_classes: bool) -> list[tuple[Rows, Rows]]:
    num_groups = len(np.unique(request.groups))
    if num_groups < request.folds:
        raise TooFewRows(f"{request.folds} folds need as many groups, got {num_groups}", hint="use fewer folds")
    kind = StratifiedGroupKFold if has_classes else GroupKFold
    if has_classes:
        _check_classes(target, request.folds, f"{request.folds} stratified folds of groups")
    return _split(kind(request.folds, shuffle=request.shuffle, random_state=_seed(request)), target, request.groups)


def _repeated(request: Divide, target: Any, has_classes: bool) -> list[tuple[Rows, Rows]]:
    kind = RepeatedStratifiedKFold if has_classes else RepeatedKFold
    if has_classes:
        _check_classes(target, request.folds, f"{request.folds} stratified folds")
    return _split(kind(n_splits=request.folds, n_repeats=request.repeats, random_state=request.seed), target)


def _leave_one_out(request: Divide, target: Any, has_classes: bool) -> list[tuple[Rows, Rows]]:
    if len(target) > MAX_LOO_ROWS:
        raise TooManyRows(
            f"loo makes a fit for each row, at most {MAX_LOO_ROWS}; there are {len(target)} training rows",
            hint="use repeated, or stratified_kfold or kfold with 10 folds",
        )
    return _split(LeaveOneOut(), target)


def _by_time(request: Divide, target: Any, has_classes: bool) -> list[tuple[Rows, Rows]]:
    """Train on the oldest rows and validate on those that follow, further on with each fold."""
    order = np.argsort(request.times, kind="stable")
    return [(order[train], order[held]) for train, held in _split(TimeSeriesSplit(request.folds), target)]


SPLITS: dict[str, Callable[[Divide, Any, bool], list[tuple[Rows, Rows]]]] = {
    "stratified_kfold": _stratified,
    "kfold": _plain,
    "group": _grouped,
    "repeated": _repeated,
    "loo": _leave_one_out,
    "timeseries": _by_time,
}


def final_split(request: Divide, target: Any, *, has_classes: bool) -> tuple[Rows, Rows]:
    """Divide the training rows for the final fit: 15 % validate it, by group or time where the folds go by those."""
    by_column = request.groups is not None or request.times is not None
    stratify = has_classes and (by_column or bool(np.unique(target, return_counts=True)[1].min() >= 2))
    share = max(FINAL_SHARE, 2 / len(target))
    return hold_out(
        HoldOut(
            labels=target,
            share=share,
            seed=request.seed,
            stratify=stratify,
            groups=request.groups,
            times=request.times,
        )
    )


def _check_classes(labels: Any, needed: int, what: str) -> None:
    names, counts = np.unique(labels, return_counts=True)
    if counts.min() < needed:
        rare = int(counts.argmin())
        raise TooFewRows(
            f"{what} need at least {needed} rows of each class; class {str(names[rare])!r} has {counts[rare]}",
            hint="use fewer folds, give more rows of that class, or leave the class out",
        )


def _check_folds(folds: list[tuple[Rows, Rows]], target: Any, *, one_row: bool) -> None:
    """Refuse folds in which a class is never trained on, or only one class is validated (but for one row)."""
    classes = np.unique(target)
    for index, (train, held) in enumerate(folds):
        missing = np.setdiff1d(classes, target[train])
        if len(missing) or (not one_row and len(np.unique(target[held])) < 2):
            what = f"class {str(missing[0])!r} is not in its training rows" if len(missing) else "only one class in it"
            raise TooFewRows(f"fold {index}: {what}", hint="use stratified_kfold, fewer folds, or shuffle the rows")

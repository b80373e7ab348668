"""Divides rows: the test, the folds, the final fit's validation part. Runs in the fit child."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.model_selection import KFold, StratifiedKFold, train_test_split

from tutelage.services.tabular.errors import TooFewRows
from tutelage.services.tabular.messages import Divide, HoldOut, Rows

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
    stratify = None
    if request.stratify:
        _check_classes(labels, 2, "training and stratified test together")
        stratify = labels if min(num_held, count - num_held) >= len(np.unique(labels)) else None
    kept, held = train_test_split(
        np.arange(count), test_size=num_held, random_state=request.seed, stratify=stratify, shuffle=True
    )
    return np.sort(kept), np.sort(held)


def divide(request: Divide, target: Any, *, has_classes: bool) -> list[tuple[Rows, Rows]]:
    """Return (training, validation) row numbers of each fold. Raises TooFewRows with what is needed."""
    if len(target) < 2 * request.folds:
        raise TooFewRows(
            f"{request.folds} folds need at least {2 * request.folds} training rows, got {len(target)}",
            hint="use fewer folds or give more rows",
        )
    seed = request.seed if request.shuffle else None
    if request.strategy == "stratified_kfold":
        _check_classes(target, request.folds, f"{request.folds} stratified folds")
        splitter: Any = StratifiedKFold(request.folds, shuffle=request.shuffle, random_state=seed)
    else:
        splitter = KFold(request.folds, shuffle=request.shuffle, random_state=seed)
    folds = [(np.asarray(train), np.asarray(held)) for train, held in splitter.split(np.zeros(len(target)), target)]
    if has_classes:
        _check_folds(folds, target)
    return folds


def final_split(request: Divide, target: Any, *, has_classes: bool) -> tuple[Rows, Rows]:
    """Divide the training rows for the final fit: 15 % validate it."""
    stratify = has_classes and bool(np.unique(target, return_counts=True)[1].min() >= 2)
    share = max(FINAL_SHARE, 2 / len(target))
    return hold_out(HoldOut(labels=target, share=share, seed=request.seed, stratify=stratify))


def _check_classes(labels: Any, needed: int, what: str) -> None:
    names, counts = np.unique(labels, return_counts=True)
    if counts.min() < needed:
        rare = int(counts.argmin())
        raise TooFewRows(
            f"{what} need at least {needed} rows of each class; class {str(names[rare])!r} has {counts[rare]}",
            hint="use fewer folds, give more rows of that class, or leave the class out",
        )


def _check_folds(folds: list[tuple[Rows, Rows]], target: Any) -> None:
    """Refuse folds in which a class is never trained on, or only one class is validated."""
    classes = np.unique(target)
    for index, (train, held) in enumerate(folds):
        missing = np.setdiff1d(classes, target[train])
        if len(missing) or len(np.unique(target[held])) < 2:
            what = f"class {str(missing[0])!r} is not in its training rows" if len(missing) else "only one class in it"
            raise TooFewRows(f"fold {index}: {what}", hint="use stratified_kfold, or shuffle the rows")

"""Reads real data that ships inside scikit-learn and statsmodels, and sets of OpenML where the network allows."""

from __future__ import annotations

import importlib
import socket
import urllib.error
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException
from typing import Any

import pandas as pd

from tutelage.services.tabular.data.limits import Budget
from tutelage.services.tabular.data.readers.base import Content, first_line, frame_hash, named
from tutelage.services.tabular.errors import DataUnreadable

NETWORK_S = 30.0


def read_sklearn(source: str, budget: Budget) -> Content:
    """Return one of scikit-learn's own sets; its target is the column `target`."""
    from sklearn import datasets  # late: 1 s of import that files do not need

    frame = getattr(datasets, f"load_{_name(source)}")(as_frame=True).frame
    return Content(frame=frame, format="sklearn", sha256=frame_hash(frame))


def read_statsmodels(source: str, budget: Budget) -> Content:
    """Return one of statsmodels' own sets; an index of dates or names becomes the first column."""
    name = _name(source)
    frame = importlib.import_module(f"statsmodels.datasets.{name}").load_pandas().data
    if not isinstance(frame.index, pd.RangeIndex):
        label = str(frame.index.name or ("date" if isinstance(frame.index, pd.DatetimeIndex) else "row"))
        frame = frame.rename_axis(label).reset_index()
    frame = named(frame, source)
    return Content(frame=frame, format="statsmodels", sha256=frame_hash(frame))


def read_openml(source: str, budget: Budget) -> Content:
    """Fetch a set by its number. Raises DataUnreadable where the network or the server refuses."""
    from sklearn.datasets import fetch_openml  # late: as above

    try:
        with _bounded_network(), warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # that a set has several versions, or a mirror is slow
            bunch = fetch_openml(data_id=int(_name(source)), as_frame=True, parser="auto", n_retries=1, delay=0.5)
    except (urllib.error.URLError, HTTPException, OSError, ValueError) as error:
        raise DataUnreadable(
            f"{source} cannot be fetched: {first_line(error)}",
            hint="check the network or the number; without a network, give the table as a file",
        ) from error
    frame = _plain(named(bunch.frame, source))
    return Content(frame=frame, format="openml", sha256=frame_hash(frame))


@contextmanager
def _bounded_network() -> Iterator[None]:
    """Give up on a silent server; scikit-learn's own call has no limit."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(NETWORK_S)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def _plain(frame: Any) -> Any:
    return frame.astype({name: object for name in frame.columns if str(frame[name].dtype) == "category"})


def _name(source: str) -> str:
    return source.partition(":")[2]

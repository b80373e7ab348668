"""A table with wrong labels: as many as asked for, never the true one, the same for a seed, nothing else changed."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_breast_cancer, load_wine

from tutelage.core.errors import InvalidSpec
from tutelage.services.tabular.data.mislabel import mislabelled

TABLES = {"two classes": load_breast_cancer(as_frame=True).frame, "three classes": load_wine(as_frame=True).frame}


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("share", [0.1, 0.25, 0.9])
def test_so_many_labels_are_wrong_and_nothing_else_is_changed(name: str, share: float) -> None:
    frame = TABLES[name]
    changed = mislabelled(frame, share, seed=3)
    assert int((changed["target"] != frame["target"]).sum()) == round(share * len(frame))
    assert set(changed["target"]) == set(frame["target"])
    pd.testing.assert_frame_equal(changed.drop(columns="target"), frame.drop(columns="target"))


def test_the_seed_decides_which() -> None:
    frame = TABLES["two classes"]
    first, again, other = (mislabelled(frame, 0.25, seed=seed)["target"] for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("share", [0.0, 1.0, -0.5])
def test_a_share_that_is_none_is_refused(share: float) -> None:
    with pytest.raises(InvalidSpec, match="between 0 and 1"):
        mislabelled(TABLES["two classes"], share)

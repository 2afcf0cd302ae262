"""Held-out rows, recognised by the labels of an index and the names of groups."""

import numpy as np
import pandas as pd
import pytest

from sk_mtl.estimators._rows._held_out import HeldOutRows
from sk_mtl.estimators._rows._labelled_rows import LabelledRows

N_SAMPLES, VALID = 20, np.array([3, 11, 17])
TRAIN = np.setdiff1d(np.arange(N_SAMPLES), VALID)


def rows(X, groups=None):
    return LabelledRows(X, np.zeros((len(X), 1)), None, groups)


def table(index):
    return pd.DataFrame({"x": np.zeros(N_SAMPLES)}, index=index)


@pytest.mark.parametrize(
    ("first", "later"),
    [
        (range(100, 120), pd.Index(range(100, 120), dtype=float)),
        (range(-10, 10), pd.Index(range(-10, 10), dtype="int8")),
        (range(100, 120), pd.Index(range(100, 120), dtype=object)),
        (range(100, 120), pd.Index(range(100, 120), dtype="Int64")),
        (
            list("abcdefghijklmnopqrst"),
            pd.CategoricalIndex(list("abcdefghijklmnopqrst")),
        ),
        (
            pd.date_range("2020", periods=N_SAMPLES, unit="ns"),
            pd.date_range("2020", periods=N_SAMPLES, unit="s"),
        ),
    ],
)
def test_a_row_is_known_by_its_label_in_an_index_of_any_type(first, later):
    held_out = HeldOutRows.of(rows(table(first)), TRAIN, VALID)
    order = np.random.default_rng(0).permutation(N_SAMPLES)
    found = held_out.find(rows(table(later).iloc[order]), 0.1)[1]
    assert sorted(order[found]) == VALID.tolist()


@pytest.mark.parametrize("as_groups", [False, True])
def test_text_is_another_name_than_the_number_that_it_reads(as_groups):
    names = [*range(10), *map(str, range(10))]
    X, groups = (table(None), names) if as_groups else (table(names), None)
    held_out = HeldOutRows.of(rows(X, groups), TRAIN, VALID)
    assert held_out.find(rows(X, groups), 0.1)[1].tolist() == VALID.tolist()


@pytest.mark.parametrize("dtype", ["Int64", "float", "string", "datetime64[ns]"])
def test_one_label_of_an_index_may_be_missing(dtype):
    labels = pd.Series(range(1, N_SAMPLES)).astype(dtype)
    X = table(pd.Index(pd.concat([pd.Series([None], dtype=dtype), labels])))
    held_out = HeldOutRows.of(rows(X), TRAIN, VALID)
    assert held_out.find(rows(X[::-1]), 0.1)[1].tolist() == [2, 8, 16]

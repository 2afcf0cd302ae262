"""Tables that several test files of this folder use."""

import numpy as np
import pandas as pd
import pytest
import sklearn


def import_polars():
    """Import polars, or skip the test where scikit-learn cannot take its frames."""
    polars = pytest.importorskip("polars")
    old = tuple(map(int, sklearn.__version__.split(".")[:2])) < (1, 9)
    if old and not hasattr(polars.DataFrame, "__dataframe__"):
        pytest.skip("this scikit-learn needs the interchange protocol of polars < 2")
    return polars


def make_mixed_frame(n_samples=60, seed=0):
    """A frame with every kind of column; `income` and `town` have gaps."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "town": rng.choice(["Oslo", "Rome", "Bonn"], n_samples).astype(object),
            "age": rng.integers(18, 90, n_samples),
            "colour": pd.Categorical(rng.choice(["red", "blue"], n_samples)),
            "income": rng.lognormal(10, 1, n_samples),
            "member": rng.random(n_samples) < 0.5,
            "visits": pd.array(rng.integers(0, 9, n_samples), dtype="Int64"),
        }
    )
    frame.loc[3, "income"] = np.nan
    frame.loc[4, "town"] = None
    return frame


def make_coded_array(n_samples=60, seed=0):
    """A float array: two numbers, then two columns of codes with -1 and NaN."""
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 5, (n_samples, 2)).astype(float)
    codes[0, 0], codes[1, 1] = -1, np.nan
    return np.hstack([rng.normal(size=(n_samples, 2)), codes])


def objects(values):
    """Return a one-dimensional object array, whatever the values are."""
    array = np.empty(len(values), dtype=object)
    for i, value in enumerate(values):
        array[i] = value
    return array


def column(values, dtype=object, name="c"):
    """Return a frame of one column."""
    return pd.DataFrame({name: pd.Series(objects(values), dtype=object).astype(dtype)})

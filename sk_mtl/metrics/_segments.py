"""Segments of rows, such as the devices of impressions, for tables of scores."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from sk_mtl._close_names import did_you_mean
from sk_mtl._frames import as_pandas, column_as_pandas, is_frame

#: Label of the row of a table that counts all segments together.
ALL_ROWS = "all rows"


class Segments(NamedTuple):
    """The segment of each row.

    Attributes
    ----------
    name : str
        What the segments are called in a table.
    codes : ndarray of int of shape (n_samples,)
        Positions of the rows' segments among `labels`.
    labels : list
        In sorted order; NaN is the segment of the rows without one.
    """

    name: str
    codes: np.ndarray
    labels: list

    def split(self, positions):
        """Yield the label and the mask of all rows, then of each segment.

        Parameters
        ----------
        positions : ndarray of int
            The rows to split.
        """
        yield ALL_ROWS, np.ones(len(positions), bool)
        codes = self.codes[positions]
        for code, label in enumerate(self.labels):
            yield label, codes == code


def read_segments(by, n_samples, X=None, has_X=False):
    """Return the segments of rows, or raise.

    Parameters
    ----------
    by : str, callable, or array-like of shape (n_samples,)
        A column of X, a function of X, or the segments themselves.
    n_samples : int
    X : DataFrame or array-like, default=None
    has_X : bool, default=False
        Whether there is a table to look columns up in.
    """
    name = "segment"
    if isinstance(by, str):
        name, by = by, _column_of(by, X, has_X)
    elif callable(by):
        if not has_X:
            _refuse(f"the function {by!r}")
        by = by(X)
    if is_frame(by):
        frame = as_pandas(by)
        if frame.shape[1] != 1:
            _refuse(f"a table with the columns {list(frame.columns)}")
        by = frame.iloc[:, 0]
    if hasattr(by, "to_pandas"):
        by = column_as_pandas(by)
    name = name if getattr(by, "name", None) is None else str(by.name)
    if np.ndim(by) != 1 or len(by) != n_samples:
        raise ValueError(
            f"by must hold one segment per row, in shape ({n_samples},); found shape "
            f"{np.shape(by)}. Give one column, or join several into one."
        )
    codes, labels = pd.factorize(pd.Series(by), sort=True, use_na_sentinel=False)
    return Segments(name, codes, list(labels))


def segment_frame(rows, level, segments):
    """Return a table of scores with the levels task and segment in its index.

    Parameters
    ----------
    rows : list of (task, segment, dict)
    level : str
        What tasks are called.
    segments : Segments
    """
    tasks, labels, values = zip(*rows, strict=True)
    index = pd.MultiIndex.from_arrays(
        [
            pd.Index(tasks, tupleize_cols=False),
            pd.Index(labels, dtype=object, tupleize_cols=False),
        ],
        names=[level, segments.name],
    )
    return pd.DataFrame(list(values), index=index)


def _column_of(name, X, has_X):
    if not has_X:
        _refuse(f"the name {name!r}")
    X = as_pandas(X) if is_frame(X) else X
    columns = list(getattr(X, "columns", []))
    if name not in columns:
        found = f"columns {columns}" if columns else "a table without names"
        hint = did_you_mean(name, [str(column) for column in columns])
        raise ValueError(
            f"by must be a column of X, a function of X, or one segment per row; found "
            f"{name!r}, and {found}. {hint or 'Name one of them, or give an array.'}"
        )
    return X[name]


def _refuse(found):
    raise ValueError(
        f"by must hold one segment per row; found {found}. Give a column, for instance "
        "by=X['device']."
    )

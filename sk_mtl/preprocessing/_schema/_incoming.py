"""The table that a step of a preprocessor was fitted on, and the codes in it."""

import copy
from functools import cached_property

import numpy as np
import pandas as pd

from sk_mtl._sklearn_compat import _safe_indexing


class Incoming:
    """The table that a step of a preprocessor was fitted on, made when it is needed.

    Parameters
    ----------
    make_table : callable
        Returns the training rows as the step saw them.
    make_names : callable
        Returns the names of the columns, None where they have none.
    make_blocks : callable, default=None
        Returns the blocks of the columns; None for a table without codes.
    head : DataFrame, default=None
        The columns of the raw table that this one was made of, without rows; None
        where they have no names.
    """

    def __init__(self, make_table, make_names, make_blocks=None, head=None):
        self._make_table = make_table
        self._make_names = make_names
        self._make_blocks = make_blocks
        self.head = head

    @classmethod
    def of_raw(cls, X):
        """Return the table that a whole preprocessor was fitted on."""
        if not isinstance(X, pd.DataFrame):
            return cls(lambda: X, lambda: None)
        return cls(lambda: X, lambda: list(X.columns), head=X.iloc[:0])

    @cached_property
    def table(self):
        """The table."""
        return self._make_table()

    @cached_property
    def names(self):
        """Names of its columns, or None."""
        return self._make_names()

    @cached_property
    def blocks(self):
        """Blocks of its columns; none where no column is known to hold codes."""
        blocks = self._make_blocks() if self._make_blocks else []
        return blocks if any(block.kind != "numeric" for block in blocks) else []

    @property
    def may_hold_codes(self):
        """Return whether an encoder stands somewhere before."""
        return self._make_blocks is not None

    def select(self, columns):
        """Return some of the columns, in the forms that a ColumnTransformer takes.

        None for a single column that becomes a vector.
        """
        if np.ndim(columns) == 0 and not isinstance(columns, slice):
            return None

        def make_names():
            if self.names is None:
                return None
            names = np.array([*self.names, None], dtype=object)[:-1]
            return list(names[positions_of(columns, self.names)])

        def make_blocks():
            every = np.arange(self.table.shape[1])
            return follow(self.blocks, every[positions_of(columns, self.names)])

        def take(table):
            return None if table is None else _safe_indexing(table, columns, axis=1)

        return Incoming(
            lambda: take(self.table),
            make_names,
            make_blocks if self.may_hold_codes else None,
            # Behind another step, names are not the raw table's.
            self.head if self.may_hold_codes else take(self.head),
        )


def positions_of(columns, names):
    """Return positions of a step's input columns, given in any form."""
    index = pd.Index([] if names is None else names)
    if isinstance(columns, slice):
        ends = (columns.start, columns.stop)
        if any(isinstance(end, str) for end in ends):
            return index.slice_indexer(*ends)
        return columns
    columns = np.atleast_1d(np.asarray(columns))
    return columns if columns.dtype.kind in "biu" else index.get_indexer(columns)


def follow(blocks, origins):
    """Return blocks of the columns picked, unchanged, from other blocks.

    Parameters
    ----------
    blocks : list of block
    origins : ndarray of int
        For each new column the position of the one that it equals, -1 for none.

    Returns
    -------
    followed : list of block
        With positions among the new columns. The places of a sequence that are left
        make a shorter one, if they are in order.
    """
    followed = []
    for block in blocks:
        index = {position: j for j, position in enumerate(block.positions.tolist())}
        new = [k for k, origin in enumerate(origins.tolist()) if origin in index]
        kept = [index[origins[k]] for k in new]
        if not new:
            continue
        if block.kind == "sequence":
            if np.any(np.diff(kept) <= 0):
                continue
            taken = copy.copy(block)
        else:
            taken = block.take(kept)
        taken.positions = np.array(new)
        followed.append(taken)
    return followed

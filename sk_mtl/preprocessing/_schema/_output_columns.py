"""Columns of a preprocessor's output, in any of its forms."""

import numpy as np
from scipy import sparse

from sk_mtl._frames import as_pandas
from sk_mtl.preprocessing._tables._unjoined_columns import UnjoinedColumns


def as_table(Z):
    """Return a transformer's output in a form that columns are quickly taken of."""
    if sparse.issparse(Z):
        return Z.tocsc()
    return Z if isinstance(Z, np.ndarray | UnjoinedColumns) else as_pandas(Z)


def take_columns(Z, where):
    """Return columns of a transformer's output, as an array or a pandas data frame."""
    if sparse.issparse(Z):
        return Z.tocsc()[:, where].toarray()
    if isinstance(Z, np.ndarray):
        return Z[:, where]
    if isinstance(Z, UnjoinedColumns):
        return Z.take(where)
    return as_pandas(Z).iloc[:, where]


def as_slice(positions):
    """Return adjacent positions as a slice, which copies nothing."""
    if len(positions) and np.all(np.diff(positions) == 1):
        return slice(int(positions[0]), int(positions[-1]) + 1)
    return np.asarray(positions)

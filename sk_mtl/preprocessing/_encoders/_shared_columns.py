"""Columns of one encoder that share a vocabulary."""

from numbers import Integral

import numpy as np

from sk_mtl._close_names import did_you_mean
from sk_mtl.preprocessing._encoders._column_groups import distinct_groups
from sk_mtl.preprocessing._encoders._united_vocabularies import recode, unite


def shared_positions(share, names):
    """Return the positions of the columns of each group.

    Parameters
    ----------
    share : list of list of str or int, or None
        The parameter of the encoder.
    names : list of str
        Names of its columns.

    Returns
    -------
    groups : list of list of int
    """
    return distinct_groups(
        share or (), "share", lambda column: _position(column, names)
    )


def unite_groups(vocabularies, groups, names):
    """Return vocabularies with common codes within each group.

    Parameters
    ----------
    vocabularies : list of Vocabulary
    groups : list of list of int
    names : list of str
    """
    united = list(vocabularies)
    for group in groups:
        own = [vocabularies[j] for j in group]
        new = unite(own, [names[j] for j in group])
        for j, vocabulary in zip(group, new, strict=True):
            united[j] = vocabulary
    return united


def recode_blocks(blocks, vocabularies, united):
    """Write the common codes of each column over its own codes.

    Parameters
    ----------
    blocks : iterable of ndarray
        The codes of each column.
    vocabularies, united : list of Vocabulary
        The ones that made the codes, and the ones with common codes.
    """
    for block, old, new in zip(blocks, vocabularies, united, strict=True):
        if new is not old:
            block[...] = recode(old, new)[block.astype(np.intp, copy=False)]


def _position(column, names):
    n_columns = len(names)
    if isinstance(column, Integral) and not isinstance(column, bool):
        if 0 <= column < n_columns:
            return int(column)
        raise ValueError(
            f"share must hold names of columns or positions from 0 to {n_columns - 1}; "
            f"found {column}. The encoder has {n_columns} columns."
        )
    if column in names:
        return names.index(column)
    remedy = did_you_mean(str(column), names) or (
        "Columns of different encoders share by shared_embedding of an estimator."
    )
    raise ValueError(
        f"share must name columns of the encoder, {names}; found {column!r}. {remedy}"
    )

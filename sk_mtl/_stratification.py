"""Rows spread over parts so that each part has its share of every label of every task.

One stratum per combination of labels is enough for one or two tasks; with more there
are soon as many combinations as rows. Here each label of each task is spread for
itself, the rare ones first, as in iterative stratification (Sechidis, Tsoumakas and
Vlahavas, "On the Stratification of Multi-label Data", 2011).
"""

import numpy as np
from scipy import sparse


def joint_labels(labels):
    """Number the combinations of labels, 0, 1, ... in the order of their labels.

    Parameters
    ----------
    labels : ndarray of int of shape (n_samples, n_tasks)
        At least -1, which stands for a missing label.

    Returns
    -------
    joint : ndarray of int of shape (n_samples,)
    """
    joint = np.zeros(len(labels), dtype=np.int64)
    for column in labels.T.astype(np.int64) + 1:
        # Renumbering after each task keeps the numbers below the number of rows.
        combined = joint * (column.max(initial=0) + 1) + column
        joint = np.unique(combined, return_inverse=True)[1]
    return joint


def stratified_parts(labels, sizes, *, rng=None):
    """Return the part of each row.

    Of the rows with one combination of labels every part gets its share, rounded down.
    The rest are placed one by one, the rarest labels first, where their labels are
    missed most. A label of at least as many rows as there are parts is wanted in each.

    Parameters
    ----------
    labels : ndarray of int of shape (n_samples, n_tasks)
        At least -1, which stands for a missing label.
    sizes : sequence of int
        Rows of each part; their sum is n_samples.
    rng : RandomState, default=None
        Draws which rows of one combination go where. None keeps them in their order.

    Returns
    -------
    parts : ndarray of int of shape (n_samples,)
    """
    sizes = np.asarray(sizes)
    shares = sizes / sizes.sum()
    pattern = joint_labels(labels)
    first, n_rows = np.unique(pattern, return_index=True, return_counts=True)[1:]
    ids = _label_ids(labels)[first]
    counts = _label_counts(ids, np.arange(len(ids)))
    totals = counts.T @ n_rows
    placed = np.floor(np.outer(n_rows, shares) + 1e-9).astype(np.int64)
    units = np.repeat(np.arange(len(ids)), n_rows - placed.sum(axis=1))
    units = units if rng is None else rng.permutation(units)
    units = units[np.argsort(totals[ids].min(axis=1)[units], kind="stable")]
    wanted = _wanted(totals, shares)
    room = sizes - placed.sum(axis=0)
    for unit, part in _place(counts, counts.T @ placed, wanted, units, room):
        placed[unit, part] += 1
    order = np.arange(len(labels)) if rng is None else rng.permutation(len(labels))
    order = order[np.argsort(pattern[order], kind="stable")]
    parts = np.empty(len(labels), dtype=np.int64)
    each = np.tile(np.arange(len(sizes)), len(n_rows))
    parts[order] = np.repeat(each, placed.ravel())
    return parts


def stratified_group_parts(labels, groups, shares, *, rng=None):
    """Return the part of each row; rows of one group are in the same part.

    The largest groups are placed first, each where its labels are missed most.

    Parameters
    ----------
    labels : ndarray of int of shape (n_samples, n_tasks)
        At least -1, which stands for a missing label.
    groups : ndarray of int of shape (n_samples,)
        From 0 to the number of groups - 1.
    shares : sequence of float
        Share of the rows that each part should have; their sum is 1.
    rng : RandomState, default=None
        Draws the order of groups of equal size. None keeps their order.

    Returns
    -------
    parts : ndarray of int of shape (n_samples,)
    """
    shares = np.asarray(shares)
    # All rows have one label in common, so that the parts get their sizes.
    ids = _label_ids(np.column_stack([np.zeros(len(labels), dtype=int), labels]))
    counts = _label_counts(ids, groups)
    wanted = _wanted(np.asarray(counts.sum(axis=0)).ravel(), shares)
    sizes = np.bincount(groups)
    units = np.arange(len(sizes)) if rng is None else rng.permutation(len(sizes))
    units = units[np.argsort(-sizes[units], kind="stable")]
    found = np.empty(len(sizes), dtype=np.int64)
    for group, part in _place(counts, 0, wanted, units):
        found[group] = part
    return found[groups]


def _label_ids(labels):
    """Number the labels of all tasks together, in the shape of `labels`."""
    _, columns = zip(*[np.unique(c, return_inverse=True) for c in labels.T])
    n_labels = [column.max(initial=-1) + 1 for column in columns]
    return np.column_stack(columns) + np.cumsum([0, *n_labels[:-1]])


def _label_counts(ids, units):
    """Count the labels of each unit, a sparse matrix (n_units, n_labels)."""
    rows = np.repeat(units, ids.shape[1])
    return sparse.csr_array((np.ones(ids.size), (rows, ids.ravel())))


def _wanted(totals, shares):
    """Return how many rows of each label each part should have, (n_labels, n_parts)."""
    wanted = np.outer(totals, shares)
    enough = totals >= len(shares)
    wanted[enough] = np.maximum(wanted[enough], 1)
    wanted[:, shares.argmax()] += totals - wanted.sum(axis=1)
    return wanted


def _place(counts, placed, wanted, units, room=None):
    """Yield each unit with its part, chosen by what is missed there.

    The part is the one that lowers the sum of squares of what is missed most, each
    label relative to its number of rows.

    Parameters
    ----------
    counts : csr_array of shape (n_units, n_labels)
    placed, wanted : arrays of shape (n_labels, n_parts)
        Rows of each label that each part has and should have.
    units : ndarray of int
        In the order in which they are placed.
    room : ndarray of int of shape (n_parts,), default=None
        How many units each part can take.
    """
    missed = wanted - placed
    weight = 1 / wanted.sum(axis=1) ** 2
    for unit in units.tolist():
        own = slice(counts.indptr[unit], counts.indptr[unit + 1])
        ids, n_rows = counts.indices[own], counts.data[own]
        score = (n_rows * weight[ids]) @ missed[ids]
        if room is not None:
            score[room == 0] = -np.inf
        part = score.argmax()
        missed[ids, part] -= n_rows
        if room is not None:
            room[part] -= 1
        yield unit, part

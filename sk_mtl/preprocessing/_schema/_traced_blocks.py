"""Codes that pass unchanged through a step behind their encoder."""

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.preprocessing import OneHotEncoder, TargetEncoder

from sk_mtl._frames import as_pandas
from sk_mtl._sklearn_compat import _safe_indexing
from sk_mtl._warnings import warn_user
from sk_mtl.exceptions import ColumnWarning
from sk_mtl.preprocessing._schema._incoming import follow

_TRANSPARENT = ("passthrough", None)

# Largest number of pairs of columns for which untraced numbers are matched by value.
_N_COMPARED = 10_000

# Rows that show whether a step computes numbers from codes.
_N_PROBED = 256


def traced_blocks(step, columns, incoming, told=None, *, is_input=True):
    """Return blocks of the columns that a step passes on unchanged.

    A column is passed on if the step declares it, by the columns it selects or by their
    names, or else if it has as many columns as before; and if all of its values on the
    training rows are the same. A `ColumnWarning` names the codes that are changed.

    Parameters
    ----------
    step : fitted transformer, "passthrough" or None
    columns : array or data frame of shape (n_samples, n_outputs)
        What it made of the training rows.
    incoming : Incoming
        What it was fitted on.
    told : ndarray of int, default=None
        For each of the columns, the one that it was before, -1 for none. None asks the
        step.
    is_input : bool, default=True
        Whether the step reads the table that comes in, rather than has an encoder that
        writes it.

    Returns
    -------
    blocks : list of block
        Their positions are among the step's own columns.
    """
    before, after = _Columns(incoming.table), _Columns(columns)
    if told is None:
        told = told_origins(step, incoming.names, before.n_columns, after.n_columns)
    candidates = told
    if told is None:
        same_number = before.n_columns == after.n_columns
        candidates = np.arange(after.n_columns) if same_number else []
    origins = np.full(after.n_columns, -1)
    for k, origin in enumerate(candidates):
        if origin >= 0 and before.equal(origin, after, k):
            origins[k] = origin
    codes = [block for block in incoming.blocks if block.kind != "numeric"]
    if told is None:
        _find_by_values(codes, before, after, origins)
        if before.n_columns * after.n_columns <= _N_COMPARED:
            numbers = [block for block in incoming.blocks if block.kind == "numeric"]
            _find_by_values(numbers, before, after, origins)
        told = origins if (origins >= 0).all() else None
    blocks = follow(incoming.blocks, origins)
    _warn_of_changed(step, codes, blocks, told)
    if is_input:
        _warn_of_mixed(step, codes, after, origins, incoming)
    return blocks


def told_origins(step, names, n_before, n_after):
    """Return the column that each output column of a step is, by the step itself.

    Parameters
    ----------
    step : fitted transformer, "passthrough" or None
    names : list of str or None
        Names of the columns before.
    n_before, n_after : int
        Number of columns before and after.

    Returns
    -------
    origins : ndarray of int or None
        Positions among the columns before, -1 for a new column. None if the step does
        not declare them.
    """
    if step in _TRANSPARENT:
        return np.arange(n_after)
    if hasattr(step, "get_support"):
        chosen = step.get_support(indices=True)
        return chosen if len(chosen) == n_after else None
    tokens = getattr(step, "feature_names_in_", names)
    if tokens is None or len(set(tokens)) < n_before:
        tokens = [f"x{j}" for j in range(n_before)]
    tokens = np.array(tokens, dtype=object)
    try:
        given = list(step.get_feature_names_out(tokens))
    except (AttributeError, ValueError, TypeError):
        return None
    position = {token: j for j, token in enumerate(tokens.tolist())}
    origins = np.array([position.get(name, -1) for name in given], dtype=int)
    return origins if len(given) == n_after and (origins >= 0).any() else None


class _Columns:
    """Columns of a table of any kind as vectors of numbers."""

    def __init__(self, table):
        self.n_columns = table.shape[1]
        if sparse.issparse(table):
            columns = table.tocsc()
            self._column = lambda j: columns[:, [j]].toarray()
        elif isinstance(table, np.ndarray):
            self._column = lambda j: table[:, j]
        else:
            frame = as_pandas(table)
            self._column = lambda j: _numbers(frame.iloc[:, j])

    def has_quantities(self, j):
        """Return whether a column holds more than two different numbers."""
        values = np.ravel(self._column(j))
        return values.dtype.kind in "iuf" and len(pd.unique(values)) > 2

    def equal(self, j, other, k):
        """Return whether a column equals one of another table, NaN included."""
        left, right = np.ravel(self._column(j)), np.ravel(other._column(k))
        if left.dtype.kind not in "iufb" or right.dtype.kind not in "iufb":
            return False
        # The first rows rule out most columns.
        for rows in (slice(0, 64), slice(64, None)):
            both_missing = np.isnan(left[rows]) & np.isnan(right[rows])
            if not np.all((left[rows] == right[rows]) | both_missing):
                return False
        return True


def _numbers(column):
    if column.dtype.kind in "iufb":
        return column.to_numpy(dtype=np.float64, na_value=np.nan)
    return column.to_numpy()


def _find_by_values(codes, before, after, origins):
    """Fill in unknown origins of codes that equal a single column."""
    for block in codes:
        for position in block.positions.tolist():
            if position in origins:
                continue
            free = np.flatnonzero(origins < 0).tolist()
            same = [k for k in free if before.equal(position, after, k)]
            if len(same) == 1:
                origins[same[0]] = position


def _warn_of_changed(step, codes, blocks, told):
    """Warn of codes that a step changed, unless it reads or leaves them out as codes.

    Parameters
    ----------
    step : fitted transformer
    codes : list of block
        Blocks of codes before the step.
    blocks : list of block
        What is left of them, and of others, behind it.
    told : ndarray of int or None
        The origins of its columns that the step declares.
    """
    if isinstance(step, OneHotEncoder | TargetEncoder):
        return
    kept = {name for block in blocks for name in block.names}
    selects = told is not None and (told >= 0).all()
    changed = [
        name
        for block in codes
        if not block.is_ordered
        for name, positions in _named_positions(block)
        # A step that only selects columns makes numbers of none that it leaves out.
        if name not in kept and not (selects and not np.isin(positions, told).any())
    ]
    if changed:
        warn_of_changed_codes(type(step).__name__, changed)


def _warn_of_mixed(step, codes, after, origins, incoming):
    """Warn of new columns of numbers that a step makes of codes which it hands on, too.

    Such are products of codes. To find them the step is asked for some training rows
    whose codes in a column have changed places.

    Parameters
    ----------
    step : fitted transformer, "passthrough" or None
    codes : list of block
        Blocks of codes before the step.
    after : _Columns
        Columns behind it.
    origins : ndarray of int
        For each of them, the one that it was before, -1 for none.
    incoming : Incoming
        What the step was fitted on.
    """
    kept = [
        (name, position)
        for block in codes
        if block.kind != "sequence" and not block.is_ordered
        for name, position in zip(block.names, block.positions.tolist())
        if position in origins
    ]
    new = [k for k in np.flatnonzero(origins < 0) if after.has_quantities(k)]
    if not kept or not new or isinstance(step, OneHotEncoder | TargetEncoder):
        return
    n_probed = min(_N_PROBED, incoming.table.shape[0])
    rows = _safe_indexing(incoming.table, np.arange(n_probed))
    plain = _Columns(step.transform(rows))
    mixed = []
    for name, position in kept:
        changed = _Columns(step.transform(_with_reversed(rows, position)))
        if not all(plain.equal(k, changed, k) for k in new):
            mixed.append(name)
    if mixed:
        kind = type(step).__name__
        warn_user(
            "Codes of categories must reach the network as their encoder wrote them; "
            f"found that {kind} computes numbers from the codes of "
            f"{', '.join(map(repr, mixed))}, which count as quantities. Give {kind} "
            "the other columns only, such as in a ColumnTransformer.",
            ColumnWarning,
        )


def _with_reversed(rows, position):
    """Return the rows with the values of one column in reverse order."""
    if hasattr(rows, "with_columns"):
        return rows.with_columns(rows[:, position].reverse())
    if isinstance(rows, pd.DataFrame):
        rows = rows.copy()
        rows.isetitem(position, rows.iloc[::-1, position].array)
        return rows
    rows = rows.tolil() if sparse.issparse(rows) else rows.copy()
    rows[:, position] = rows[::-1, position]
    return rows.tocsr() if sparse.issparse(rows) else rows


def warn_of_changed_codes(kind, names):
    """Warn that a step of this kind made quantities of the codes of some columns."""
    warn_user(
        "Codes of categories must reach the network as their encoder wrote them; found "
        f"that {kind} does not hand on the codes of {', '.join(map(repr, names))} as "
        "they are, so that what it makes of them counts as quantities. Let the encoder "
        "be the last step of its columns, such as in a ColumnTransformer that gives "
        f"{kind} the other columns only.",
        ColumnWarning,
    )


def _named_positions(block):
    """Return name and positions of each feature of a block."""
    if block.kind == "sequence":
        return [(block.names[0], block.positions)]
    return list(zip(block.names, block.positions))

"""Groups of rows: by the values of a column, or by an array."""

from itertools import pairwise

import numpy as np
import pandas as pd

from sk_mtl._close_names import did_you_mean
from sk_mtl._frames import as_pandas, column_names

MOST_GROUPS = 6
_OTHER, _MISSING = "other", "missing"


def row_groups(by, X):
    """Return the name of the groups and the group of each row.

    Numbers with more than six distinct values are cut into four groups of about equal
    size. Of more than six categories the five most frequent are kept.

    Parameters
    ----------
    by : str or array-like of shape (n_samples,)
        A column of X, or a value for each row.
    X : {DataFrame, array-like} of shape (n_samples, n_features)

    Returns
    -------
    name : str
    groups : Categorical of shape (n_samples,)
    """
    values = _values(by, X)
    name = str(values.name) if values.name is not None else "group"
    known = values.dropna()
    is_number = pd.api.types.is_numeric_dtype(known) and not pd.api.types.is_bool_dtype(
        known
    )
    if is_number and known.nunique() > MOST_GROUPS:
        groups = _ranges(values)
    else:
        groups = _categories(values)
    return name, groups


def _values(by, X):
    if isinstance(by, str):
        names = column_names(X)
        if by not in names:
            raise ValueError(
                f"by must be a column of X, one of {names}, or an array with a value "
                f"for each row; found {by!r}. "
                + (did_you_mean(by, names) or "Use one of these names.")
            )
        table = as_pandas(X)
        return table.iloc[:, names.index(by)].reset_index(drop=True).rename(by)
    values = by if isinstance(by, pd.Series) else pd.Series(np.asarray(by))
    n_samples = len(X) if hasattr(X, "__len__") else X.shape[0]
    if len(values) != n_samples:
        raise ValueError(
            f"by must have a value for each of {n_samples} rows of X; found "
            f"{len(values)}. Give one for each, or the name of a column."
        )
    return values.reset_index(drop=True)


def _ranges(values):
    """Return numbers as ranges between their quartiles."""
    numbers = pd.to_numeric(values).astype(float)
    edges = np.unique(np.nanquantile(numbers, [0, 0.25, 0.5, 0.75, 1]))
    labels = [f"{low:.3g} to {high:.3g}" for low, high in pairwise(edges)]
    found = pd.cut(numbers, edges, labels=labels, include_lowest=True, ordered=False)
    return _with_missing(found.astype(object), labels)


def _categories(values):
    texts = values.astype(object).map(str, na_action="ignore")
    counts = texts.value_counts()
    kept = list(counts.index)
    if len(kept) > MOST_GROUPS:
        kept = kept[: MOST_GROUPS - 1]
        texts = texts.where(texts.isin(kept) | texts.isna(), _OTHER)
        kept.append(_OTHER)
    return _with_missing(texts, kept)


def _with_missing(texts, labels):
    if texts.isna().any():
        texts, labels = texts.fillna(_MISSING), [*labels, _MISSING]
    return pd.Categorical(texts, categories=list(dict.fromkeys(labels)))

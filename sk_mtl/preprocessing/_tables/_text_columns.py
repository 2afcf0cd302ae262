"""Columns of text that are of more use as numbers, as dates or as words."""

from functools import partial

import numpy as np
import pandas as pd

from sk_mtl._frames import as_pandas, column_names, column_of
from sk_mtl._warnings import warn_user
from sk_mtl.exceptions import ColumnWarning
from sk_mtl.preprocessing._tables._dates_in_text import dates_in_text, is_date
from sk_mtl.preprocessing._tables._identifiers import count_values, is_named_identifier
from sk_mtl.preprocessing._tables._numbers_in_text import NumbersInText

# Rows that are looked at, spread over the table: they bound the cost.
_N_SAMPLE = 1000

# Fewer distinct texts make good categories.
_FEW = 20

# From this share of the rows on, text is new in nearly every row.
_NEARLY_ALL = 0.9


def warn_of_text(X, positions):
    """Warn of columns of text that hold numbers, dates, or new text in every row.

    Parameters
    ----------
    X : data frame or array of shape (n_samples, n_features)
    positions : list of int
        Columns that are about to be treated as categories.
    """
    names = column_names(X)
    positions = [j for j in positions if not is_named_identifier(names[j])]
    if not positions or not len(X):
        return
    sample = _sample(X)
    for j in positions:
        counts = _count_texts(sample.iloc[:, j])
        finding = counts and (
            _dates(counts, sample.columns[j])
            or _numbers(counts, sample, X, j)
            or _new_text(counts, X, j)
        )
        if finding:
            warn_user(f"Column {names[j]!r} {finding}", ColumnWarning)


def _sample(X):
    """Return some rows, spread over the table, as a pandas frame."""
    rows = slice(None, None, max(1, len(X) // _N_SAMPLE))
    return as_pandas(X[rows]) if isinstance(X, np.ndarray) else X.iloc[rows]


def _count_texts(column):
    """Count the rows of each distinct text; None for a column of anything else.

    Numbers beside texts are taken as they are written.
    """
    if isinstance(column.dtype, pd.CategoricalDtype):
        # Not through all categories, of which there may be many more than rows.
        n_rows = pd.Series(column.array.codes).value_counts(sort=False)
        n_rows = n_rows.drop(-1, errors="ignore")
        values = np.asarray(column.cat.categories.take(n_rows.index), dtype=object)
    else:
        try:
            n_rows = column.astype(object).value_counts(sort=False)
        except TypeError:
            # The encoder has an error for values without a hash.
            return None
        values = n_rows.index
    kinds = set(map(type, values))
    if not all(issubclass(kind, str | int | float) for kind in kinds) or not any(
        issubclass(kind, str) for kind in kinds
    ):
        return None
    return dict(zip(map(str, values), n_rows.tolist(), strict=True))


def _dates(counts, label):
    options = dates_in_text(list(counts))
    if options is None:
        return None
    arguments = "".join(f"{key}={value!r}, " for key, value in options.items())
    start, column = _assignment(label)
    call = f"{start}pd.to_datetime({column}, {arguments}errors='coerce')"
    return _held_as_text(counts, is_date(list(counts), options), "dates", call)


def _numbers(counts, sample, X, j):
    label, dtype = sample.columns[j], sample.dtypes.iloc[j]
    reader = NumbersInText.find(counts)
    if reader is None:
        return None
    count_all = partial(count_values, column_of(X, j))
    is_category = isinstance(dtype, pd.CategoricalDtype)
    if not reader.are_quantities(counts, str(label), count_all, is_category):
        return None
    start, column = _assignment(label)
    if reader.replacement is not None:
        old, new = reader.replacement
        column += f".str.replace({old!r}, {new!r}, regex=True)"
    call = f"{start}pd.to_numeric({column}, errors='coerce')"
    return _held_as_text(counts, map(reader.reads, counts), "numbers", call)


def _assignment(label):
    """Return the start of an assignment to a column, and how to write the column.

    A column without a name may be one of an array, or of a frame that was made of it.
    """
    if isinstance(label, str):
        return f"X[{label!r}] = ", f"X[{label!r}]"
    return "", "column"


def _held_as_text(counts, mask, kind, call):
    held = {text: n for (text, n), is_in in zip(counts.items(), mask) if is_in}
    share = 100 * sum(held.values()) // sum(counts.values())
    return (
        f"must not hold {kind} as text, of which each would be a category of its own; "
        f"found {kind} such as {next(iter(held))!r} in {share} % of its values. "
        f"Convert it with {call}, or, if they are labels, list it among the "
        "columns of categories in `categorical_features`."
    )


def _new_text(counts, X, j):
    if len(counts) < max(_FEW, _NEARLY_ALL * sum(counts.values())):
        return None
    column = column_of(X, j)
    n_values, n_rows = count_values(column), int(column.count())
    if n_values < _NEARLY_ALL * n_rows:
        return None
    return (
        "must hold text that comes back in other rows, to be of use as a category; "
        f"found {n_values:,} texts in {n_rows:,} rows, new in "
        f"{100 * n_values // n_rows} % of them. Encode its words by TfidfVectorizer "
        "and TruncatedSVD in the preprocessor, drop it, or, to keep it as a category, "
        "list it among the columns of categories in `categorical_features`."
    )

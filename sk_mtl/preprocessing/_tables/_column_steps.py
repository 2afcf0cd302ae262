"""The step of the tabular preprocessor that takes each column of a table."""

from dataclasses import dataclass

from sk_mtl._frames import as_pandas, column_names, column_of, is_frame
from sk_mtl._warnings import warn_user
from sk_mtl.exceptions import ColumnWarning
from sk_mtl.preprocessing._tables._categorical_features import (
    categorical_mask,
    lists_columns,
)
from sk_mtl.preprocessing._tables._column_kinds import step_kinds
from sk_mtl.preprocessing._tables._identifiers import (
    count_values,
    holds_whole_numbers,
    is_named_identifier,
)
from sk_mtl.preprocessing._tables._large_integers import warn_of_large_integers
from sk_mtl.preprocessing._tables._text_columns import warn_of_text

#: Steps of the tabular preprocessor: numbers first, then codes, then sequences.
STEPS = ("num", "time", "cat", "codes", "calendar", "seq")

_STEPS_OF_KIND = {
    "number": ("num",),
    "bool": ("cat",),
    "category": ("cat",),
    "time": ("time", "calendar"),
    "duration": ("time",),
    "sequence": ("seq",),
}


def columns_by_step(X, categorical_features=None):
    """Return positions of the columns of each step of the tabular preprocessor.

    Parameters
    ----------
    X : data frame or array of shape (n_samples, n_features)
    categorical_features : None, "from_dtype", list of names or indices, or mask

    Returns
    -------
    positions : dict
        "num" for numbers, "time" for points in time and durations, "cat" for labels
        and, without a list, for whole numbers that are named as identifiers, "codes"
        for listed columns of numbers, "calendar" for points in time, which are in
        "time" as well, and "seq" for lists.
    """
    listed = None
    if lists_columns(categorical_features):
        listed = categorical_mask(X, categorical_features)
    positions = {step: [] for step in STEPS}
    for j, (name, kind) in enumerate(zip(column_names(X), step_kinds(X), strict=True)):
        steps = (
            _steps_by_default(X, j, name, kind)
            if listed is None
            else _steps_of_listed(name, kind)
            if listed[j]
            else _steps_of_unlisted(name, kind)
        )
        for step in steps:
            positions[step].append(j)
    return positions


def _steps_by_default(X, j, name, kind):
    is_identifier = (
        kind == "number"
        and is_named_identifier(name)
        and holds_whole_numbers(column_of(X, j))
    )
    return _STEPS_OF_KIND["category" if is_identifier else kind]


def columns_to_read(X, categorical_features=None, wanted=()):
    """Return positions of the columns of each step, without useless ones.

    Without a list, an identifier that is new in more than half of the rows is left out,
    with a warning, and columns of text that need the user's attention are named.

    Parameters
    ----------
    X : data frame or array of shape (n_samples, n_features)
    categorical_features : None, "from_dtype", list of names or indices, or mask
    wanted : collection of str and int, default=()
        Names and positions of columns that another parameter names: no identifier
        among them is left out.

    Returns
    -------
    positions : dict
        As `columns_by_step` returns it.
    """
    positions = columns_by_step(X, categorical_features)
    if lists_columns(categorical_features):
        return positions
    names = column_names(X)
    free = [j for j in positions["cat"] if j not in wanted and names[j] not in wanted]
    fresh = _fresh_identifiers(X, free)
    n_read = len({j for columns in positions.values() for j in columns})
    is_left_out = len(fresh) < n_read
    for j, n_values in fresh.items():
        _warn_of_identifier(X, j, n_values, positions["cat"], is_left_out)
    if is_left_out:
        positions["cat"] = [j for j in positions["cat"] if j not in fresh]
    warn_of_text(X, positions["cat"])
    warn_of_large_integers(X, positions["num"])
    return positions


def _fresh_identifiers(X, positions):
    """Count the values of identifiers that are new in more than half of the rows."""
    names, kinds = column_names(X), step_kinds(X)
    fresh = {}
    for j in positions:
        if kinds[j] != "bool" and is_named_identifier(names[j]):
            n_values = count_values(column_of(X, j))
            # A single value carries no information; the schema drops it.
            if n_values > max(1, len(X) / 2):
                fresh[j] = n_values
    return fresh


def _warn_of_identifier(X, j, n_values, categories, is_left_out):
    names = column_names(X)
    if is_left_out:
        listed = [names[i] for i in categories]
        outcome = (
            "so the column is left out. Drop it, or, to keep it as a category, list it "
            f"among the columns of categories: categorical_features={listed}."
        )
    else:
        outcome = (
            "and it is kept only because X has no other column. Give columns that say "
            "something of new rows, too."
        )
    warn_user(
        f"Column {names[j]!r} is named as an identifier and must have values that come "
        f"back in other rows; found {n_values:,} values in {len(X):,} rows, new in "
        f"{int(100 * n_values / len(X))} % of them, {outcome}",
        ColumnWarning,
    )


def _steps_of_listed(name, kind):
    if kind in ("time", "duration"):
        raise TypeError(
            f"Column {name!r} is listed in `categorical_features` and must hold text, "
            f"numbers, categories or lists; found {kind}s. Convert it to 'category' to "
            "take each value as a category, or leave it out of the list, where it "
            "becomes elapsed time and parts of the calendar."
        )
    return ("codes",) if kind == "number" else _STEPS_OF_KIND[kind]


def _steps_of_unlisted(name, kind):
    if kind == "category":
        raise ValueError(
            f"Column {name!r} must hold numbers, as it is not listed in "
            "`categorical_features`; found text or other objects. Add it to "
            "`categorical_features`, or drop it."
        )
    return ("num",) if kind == "bool" else _STEPS_OF_KIND[kind]


def has_names(X):
    """Return whether all columns of `X` have names; an array's have none."""
    return is_frame(X) and all(isinstance(name, str) for name in X.columns)


@dataclass(frozen=True, eq=False)
class ColumnsOfStep:
    """Choose the columns of one step of the tabular preprocessor when it is fitted.

    A `ColumnTransformer` calls this object with the table that it is fitted on.

    Parameters
    ----------
    step : {"num", "time", "cat", "codes", "calendar", "seq"}
        Step whose columns are wanted.
    categorical_features : None, "from_dtype", list of names or indices, or mask
        As in `make_tabular_preprocessor`.
    """

    step: str
    categorical_features: object = None

    def __call__(self, X):
        """Return the names of the columns, or their positions where X has none."""
        X = as_pandas(X) if is_frame(X) else X
        # Only the step of categories loses columns, so that a fit warns once.
        choose = columns_to_read if self.step == "cat" else columns_by_step
        positions = choose(X, self.categorical_features)[self.step]
        names = column_names(X)
        return [names[j] for j in positions] if has_names(X) else positions

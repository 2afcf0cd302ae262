"""The numbers of wide tables that the built preprocessor leaves out."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from sk_mtl._frames import as_pandas, column_names, is_frame
from sk_mtl._warnings import warn_user
from sk_mtl.estimators._automatic._telling_numbers import find_telling_numbers, is_wide
from sk_mtl.estimators._targets._target_column import TargetColumn
from sk_mtl.exceptions import ColumnWarning
from sk_mtl.preprocessing._tables._numbers import to_floats


def leave_out_numbers(
    preprocessor,
    X,
    codes: np.ndarray,
    columns: Sequence[TargetColumn],
    named: Collection,
):
    """Return the preprocessor without the numbers of a wide table that tell nothing.

    Parameters
    ----------
    preprocessor : TabularPreprocessor
        Not fitted; changed in place.

    X : data frame or array of shape (n_samples, n_features)

    codes : ndarray of shape (n_samples, n_tasks)
        Labels as numbers, NaN where one is missing.

    columns : sequence of TargetColumn
        The columns of y.

    named : collection of str and int
        Names and positions of columns of X of which none is left out.
    """
    read = {name: list(columns) for name, _, columns in preprocessor.transformers}
    numbers = read["num"]
    if not is_wide(len(X), len(numbers)):
        return preprocessor
    names = column_names(X)
    positions = [j if isinstance(j, int) else names.index(j) for j in numbers]
    table = as_pandas(X).iloc[:, positions] if is_frame(X) else X[:, positions]
    keeps = find_telling_numbers(to_floats(table), codes, columns)
    keeps |= [j in named or names[j] in named for j in positions]
    if keeps.all():
        return preprocessor
    read["num"] = [column for column, kept in zip(numbers, keeps, strict=True) if kept]
    preprocessor.transformers = [
        (name, step, read[name]) for name, step, _ in preprocessor.transformers
    ]
    warn_user(
        "The numbers of a wide table must tell something about a label; found "
        f"{(~keeps).sum():,} of {len(keeps):,} columns that tell nothing by "
        "themselves, so they are left out. To keep all, pass "
        "preprocessor=make_tabular_preprocessor(X), of sk_mtl.preprocessing.",
        ColumnWarning,
    )
    return preprocessor

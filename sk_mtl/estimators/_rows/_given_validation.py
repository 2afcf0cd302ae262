"""Validation rows from the caller, instead of a part of X."""

from __future__ import annotations

from typing import Any, NamedTuple

from sk_mtl._frames import is_arrow, is_frame
from sk_mtl.estimators._rows._inputs import check_X
from sk_mtl.estimators._rows._labelled_rows import LabelledRows
from sk_mtl.estimators._rows._row_split import check_labelled
from sk_mtl.estimators._targets._targets import Targets


class GivenValidation(NamedTuple):
    """The arguments of `fit` that hold validation rows.

    Attributes
    ----------
    X, y, weight : object
        The arguments unchanged; None if no rows are given.
    """

    X: Any = None
    y: Any = None
    weight: Any = None

    def check_complete(self) -> None:
        """Raise if only some of the arguments are given."""
        if (self.X is None) != (self.y is None):
            given = "X_val" if self.y is None else "y_val"
            missing = "y_val" if self.y is None else "X_val"
            raise ValueError(
                f"X_val and y_val must be given together; found {given} without "
                f"{missing}. Give both, or neither."
            )
        if self.X is None and self.weight is not None:
            raise ValueError(
                "sample_weight_val must come with the rows that it weights; found it "
                "without X_val and y_val. Give all three, or drop it."
            )

    def read(self, estimator, targets: Targets) -> LabelledRows:
        """Return the checked rows; the estimator holds the columns of X."""
        _check_same_naming(self.X, hasattr(estimator, "feature_names_in_"))
        X = check_X(estimator, self.X, reset=False, what="X_val")
        rows = LabelledRows.check(X, self.y, self.weight, None, targets, "_val")
        check_labelled(rows, "y_val")
        return rows


def _check_same_naming(X_val, named: bool) -> None:
    """Raise if only one of X and X_val has names for its columns."""
    columns = [None]
    if is_frame(X_val):
        columns = X_val.schema.names if is_arrow(X_val) else list(X_val.columns)
    if all(isinstance(name, str) for name in columns) != named:
        found = "only X has them" if named else "only X_val has them"
        raise ValueError(
            "X and X_val must both have names for their columns, or neither; found "
            f"that {found}. Give both as data frames, or both as arrays."
        )

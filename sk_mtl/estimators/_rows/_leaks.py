"""Features that are a label under another name."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sk_mtl._warnings import warn_user
from sk_mtl.estimators._targets._target_column import TargetColumn
from sk_mtl.exceptions import LeakWarning
from sk_mtl.preprocessing import FeatureArrays

# In fewer rows a feature may agree with a label by chance.
_LEAK_MINIMUM = 30


def warn_about_leaks(
    arrays: FeatureArrays,
    names: list[str],
    codes: np.ndarray,
    columns: Sequence[TargetColumn],
) -> None:
    """Warn about a feature that is a label under another name.

    A feature leaks if its values correspond one to one to the labels, or if a number is
    a linear function of it. A few rows of each class, or with the smallest, the largest
    and other numbers, rule out nearly every feature at once, so the full comparison is
    rare. Tasks of fewer than 30 labelled rows are left out.
    """
    tables = [table for table in (arrays.codes, arrays.numeric) if table.shape[1]]
    if not tables:
        return
    leaks = []
    for k, column in enumerate(columns):
        labelled = np.flatnonzero(~np.isnan(codes[:, k]))
        if len(labelled) < _LEAK_MINIMUM:
            continue
        label = codes[labelled, k]
        sample = column.telling_rows(label)
        features = np.hstack([table[labelled[sample]] for table in tables], dtype=float)
        for j in np.flatnonzero(column.may_be_told_by(features, label[sample])):
            if column.is_leaked_by(_column(tables, j)[labelled], label):
                leaks.append((j, k))
    for j, k in sorted(leaks):
        name, task = names[j], columns[k].name
        warn_user(
            f"Feature {name!r} must not tell the label of task {task!r}; found that "
            "it equals the label in every labelled row, which is a leak: the model "
            f"will read the answer off it. Drop {name!r} from X.",
            LeakWarning,
        )


def _column(tables: list[np.ndarray], j: int) -> np.ndarray:
    for table in tables:
        if j < table.shape[1]:
            return table[:, j]
        j -= table.shape[1]
    raise IndexError(j)

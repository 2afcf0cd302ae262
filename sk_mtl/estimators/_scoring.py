"""The `score` of an estimator: the quality of its answers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sk_mtl._labels import read_labels
from sk_mtl.estimators._rows._inputs import check_weights
from sk_mtl.estimators._targets._targets import Targets


def score_answers(
    targets: Targets, answers: Sequence[np.ndarray], y, sample_weight
) -> float:
    """Return the mean over tasks of the accuracy, or of R² where y holds numbers.

    Parameters
    ----------
    targets : Targets

    answers : sequence of ndarray of shape (n_samples, n_answers)
        The structure's answers for each task.

    y : {DataFrame, array-like} of shape (n_samples,) or (n_samples, n_tasks)
        Missing labels are left out; a task without any label does not count.

    sample_weight : array-like of shape (n_samples,) or (n_samples, n_tasks), or None
    """
    table = read_labels(y)
    if table.n_samples != len(answers[0]):
        raise ValueError(
            f"X and y must have the same number of samples; found "
            f"{len(answers[0])} and {table.n_samples}. Give one row of each per sample."
        )
    weight = check_weights(sample_weight, table.n_samples, targets.task_names)
    codes = targets.encode_table(table, weight, strict=False)
    weight = np.ones(codes.shape) if weight is None else weight
    weight = np.where(np.isnan(codes), 0.0, weight)
    if not weight.any():
        raise ValueError(
            "y must hold labels to score against; found only missing ones. Give "
            "rows with labels."
        )
    scores = [
        column.score(codes[counted, k], answers[k][counted], weight[counted, k])
        for k, column in enumerate(targets.columns)
        if (counted := weight[:, k] > 0).any()
    ]
    return float(np.mean(scores))

"""Calibration of all binary tasks."""

from functools import partial

import pandas as pd
from sklearn.calibration import calibration_curve

from sk_mtl.inspection._plots._diagonal import draw_diagonal, largest_of
from sk_mtl.inspection._plots._task_curves import TaskCurves
from sk_mtl.inspection._plots._task_lines import LineBlock


class TaskCalibration(TaskCurves):
    """Calibration of all binary tasks in one figure.

    Rows are put into bins by their predicted probability. Each point shows the share of
    positive rows of a bin against the mean of its predicted probabilities: below the
    diagonal the model promises too much, above it too little. The bins are
    ``n_bins=10`` of equal numbers of rows; ``strategy="uniform"`` makes them of equal
    width. Tasks of numbers, of more than two classes, or with labels of one class only
    have no curve; `left_out` holds the reasons.

    Parameters
    ----------
    table : DataFrame
        What `frame` returns.
    left_out : dict, default=None
        By the name of a task that has no curve, the reason.

    Attributes
    ----------
    figure_, axes_, ax_ : Figure, list of Axes, Axes
        Of the last picture; `ax_` is the first of the axes.
    lines_ : dict
        By task, the lines of the last picture.

    See Also
    --------
    FunnelDisplay : The steps of a funnel, each with the uncertainty of its bins.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_mtl.inspection import TaskCalibration
    >>> rng = np.random.default_rng(0)
    >>> proba = rng.random((1000, 2))
    >>> y = (rng.random((1000, 2)) < proba).astype(int)
    >>> display = TaskCalibration.from_predictions(y, proba, names=["a", "b"], n_bins=4)
    >>> display.frame()[:4].round(1)
      task  predicted  observed
    0    a        0.1       0.1
    1    a        0.4       0.4
    2    a        0.6       0.6
    3    a        0.9       0.9
    """

    @staticmethod
    def _curve(rows, n_bins=10, strategy="quantile"):
        if rows.weight is not None:
            raise ValueError(
                "TaskCalibration must have rows of equal weight, as scikit-learn's "
                "calibration_curve; found sample_weight. Leave it out."
            )
        observed, predicted = calibration_curve(
            rows.positive, rows.proba, n_bins=n_bins, strategy=strategy
        )
        return pd.DataFrame({"predicted": predicted, "observed": observed})

    def _block(self):
        lines = {
            task: (rows["predicted"], rows["observed"])
            for task, rows in self._by_task().items()
        }
        return LineBlock(
            lines,
            "predicted probability (mean of bin)",
            "observed share of positives",
            options={"marker": "o", "markersize": 4},
            before=partial(draw_diagonal, largest=largest_of(self._table)),
            legend="outside",
        )

"""Precision and recall of all binary tasks."""

import numpy as np
import pandas as pd
from sklearn.metrics import precision_recall_curve

from sk_mtl.inspection._plots._task_curves import TaskCurves
from sk_mtl.inspection._plots._task_lines import LineBlock


class TaskPrecisionRecall(TaskCurves):
    """Precision against recall of all binary tasks in one figure.

    Each curve shows, for every threshold, the share of rows above it that are positive
    (precision) against the share of positive rows above it (recall). The number beside
    a task is its average precision (AP), and the dotted line its share of positive
    rows, which is the precision of chance. Tasks of numbers, of more than two classes,
    or with labels of one class only have no curve; `left_out` holds the reasons.

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
    TaskRocCurves : Does not depend on the share of positive rows.

    Examples
    --------
    >>> import pandas as pd
    >>> from sk_mtl.inspection import TaskPrecisionRecall
    >>> y = pd.DataFrame({"click": [0, 1, 1, 0], "buy": [0, 1, None, 0]})
    >>> proba = [[0.1, 0.9], [0.8, 0.7], [0.6, 0.2], [0.7, 0.3]]
    >>> display = TaskPrecisionRecall.from_predictions(y, proba)
    >>> display.scores()
    {'click': 0.83, 'buy': 0.50}
    """

    def scores(self):
        """Return the average precision of each task.

        Returns
        -------
        scores : dict of task to float
        """
        return {
            task: float(-np.sum(np.diff(rows["recall"]) * rows["precision"].iloc[:-1]))
            for task, rows in self._by_task().items()
        }

    @staticmethod
    def _curve(rows, **options):
        precision, recall, threshold = precision_recall_curve(
            rows.positive, rows.proba, sample_weight=rows.weight, **options
        )
        # The last point, of no rows, has no threshold.
        threshold = np.append(threshold, np.inf)
        return pd.DataFrame(
            {"recall": recall, "precision": precision, "threshold": threshold}
        )

    def _block(self):
        by_task = self._by_task()
        # All rows are above the lowest threshold.
        self._chance = {
            task: rows["precision"].iloc[0] for task, rows in by_task.items()
        }
        return LineBlock(
            {
                task: (rows["recall"], rows["precision"])
                for task, rows in by_task.items()
            },
            "recall (share of positives)",
            "precision (share of rows above)",
            notes={task: f"AP {value:.3f}" for task, value in self.scores().items()},
            options={"drawstyle": "steps-post"},
            before=_set_limits,
            after=self._draw_chance,
            legend="outside",
        )

    def _draw_chance(self, ax, task, colour):
        ax.axhline(self._chance[task], color=colour, linestyle=":", linewidth=1)


def _set_limits(ax, tasks):
    ax.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.02))

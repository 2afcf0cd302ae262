"""ROC curves of all binary tasks."""

import pandas as pd
from sklearn.metrics import auc, roc_curve

from sk_mtl.inspection._plots._style import MUTED
from sk_mtl.inspection._plots._task_curves import TaskCurves
from sk_mtl.inspection._plots._task_lines import LineBlock


class TaskRocCurves(TaskCurves):
    """ROC curves of all binary tasks in one figure.

    Each curve shows, for every threshold, the share of positive rows above it against
    the share of negative rows above it. The number beside a task is the area under its
    curve (AUC). Tasks of numbers, of more than two classes, or with labels of one class
    only have no curve; `left_out` holds the reasons.

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
    TaskPrecisionRecall : Shows more of the tasks with few positive rows.

    Examples
    --------
    >>> from sk_mtl import MMOEClassifier
    >>> from sk_mtl.datasets import load_adult
    >>> from sk_mtl.inspection import TaskRocCurves
    >>> X, y = load_adult(return_X_y=True)
    >>> model = MMOEClassifier(max_epochs=1, random_state=0).fit(X[:500], y[:500])
    >>> display = TaskRocCurves.from_estimator(model, X[500:900], y[500:900])
    >>> list(display.frame())
    ['task', 'fpr', 'tpr', 'threshold']
    >>> list(display.scores())
    ['income', 'married']
    """

    def scores(self):
        """Return the area under the curve of each task.

        Returns
        -------
        scores : dict of task to float
        """
        return {
            task: float(auc(rows["fpr"], rows["tpr"]))
            for task, rows in self._by_task().items()
        }

    @staticmethod
    def _curve(rows, **options):
        fpr, tpr, threshold = roc_curve(
            rows.positive, rows.proba, sample_weight=rows.weight, **options
        )
        return pd.DataFrame({"fpr": fpr, "tpr": tpr, "threshold": threshold})

    def _block(self):
        by_task = self._by_task()
        return LineBlock(
            {task: (rows["fpr"], rows["tpr"]) for task, rows in by_task.items()},
            "false positive rate (share of negatives)",
            "true positive rate (share of positives)",
            notes={task: f"AUC {value:.3f}" for task, value in self.scores().items()},
            before=_draw_chance,
            legend="lower right",
        )


def _draw_chance(ax, tasks):
    ax.plot([0, 1], [0, 1], color=MUTED, linestyle=":", linewidth=1)
    ax.set(aspect="equal", xlim=(-0.01, 1.01), ylim=(-0.01, 1.01))

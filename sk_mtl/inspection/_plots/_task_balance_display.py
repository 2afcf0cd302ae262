"""Losses of tasks relative to their start, and task weights."""

import numpy as np
import pandas as pd

from sk_mtl.inspection._plots._display import Display
from sk_mtl.inspection._plots._fitted_model import check_several_tasks, fitted_model
from sk_mtl.inspection._plots._style import MUTED
from sk_mtl.inspection._plots._task_lines import LineBlock, plot_task_lines


class TaskBalanceDisplay(Display):
    """Training losses of the tasks relative to their first epoch, and task weights.

    Losses of different tasks have different units; relative to their start they can
    be compared. Tasks whose lines fall far apart train at different speeds, which
    `balancing` or `task_weights` can change. Weights that a method of balancing adapts
    are drawn beside the losses.

    Parameters
    ----------
    table : DataFrame
        What `frame` returns: columns `task`, `epoch`, `loss`, `relative_loss` and,
        where the fit recorded it, `weight`.

    Attributes
    ----------
    figure_, axes_, ax_ : Figure, list of Axes, Axes
        Of the last picture; `ax_` is the first of the axes.
    lines_ : dict
        By task, the lines of the last picture.

    See Also
    --------
    GradientConflictDisplay : Agreement between the tasks' gradients.

    Examples
    --------
    >>> from sk_mtl import MMOEClassifier
    >>> from sk_mtl.datasets import load_adult
    >>> from sk_mtl.inspection import TaskBalanceDisplay
    >>> X, y = load_adult(return_X_y=True)
    >>> model = MMOEClassifier(max_epochs=2, random_state=0).fit(X[:500], y[:500])
    >>> table = TaskBalanceDisplay.from_estimator(model).frame()
    >>> table.query("epoch == 1")["relative_loss"].tolist()
    [1.0, 1.0]
    """

    def __init__(self, table):
        super().__init__(table)

    @classmethod
    def from_estimator(cls, estimator, *, ax=None):
        """Draw the `history_` of a fitted model of several tasks.

        Parameters
        ----------
        estimator : estimator
            Fitted; a multi-task model, or a pipeline or search of one.
        ax : Axes, default=None
            The axes to draw in; several panels divide their place. None makes a figure.

        Returns
        -------
        display : TaskBalanceDisplay
        """
        model = fitted_model(cls.__name__, estimator, "history_")
        names = model.task_names_
        check_several_tasks(cls.__name__, names, "compares the losses of tasks")
        tables = [_task_table(model.history_, task) for task in names]
        return cls(pd.concat(tables, ignore_index=True)).plot(ax=ax)

    def plot(self, ax=None):
        """Draw losses and, if they were recorded, weights.

        Up to six tasks share one pair of axes; more get a small panel each.

        Parameters
        ----------
        ax : Axes, default=None
            The axes to draw in; several panels divide their place. None makes a figure.

        Returns
        -------
        self : TaskBalanceDisplay
            With the artists `figure_`, `axes_`, `ax_` and `lines_`.
        """
        label = "relative loss (training, first epoch = 1)"
        blocks = [self._block("relative_loss", label, 1)]
        if "weight" in self._table:
            blocks.append(self._block("weight", "task weight"))
        return self._keep(*plot_task_lines(blocks, ax))

    def _block(self, column, label, reference=None):
        lines = {
            task: (rows["epoch"], rows[column])
            for task, rows in self._by_task().items()
        }

        def before(ax, tasks):
            if reference is not None:
                ax.axhline(reference, color=MUTED, linestyle=":", linewidth=1)
            ax.xaxis.get_major_locator().set_params(integer=True)

        marker = {"marker": "o", "markersize": 3} if _is_short(self._table) else {}
        return LineBlock(
            lines, "epoch", label, before=before, options=marker, legend="outside"
        )


def _is_short(table):
    return table["epoch"].nunique() == 1


def _task_table(history, task):
    loss = history[f"train_loss_{task}"].to_numpy(float)
    # A loss that can be negative, of a density, has no share of its start.
    relative = loss / loss[0] if loss[0] > 0 else np.full(len(loss), np.nan)
    named = pd.Series([task] * len(loss), dtype=object)
    columns = {"task": named, "epoch": history["epoch"].to_numpy(), "loss": loss}
    columns["relative_loss"] = relative
    if f"task_weight_{task}" in history:
        columns["weight"] = history[f"task_weight_{task}"].to_numpy()
    return pd.DataFrame(columns)

"""Losses of a fit by epoch and task."""

import pandas as pd

from sk_mtl.inspection._plots._display import Display
from sk_mtl.inspection._plots._fitted_model import fitted_model
from sk_mtl.inspection._plots._style import (
    INK,
    PALETTE,
    add_legend,
    house_style,
    make_panels,
    short,
)

_STYLES = {
    "training": {"color": PALETTE[5], "linestyle": "--"},
    "validation": {"color": PALETTE[0]},
}


class LearningCurves(Display):
    """Losses of a fit by epoch, one panel per task, with the epoch that was kept.

    A validation loss that rises while the training loss falls shows overfitting; tasks
    whose validation losses have their minima at different epochs compete.

    Parameters
    ----------
    table : DataFrame
        What `frame` returns: columns `task`, `epoch`, `part` ("training" or
        "validation") and `loss`.
    best_epoch : int, default=None
        The epoch whose weights were kept.

    Attributes
    ----------
    figure_, axes_, ax_ : Figure, list of Axes, Axes
        Of the last picture; `ax_` is the first of the axes.
    lines_ : dict
        By task, the lines of the last picture.

    Examples
    --------
    >>> from sk_mtl import MMOEClassifier
    >>> from sk_mtl.datasets import load_adult
    >>> from sk_mtl.inspection import LearningCurves
    >>> X, y = load_adult(return_X_y=True)
    >>> model = MMOEClassifier(max_epochs=2, random_state=0).fit(X[:500], y[:500])
    >>> display = LearningCurves.from_estimator(model)
    >>> display.frame().query("part == 'training'")["task"].tolist()
    ['income', 'income', 'married', 'married']
    """

    def __init__(self, table, best_epoch=None):
        super().__init__(table)
        self.best_epoch = best_epoch

    @classmethod
    def from_estimator(cls, estimator, *, ax=None):
        """Draw the `history_` of a fitted model.

        Parameters
        ----------
        estimator : estimator
            Fitted; a multi-task model, or a pipeline or search of one.
        ax : Axes, default=None
            The axes to draw in; several panels divide their place. None makes a figure.

        Returns
        -------
        display : LearningCurves
        """
        model = fitted_model(cls.__name__, estimator, "history_")
        table = loss_table(model.history_, model.task_names_)
        return cls(table, model.best_epoch_).plot(ax=ax)

    def plot(self, ax=None):
        """Draw the losses, a panel for each task.

        Parameters
        ----------
        ax : Axes, default=None
            The axes to draw in; several panels divide their place. None makes a figure.

        Returns
        -------
        self : LearningCurves
            With the artists `figure_`, `axes_`, `ax_` and `lines_`.
        """
        by_task = self._by_task()
        lines = {}
        with house_style():
            panels = make_panels(
                len(by_task),
                ax,
                labels=[("epoch", "loss (mean per row)")],
                size=(2.5, 1.9) if len(by_task) > 3 else (3.4, 2.7),
                share_x=True,
            )
            for (task, rows), axes in zip(by_task.items(), panels.axes, strict=True):
                lines[task] = self._draw(axes, task, rows)
            handles = next(iter(lines.values()))
            if self.best_epoch is not None or len(handles) > 1:
                self.legend_ = add_legend(panels, handles)
        return self._keep(panels, lines)

    def _draw(self, ax, task, rows):
        # A line of one epoch is a point.
        marker = "o" if rows["epoch"].nunique() == 1 else None
        lines = []
        for name, part in rows.groupby("part", sort=False):
            style = {"label": name, "marker": marker, **_STYLES[name]}
            lines += ax.plot(part["epoch"], part["loss"], **style)
        if self.best_epoch is not None:
            label = f"epoch kept ({self.best_epoch})"
            style = {"color": INK, "linewidth": 1, "linestyle": ":"}
            lines.append(ax.axvline(self.best_epoch, label=label, **style))
        ax.set_title(short(task))
        ax.xaxis.get_major_locator().set_params(integer=True)
        return lines


def loss_table(history, task_names):
    """Return the losses of a history: a row for each task, epoch and part."""
    tables = []
    for task in task_names:
        for prefix, part in (("train", "training"), ("valid", "validation")):
            column = f"{prefix}_loss_{task}"
            if column in history:
                named = pd.Series([task] * len(history), history.index, object)
                losses = {"epoch": history["epoch"], "loss": history[column]}
                tables.append(pd.DataFrame({"task": named, "part": part, **losses}))
    table = pd.concat(tables, ignore_index=True)
    # Rows that are held out for one member only have no loss in some epochs.
    return table.dropna(subset="loss", ignore_index=True)

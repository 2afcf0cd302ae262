"""Importances of the columns, task by task."""

from sk_mtl.inspection._importance._permutation_importance import (
    permutation_importance_by_task,
)
from sk_mtl.inspection._plots._display import Display
from sk_mtl.inspection._plots._style import (
    MUTED,
    PALETTE,
    house_style,
    make_panels,
    short,
)


class ImportanceDisplay(Display):
    """Importances of the columns, a panel for each task, with one order of columns.

    The dot is the mean fall of a task's score when the column is permuted, and the line
    spans one standard deviation of the permutations to either side. Columns are sorted
    by their mean importance, in shares of each task's largest.

    Parameters
    ----------
    table : DataFrame
        What `frame` returns: columns `task`, `column`, `metric`, `mean` and `std`.

    Attributes
    ----------
    figure_, axes_, ax_ : Figure, list of Axes, Axes
        Of the last picture; `ax_` is the first of the axes.
    lines_ : dict
        By task, the dots of the last picture.

    Examples
    --------
    >>> import pandas as pd
    >>> from sk_mtl.inspection import ImportanceDisplay
    >>> table = pd.DataFrame({
    ...     "task": ["income"] * 2, "column": ["age", "sex"], "metric": "roc_auc",
    ...     "mean": [0.01, 0.05], "std": [0.001, 0.002],
    ... })
    >>> display = ImportanceDisplay(table).plot()
    >>> [label.get_text() for label in display.ax_.get_yticklabels()]
    ['sex', 'age']
    """

    def __init__(self, table):
        super().__init__(table)

    @classmethod
    def from_estimator(
        cls,
        estimator,
        X,
        y,
        *,
        scoring=None,
        n_repeats=5,
        sample_weight=None,
        random_state=None,
        n_columns=15,
        ax=None,
    ):
        """Permute the columns, and draw their importances.

        Parameters
        ----------
        estimator, X, y, scoring, n_repeats, sample_weight, random_state : \
                as of :func:`permutation_importance_by_task`
        n_columns : int, default=15
            Columns to draw, the most important ones.
        ax : Axes, default=None
            The axes to draw in; several panels divide their place. None makes a figure.

        Returns
        -------
        display : ImportanceDisplay
        """
        result = permutation_importance_by_task(
            estimator,
            X,
            y,
            scoring=scoring,
            n_repeats=n_repeats,
            sample_weight=sample_weight,
            random_state=random_state,
        )
        return cls(result.frame).plot(ax=ax, n_columns=n_columns)

    @classmethod
    def from_importances(cls, result, *, n_columns=15, ax=None):
        """Draw what :func:`permutation_importance_by_task` returned.

        Parameters
        ----------
        result : Bunch
        n_columns : int, default=15
            Columns to draw, the most important ones.
        ax : Axes, default=None
            The axes to draw in; several panels divide their place. None makes a figure.

        Returns
        -------
        display : ImportanceDisplay
        """
        return cls(result["frame"]).plot(ax=ax, n_columns=n_columns)

    def plot(self, ax=None, *, n_columns=15):
        """Draw the importances, a panel for each task.

        Parameters
        ----------
        ax : Axes, default=None
            The axes to draw in; several panels divide their place. None makes a figure.
        n_columns : int, default=15
            Columns to draw, the most important ones.

        Returns
        -------
        self : ImportanceDisplay
            With the artists `figure_`, `axes_`, `ax_` and `lines_`.
        """
        by_task, lines = self._by_task(), {}
        columns = self._sorted_columns()[:n_columns]
        metrics = list(dict.fromkeys(self._table["metric"]))
        unit = metrics[0] if len(metrics) == 1 else "the score"
        height = 0.8 + 0.17 * len(columns)
        with house_style():
            panels = make_panels(
                len(by_task),
                ax,
                labels=[(f"fall of {unit} when permuted", "")],
                size=(3.2 if len(by_task) <= 3 else 2.4, height),
                alone=(4.8, height),
                # The units of tasks with the same metric can be compared.
                share_x=len(metrics) == 1,
                share_y=True,
            )
            for (task, rows), axes in zip(by_task.items(), panels.axes, strict=True):
                lines[task] = _draw_task(axes, rows, columns)
                name = "" if len(metrics) == 1 else f" · {rows['metric'].iloc[0]}"
                axes.set_title(f"{short(task)}{name}")
        return self._keep(panels, lines)

    def _sorted_columns(self):
        table = self._table
        largest = table.groupby("task", sort=False)["mean"].transform("max")
        share = table["mean"] / largest.where(largest > 0, 1.0)
        means = share.groupby(table["column"], sort=False).mean()
        return means.sort_values(ascending=False, kind="stable").index.tolist()


def _draw_task(ax, rows, columns):
    own = rows.set_index("column").loc[columns]
    y = range(len(columns))
    ax.axvline(0, color=MUTED, linewidth=0.8)
    style = {"color": PALETTE[0], "alpha": 0.45, "linewidth": 2.5}
    ax.hlines(y, own["mean"] - own["std"], own["mean"] + own["std"], **style)
    dots = ax.plot(own["mean"], y, "o", color=PALETTE[0], markersize=4.5)
    ax.set_yticks(y, [short(column) for column in columns])
    ax.set_ylim(len(columns) - 0.4, -0.6)
    ax.grid(False, axis="y")
    return dots

"""Gains and losses of tasks beside a baseline."""

from sk_mtl.inspection._plots._display import Display
from sk_mtl.inspection._plots._style import (
    INK,
    MUTED,
    PALETTE,
    add_legend,
    house_style,
    make_panels,
    short,
)

_COLOURS = {"gains": PALETTE[0], "loses": PALETTE[1], "undecided": MUTED}
_MARKERS = "osD^vP"
_COLUMNS = ["metric", "difference", "lower", "upper", "verdict"]


class SeesawDisplay(Display):
    """Gains and losses of each task beside a baseline, with confidence intervals.

    Sharing weights helps some tasks and hurts others, which a mean over tasks hides.
    The dot is the mean difference of a task's score over the folds and the line its
    95 % interval; where the line crosses 0 the folds leave it open whether the task
    gains. There is a panel for each metric, because their units differ, and a marker
    for each of several models.

    Parameters
    ----------
    table : DataFrame
        What `frame` returns: columns `task`, `model` (if there are several), `metric`,
        `difference`, `lower`, `upper` and `verdict`.
    baseline_name : str, default="the baseline"

    Attributes
    ----------
    figure_, axes_, ax_ : Figure, list of Axes, Axes
        Of the last picture; `ax_` is the first of the axes.
    lines_ : dict
        By metric, the dots of the last picture.

    See Also
    --------
    sk_mtl.model_selection.compare_tasks : Makes the comparison.

    Examples
    --------
    >>> import pandas as pd
    >>> from sk_mtl.inspection import SeesawDisplay
    >>> table = pd.DataFrame({
    ...     "task": ["income", "married"], "metric": "roc_auc",
    ...     "difference": [0.02, -0.01], "lower": [0.01, -0.03],
    ...     "upper": [0.03, 0.01], "verdict": ["gains", "undecided"],
    ... })
    >>> SeesawDisplay(table).plot().ax_.get_xlabel()
    'difference of roc_auc from the baseline'
    """

    def __init__(self, table, baseline_name="the baseline"):
        super().__init__(table)
        self.baseline_name = baseline_name

    @classmethod
    def from_comparison(cls, comparison, *, ax=None):
        """Draw the result of :func:`~sk_mtl.model_selection.compare_tasks`.

        Parameters
        ----------
        comparison : TaskComparison
        ax : Axes, default=None
            The axes to draw in; several panels divide their place. None makes a figure.

        Returns
        -------
        display : SeesawDisplay
        """
        if not hasattr(comparison, "baseline_name") or not hasattr(comparison, "frame"):
            raise TypeError(
                f"{cls.__name__} needs the result of compare_tasks; found "
                f"{type(comparison).__name__}. Call compare_tasks first."
            )
        table = comparison.frame().reset_index()
        keys = [name for name in ("task", "model") if name in table]
        return cls(table[keys + _COLUMNS], comparison.baseline_name).plot(ax=ax)

    def plot(self, ax=None):
        """Draw the differences, a panel for each metric.

        Parameters
        ----------
        ax : Axes, default=None
            The axes to draw in; several panels divide their place. None makes a figure.

        Returns
        -------
        self : SeesawDisplay
            With the artists `figure_`, `axes_`, `ax_` and `lines_`.
        """
        table = self._table
        models = list(dict.fromkeys(table["model"])) if "model" in table else [None]
        metrics = list(dict.fromkeys(table["metric"]))
        n_tasks = table.groupby("metric", sort=False)["task"].nunique().max()
        height = 1.0 + n_tasks * max(0.22, 0.16 * len(models))
        label = f"difference of {{}} from {short(self.baseline_name, 30)}"
        lines = {}
        with house_style():
            panels = make_panels(
                1,
                ax,
                n_blocks=len(metrics),
                alone=(5.0, height),
                labels=[(label.format(metric), "") for metric in metrics],
            )
            for metric, (axes,) in zip(metrics, panels.blocks, strict=True):
                own = table[table["metric"] == metric]
                lines[metric] = _draw_differences(axes, own, models)
            self.legend_ = add_legend(panels, _handles(table, models), n_columns=3)
        return self._keep(panels, lines)


def _draw_differences(ax, table, models):
    tasks = list(dict.fromkeys(table["task"]))
    ax.axvline(0, color=INK, linewidth=0.9)
    dots = []
    for row in table.itertuples():
        k = models.index(row.model) if models[0] is not None else 0
        y = tasks.index(row.task) + 0.7 * ((k + 0.5) / len(models) - 0.5)
        colour = _COLOURS[row.verdict]
        ax.hlines(y, row.lower, row.upper, color=colour, alpha=0.5, linewidth=2.5)
        marker = _MARKERS[k % len(_MARKERS)]
        dots += ax.plot(row.difference, y, marker, color=colour, markersize=5)
    ax.set_yticks(range(len(tasks)), [short(task) for task in tasks])
    ax.set_ylim(len(tasks) - 0.4, -0.6)
    ax.grid(False, axis="y")
    return dots


def _handles(table, models):
    """Return the legend: colours are verdicts, markers are models."""
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], color=colour, marker="o", linewidth=2.5, label=verdict)
        for verdict, colour in _COLOURS.items()
        if verdict in set(table["verdict"])
    ]
    if models[0] is not None:
        handles += [
            Line2D([], [], color=INK, marker=marker, linestyle="", label=short(model))
            for model, marker in zip(models, _MARKERS * len(models))
        ]
    return handles

"""The weights with which tasks mix experts."""

import numpy as np
import pandas as pd

from sk_mtl.inspection._plots._display import Display
from sk_mtl.inspection._plots._fitted_model import check_several_tasks, model_and_rows
from sk_mtl.inspection._plots._row_groups import row_groups
from sk_mtl.inspection._plots._style import (
    PALETTE,
    add_legend,
    house_style,
    make_panels,
    short,
)


class GateDisplay(Display):
    """Weights with which each task mixes the experts: mean and spread over rows.

    A panel for each task, and a row of panels for each level of experts. Experts are
    sorted by their mean weight over the tasks, so that shared ones are on top. The dot
    is the mean over rows and the line spans the middle 80 % of the rows: a long line
    means that the gate depends on the row, a short one that the task mixes the same way
    everywhere. Experts that a task cannot read are left out of its panel.

    Parameters
    ----------
    table : DataFrame
        What `frame` returns: columns `level`, `task`, `group` where rows are grouped,
        `expert`, `mean`, `std`, `lower`, `upper` (10 % and 90 % quantiles) and `rows`.
    group_name : str, default=None
        Name of the groups.

    Attributes
    ----------
    figure_, axes_, ax_ : Figure, list of Axes, Axes
        Of the last picture; `ax_` is the first of the axes.
    lines_ : dict
        By level and task, the dots of the last picture.

    Examples
    --------
    >>> from sk_mtl import MMOEClassifier
    >>> from sk_mtl.datasets import load_adult
    >>> from sk_mtl.inspection import GateDisplay
    >>> X, y = load_adult(return_X_y=True)
    >>> X, y = X[:500], y[:500]
    >>> model = MMOEClassifier(n_experts=3, max_epochs=1, random_state=0).fit(X, y)
    >>> table = GateDisplay.from_estimator(model, X, by="sex").frame()
    >>> table.groupby(["task", "group"])["mean"].sum().round(3).tolist()
    [1.0, 1.0, 1.0, 1.0]
    """

    def __init__(self, table, group_name=None):
        super().__init__(table)
        self.group_name = group_name

    @classmethod
    def from_estimator(cls, estimator, X, *, by=None, member=0, ax=None):
        """Draw the gates of a fitted model on given rows.

        Parameters
        ----------
        estimator : estimator
            Fitted; a multi-task model that mixes experts, or a pipeline or search of
            one.
        X : {DataFrame, array-like} of shape (n_samples, n_features)
        by : str or array-like of shape (n_samples,), default=None
            Groups of rows, each with a colour: a column of X, or a value for each row.
            Numbers are cut into four ranges, and rare categories are put together.
        member : int, default=0
            The member of an ensemble whose gates are drawn. The experts of different
            members have nothing in common.
        ax : Axes, default=None
            The axes to draw in; several panels divide their place. None makes a figure.

        Returns
        -------
        display : GateDisplay
        """
        name, groups = (None, None) if by is None else row_groups(by, X)
        model, X = model_and_rows(cls.__name__, estimator, X)
        _check_gates(cls.__name__, model)
        gates, experts = model.predict_gates(X), model.expert_names_
        if not isinstance(gates, list):
            gates, experts = [gates], [experts]
        table = pd.concat(
            [
                _level_table(level, _of_member(weights, member), model, names, groups)
                for level, (weights, names) in enumerate(
                    zip(gates, experts, strict=True)
                )
            ],
            ignore_index=True,
        )
        return cls(table, name).plot(ax=ax)

    def plot(self, ax=None):
        """Draw the gates, a panel for each level and task.

        Parameters
        ----------
        ax : Axes, default=None
            The axes to draw in; several panels divide their place. None makes a figure.

        Returns
        -------
        self : GateDisplay
            With the artists `figure_`, `axes_`, `ax_` and `lines_`.
        """
        table = _used(self._table)
        levels, tasks = table["level"].unique(), list(dict.fromkeys(table["task"]))
        n_lines = table.groupby(["level", "task"]).size().max()
        height = 0.8 + 0.11 * n_lines + 0.1 * _n_experts(table)
        # Of experts that all tasks read, one list is enough.
        of_level = table.groupby("level")["expert"].nunique()
        is_common = bool((of_level == _n_experts(table)).all())
        ends = min(0.0, table["lower"].min()) - 0.02, 1.04 * table["upper"].max()
        lines = {}
        with house_style():
            panels = make_panels(
                len(tasks),
                ax,
                n_blocks=len(levels),
                labels=[("gate weight", "")] * len(levels),
                size=(3.0 if len(tasks) <= 3 else 2.4, height),
                alone=(4.6, height + 0.3),
                share_x=True,
                share_y=is_common,
            )
            for level, block in zip(levels, panels.blocks, strict=True):
                of_level = table[table["level"] == level]
                suffix = f" · level {level + 1}" if len(levels) > 1 else ""
                for task, axes in zip(tasks, block, strict=True):
                    own = of_level[of_level["task"] == task]
                    lines[level, task] = _draw_gate(axes, own)
                    axes.set_xlim(*ends)
                    axes.set_title(f"{short(task)}{suffix}")
            if "group" in table:
                handles = next(iter(lines.values()))
                self.legend_ = add_legend(panels, handles, title=self.group_name)
        return self._keep(panels, lines)


def _check_gates(display, model):
    """Raise where a model has no gates, or a single task."""
    if not hasattr(model, "predict_gates"):
        raise ValueError(
            f"{display} needs a model that mixes experts; found "
            f"{type(model).__name__}, which has no gates. Fit a model "
            "with experts, such as MMOEClassifier."
        )
    check_several_tasks(display, model.task_names_, "compares the gates of tasks")


def _of_member(weights, member):
    """Return the gates of one member, (n_samples, n_tasks, n_experts)."""
    if weights.ndim == 3:
        return weights
    if not 0 <= member < weights.shape[1]:
        raise ValueError(
            f"member must be from 0 to {weights.shape[1] - 1}; found {member!r}. The "
            "model has so many members."
        )
    return weights[:, member]


def _level_table(level, weights, model, experts, groups):
    """Return the statistics of one level, experts sorted by their mean weight."""
    tasks = model.task_names_
    order = np.argsort(-weights.mean(axis=(0, 1)), kind="stable")
    parts = {None: slice(None)}
    if groups is not None:
        codes = groups.codes
        parts = {
            each: np.flatnonzero(codes == k)
            for k, each in enumerate(groups.categories)
            if (codes == k).any()
        }
    tables = []
    for k, task in enumerate(tasks):
        for group, rows in parts.items():
            own = weights[rows, k][:, order].astype(float)
            lower, upper = np.quantile(own, [0.1, 0.9], axis=0)
            named = pd.Series([task] * len(order), dtype=object)
            columns = {"level": level, "task": named}
            if groups is not None:
                columns["group"] = group
            columns |= {
                "expert": [experts[j] for j in order],
                "mean": own.mean(axis=0),
                "std": own.std(axis=0),
                "lower": lower,
                "upper": upper,
                "rows": len(own),
            }
            tables.append(pd.DataFrame(columns))
    return pd.concat(tables, ignore_index=True)


def _n_experts(table):
    """Return the largest number of experts of a panel."""
    return int(table.groupby(["level", "task"])["expert"].nunique().max())


def _used(table):
    """Return the rows of experts that a task reads: their weight is not always 0."""
    return table[(table["mean"] != 0) | (table["std"] != 0)]


def _draw_gate(ax, rows):
    """Draw dots and lines of one task, a colour for each group."""
    experts = list(dict.fromkeys(rows["expert"]))
    position = {expert: k for k, expert in enumerate(experts)}
    groups = (
        list(rows.groupby("group", sort=False)) if "group" in rows else [("", rows)]
    )
    dots = []
    for k, (group, own) in enumerate(groups):
        shift = 0.7 * ((k + 0.5) / len(groups) - 0.5)
        y, colour = own["expert"].map(position) + shift, PALETTE[k]
        ax.hlines(
            y, own["lower"], own["upper"], color=colour, alpha=0.45, linewidth=2.5
        )
        dots += ax.plot(own["mean"], y, "o", color=colour, markersize=4.5, label=group)
    ax.set_yticks(range(len(experts)), [short(each, 16) for each in experts])
    ax.set_ylim(len(experts) - 0.4, -0.6)
    ax.grid(False, axis="y")
    return dots

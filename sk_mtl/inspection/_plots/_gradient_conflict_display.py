"""Cosines between the tasks' gradients."""

from itertools import combinations

import numpy as np
import pandas as pd

from sk_mtl.inspection._gradient_conflict import gradient_conflict
from sk_mtl.inspection._plots._display import Display
from sk_mtl.inspection._plots._fitted_model import check_several_tasks, fitted_model
from sk_mtl.inspection._plots._style import (
    INK,
    MUTED,
    house_style,
    make_panels,
    short,
)
from sk_mtl.inspection._plots._task_lines import LineBlock, plot_task_lines

# So many pairs of tasks get a line; of more, the pairs with the lowest cosines.
_MOST_PAIRS = 20
# So many tasks have numbers in the cells.
_MOST_NUMBERED = 8


class GradientConflictDisplay(Display):
    """Cosines between the gradients of each pair of tasks, as a map or by epoch.

    A cosine near 1 (blue) means that two tasks ask for the same change, near 0 that
    they do not interfere, and below 0 (red) that a step that helps one harms the other.

    Parameters
    ----------
    table : DataFrame
        What `frame` returns: columns `task`, `other`, `cosine` and, of a recorded fit,
        `epoch`.

    Attributes
    ----------
    figure_, axes_, ax_ : Figure, list of Axes, Axes
        Of the last picture; `ax_` is the first of the axes.
    lines_ : dict
        By pair of tasks, the lines of a recorded fit; else the image, as "image".

    See Also
    --------
    gradient_conflict : The cosines alone.
    GradientConflictRecorder : Records them in training.

    Examples
    --------
    >>> import pandas as pd
    >>> from sk_mtl.inspection import GradientConflictDisplay
    >>> tasks = ["income", "married"]
    >>> cosines = pd.DataFrame([[1, 0.2], [0.2, 1]], index=tasks, columns=tasks)
    >>> GradientConflictDisplay.from_cosines(cosines).frame()
         task    other  cosine
    0  income  married     0.2
    """

    def __init__(self, table):
        super().__init__(table)

    @classmethod
    def from_estimator(
        cls, estimator, X, y, sample_weight=None, *, batch_size=None, ax=None
    ):
        """Draw the cosines of a fitted model on given rows.

        Parameters
        ----------
        estimator : estimator
            Fitted; a multi-task model, or a pipeline that ends in one.
        X, y, sample_weight, batch_size : as of :func:`gradient_conflict`
        ax : Axes, default=None
            The axes to draw in. None makes a figure.

        Returns
        -------
        display : GradientConflictDisplay
        """
        model = fitted_model(cls.__name__, estimator)
        _check_tasks(cls.__name__, model.task_names_)
        cosines = gradient_conflict(
            estimator, X, y, sample_weight, batch_size=batch_size
        )
        return cls.from_cosines(cosines, ax=ax)

    @classmethod
    def from_cosines(cls, cosines, *, ax=None):
        """Draw what :func:`gradient_conflict` returned.

        Parameters
        ----------
        cosines : DataFrame of shape (n_tasks, n_tasks)
        ax : Axes, default=None
            The axes to draw in. None makes a figure.

        Returns
        -------
        display : GradientConflictDisplay
        """
        names = list(cosines.index)
        _check_tasks(cls.__name__, names)
        values = cosines.to_numpy()
        rows = [
            (names[a], names[b], float(values[a, b]))
            for a, b in combinations(range(len(names)), 2)
        ]
        return cls(pd.DataFrame(rows, columns=["task", "other", "cosine"])).plot(ax=ax)

    @classmethod
    def from_history(cls, estimator, *, ax=None):
        """Draw what :class:`GradientConflictRecorder` recorded in a fit, by epoch.

        Parameters
        ----------
        estimator : estimator
            Fitted with the recorder among its `callbacks`.
        ax : Axes, default=None
            The axes to draw in; several panels divide their place. None makes a figure.

        Returns
        -------
        display : GradientConflictDisplay
        """
        model = fitted_model(cls.__name__, estimator, "history_")
        _check_tasks(cls.__name__, model.task_names_)
        history, tables = model.history_, []
        for a, b in combinations(model.task_names_, 2):
            column = f"gradient_cosine_{a}_{b}"
            if column not in history:
                raise ValueError(
                    f"{cls.__name__}.from_history needs a fit that recorded cosines; "
                    f"found no column {column!r} in history_. Fit with "
                    "callbacks=[GradientConflictRecorder()]."
                )
            values = {"epoch": history["epoch"], "cosine": history[column]}
            table = pd.DataFrame(values).assign(task=a, other=b)
            tables.append(table[["task", "other", "epoch", "cosine"]])
        return cls(pd.concat(tables, ignore_index=True)).plot(ax=ax)

    def plot(self, ax=None):
        """Draw the cosines: a map, or lines by epoch.

        Of more than 20 pairs, the lines of the 20 with the lowest mean are drawn.

        Parameters
        ----------
        ax : Axes, default=None
            The axes to draw in; several panels divide their place. None makes a figure.

        Returns
        -------
        self : GradientConflictDisplay
            With the artists `figure_`, `axes_`, `ax_` and `lines_`.
        """
        if "epoch" in self._table:
            return self._keep(*plot_task_lines([self._lines()], ax))
        with house_style():
            size = min(3.4 + 0.32 * self._table["task"].nunique(), 8.5)
            panels = make_panels(1, ax, alone=(size + 0.9, size))
            image = self._draw_map(panels.axes[0], panels.figure)
        return self._keep(panels, {"image": image})

    def _lines(self):
        pairs = {
            f"{short(a, 12)} – {short(b, 12)}": (rows["epoch"], rows["cosine"])
            for (a, b), rows in self._table.groupby(["task", "other"], sort=False)
        }
        kept = sorted(pairs, key=lambda pair: pairs[pair][1].mean())[:_MOST_PAIRS]

        def before(ax, tasks):
            ax.axhline(0, color=MUTED, linestyle=":", linewidth=1)
            ax.xaxis.get_major_locator().set_params(integer=True)

        return LineBlock(
            {pair: pairs[pair] for pair in pairs if pair in kept},
            "epoch",
            "cosine between gradients",
            before=before,
            legend="outside",
        )

    def _draw_map(self, ax, figure):
        names = list(dict.fromkeys([*self._table["task"], *self._table["other"]]))
        position = {name: k for k, name in enumerate(names)}
        cosines = np.full((len(names), len(names)), np.nan)
        for row in self._table.itertuples():
            a, b = position[row.task], position[row.other]
            cosines[a, b] = cosines[b, a] = row.cosine
        # The scale is the same on both sides of 0, which stays white.
        largest = max(0.1, float(np.nanmax(np.abs(cosines))))
        image = ax.imshow(cosines, cmap="RdBu", vmin=-largest, vmax=largest)
        labels = [short(name, 16) for name in names]
        ax.set_xticks(range(len(names)), labels, rotation=45, ha="right")
        ax.set_yticks(range(len(names)), labels)
        ax.grid(False)
        ax.spines[:].set_visible(False)
        ax.tick_params(length=0)
        if len(names) <= _MOST_NUMBERED:
            for (a, b), value in np.ndenumerate(cosines):
                if a != b:
                    colour = "white" if abs(value) > 0.65 * largest else INK
                    text = {"ha": "center", "va": "center", "fontsize": 8}
                    ax.text(b, a, f"{value:.2f}", color=colour, **text)
        bar = figure.colorbar(
            image, ax=ax, shrink=0.8, label="cosine between gradients"
        )
        bar.outline.set_visible(False)
        return image


def _check_tasks(display, names):
    check_several_tasks(display, names, "compares the gradients of tasks")

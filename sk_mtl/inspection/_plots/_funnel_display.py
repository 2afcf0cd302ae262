"""Predicted and observed rates of the steps of a funnel."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy.stats import binomtest

from sk_mtl._labels import read_labels
from sk_mtl.inspection._plots._binary_tasks import binary_rows
from sk_mtl.inspection._plots._diagonal import draw_diagonal, largest_of
from sk_mtl.inspection._plots._display import Display, stack_tables
from sk_mtl.inspection._plots._fitted_model import model_and_rows
from sk_mtl.inspection._plots._style import PALETTE, house_style, make_panels, short
from sk_mtl.metrics._complete_steps import complete_steps
from sk_mtl.metrics._read_tasks import read_tasks


class FunnelDisplay(Display):
    """Predicted against observed rates of each step of a funnel, by decile.

    The rows are sorted by the predicted probability of a step and cut into ten groups
    of equal size. Each point shows a group: the share of its rows that reached the step
    against the mean of their predicted probabilities, with a 95 % interval (Wilson).
    All rows count, the entire space of ESMM, unless the rates are conditional. Below
    the diagonal the model promises too much.

    Parameters
    ----------
    table : DataFrame
        What `frame` returns: columns `step`, `bin`, `rows`, `predicted`, `observed`,
        `lower` and `upper`.

    Attributes
    ----------
    figure_, axes_, ax_ : Figure, list of Axes, Axes
        Of the last picture; `ax_` is the first of the axes.
    lines_ : dict
        By step, the points of the last picture.

    See Also
    --------
    TaskCalibration : Tasks that do not build on each other.

    Examples
    --------
    >>> from sk_mtl import ESMMClassifier
    >>> from sk_mtl.datasets import make_conversion_funnel
    >>> from sk_mtl.inspection import FunnelDisplay
    >>> X, y, _ = make_conversion_funnel(2000, random_state=0)
    >>> model = ESMMClassifier(max_epochs=1, random_state=0).fit(X[:1000], y[:1000])
    >>> display = FunnelDisplay.from_estimator(model, X[1000:], y[1000:])
    >>> display.frame().groupby("step", sort=False)["rows"].sum().to_dict()
    {'click': 1000, 'conversion': 1000}
    """

    def __init__(self, table):
        super().__init__(table)

    @classmethod
    def from_estimator(
        cls, estimator, X, y, *, conditional=False, n_bins=10, pos_label=None, ax=None
    ):
        """Draw the steps of a fitted model.

        Parameters
        ----------
        estimator : estimator
            Fitted; a model whose tasks are the steps of a funnel, such as
            `ESMMClassifier`, or a pipeline or search of one.
        X : {DataFrame, array-like} of shape (n_samples, n_features)
        y : {DataFrame, array-like} of shape (n_samples, n_steps)
            Missing labels are left out. As in `fit`, a missing label of a step counts
            as "not reached" in rows that did not reach an earlier one.
        conditional : bool, default=False
            Draw the rate of each step among the rows that reached the step before,
            instead of the probability of the step among all rows.
        n_bins : int, default=10
            Groups of rows of each step.
        pos_label : label or dict of step to label, default=None
            The label that means "reached". None takes the model's own, else the class
            that sorts last.
        ax : Axes, default=None
            The axes to draw in; several panels divide their place. None makes a figure.

        Returns
        -------
        display : FunnelDisplay
        """
        model, X = model_and_rows(cls.__name__, estimator, X)
        structure = getattr(model, "structure", None)
        _check_steps(cls.__name__, model, structure, conditional)
        method = "predict_conditional_proba" if conditional else "predict_proba"
        names = model.task_names_
        if pos_label is None:
            pos_label = getattr(model, "pos_label_", None)
        is_tree = isinstance(structure, Mapping)
        # Conditional rates are of rows that reached the step before.
        labels = y if conditional else complete_steps(model, y)
        columns = read_labels(labels).columns_of(names)
        return cls.from_predictions(
            pd.DataFrame(dict(zip(range(len(names)), columns, strict=True))),
            getattr(model, method)(X),
            names=names,
            classes=model.classes_,
            missing_label=getattr(model, "missing_label", None),
            pos_label=pos_label,
            conditional=conditional,
            funnel=structure if is_tree and conditional else None,
            n_bins=n_bins,
            ax=ax,
        )

    @classmethod
    def from_predictions(
        cls,
        y_true,
        y_proba,
        *,
        names=None,
        classes=None,
        missing_label=None,
        pos_label=None,
        conditional=False,
        funnel=None,
        n_bins=10,
        ax=None,
    ):
        """Draw predicted probabilities of steps.

        Parameters
        ----------
        y_true : {DataFrame, array-like} of shape (n_samples, n_steps)
            Missing labels are left out.
        y_proba : list of ndarray, or ndarray
            What `predict_proba` returns, or `predict_conditional_proba` with
            `conditional`; or the probability of each step, one column per step.
        names : list of str, default=None
            Names of the steps. None takes the columns of `y_true`.
        classes : list of array-like, default=None
            The classes of each step. None takes the labels of `y_true`.
        missing_label : object, default=None
            A label that stands for "no label", besides NaN and None.
        pos_label : label or dict of step to label, default=None
            The label that means "reached"; None takes the class that sorts last.
        conditional : bool, default=False
            The rates are of rows that reached the step before.
        funnel : dict of step to step, default=None
            With `conditional`, the step that each step builds on. None is the chain of
            the columns.
        n_bins : int, default=10
            Groups of rows of each step.
        ax : Axes, default=None
            The axes to draw in; several panels divide their place. None makes a figure.

        Returns
        -------
        display : FunnelDisplay
        """
        names, rows = read_tasks(
            y_true,
            y_proba,
            classes=classes,
            names=names,
            missing_label=missing_label,
            pos_label=pos_label,
            conditional=conditional,
            funnel=funnel,
        )
        tasks, _ = binary_rows(cls.__name__, names, rows)
        bins = {step: _binned_rates(each, n_bins) for step, each in tasks.items()}
        return cls(stack_tables(bins, "step")).plot(ax=ax)

    def plot(self, ax=None):
        """Draw the rates, a panel for each step.

        Parameters
        ----------
        ax : Axes, default=None
            The axes to draw in; several panels divide their place. None makes a figure.

        Returns
        -------
        self : FunnelDisplay
            With the artists `figure_`, `axes_`, `ax_` and `lines_`.
        """
        by_step, lines = self._by_task("step"), {}
        with house_style():
            panels = make_panels(
                len(by_step),
                ax,
                labels=[("predicted probability", "observed share of rows")],
                size=(2.3, 2.3) if len(by_step) > 3 else (3.1, 3.1),
            )
            for (step, rows), axes in zip(by_step.items(), panels.axes, strict=True):
                lines[step] = _draw_step(axes, step, rows)
        return self._keep(panels, lines)


def _check_steps(display, model, structure, conditional):
    """Raise for a model whose tasks are no steps, or that knows no rates of steps."""
    if hasattr(model, "predict_conditional_proba"):
        return
    if conditional or structure != "sequential":
        wanted = (
            "that predicts the rates" if conditional else "whose tasks are the steps"
        )
        raise ValueError(
            f"{display} needs a model {wanted} of a funnel; found "
            f"{type(model).__name__} with structure={structure!r}. Fit with "
            "structure='funnel', or draw independent tasks with TaskCalibration."
        )


def _binned_rates(rows, n_bins):
    """Return the rates of groups of rows with close predicted probabilities."""
    edges = np.quantile(rows.proba, np.linspace(0, 1, n_bins + 1)[1:-1])
    groups = pd.DataFrame({"proba": rows.proba, "positive": rows.positive}).groupby(
        np.searchsorted(edges, rows.proba)
    )
    counts = zip(groups["positive"].sum(), groups.size(), strict=True)
    intervals = [
        binomtest(int(k), int(n)).proportion_ci(method="wilson") for k, n in counts
    ]
    return pd.DataFrame(
        {
            "bin": range(1, len(intervals) + 1),
            "rows": groups.size().to_numpy(),
            "predicted": groups["proba"].mean().to_numpy(),
            "observed": groups["positive"].mean().to_numpy(),
            "lower": [each.low for each in intervals],
            "upper": [each.high for each in intervals],
        }
    )


def _draw_step(ax, step, rows):
    draw_diagonal(ax, [step], largest_of(rows, ("predicted", "upper")))
    # Rounding may leave a bound of the interval a hair inside.
    below = (rows["observed"] - rows["lower"]).clip(lower=0)
    above = (rows["upper"] - rows["observed"]).clip(lower=0)
    points = ax.errorbar(
        rows["predicted"],
        rows["observed"],
        yerr=[below, above],
        fmt="o-",
        color=PALETTE[0],
        ecolor=PALETTE[5],
        elinewidth=1.4,
        linewidth=1,
        markersize=4,
    )
    total = rows["rows"].sum()
    predicted, observed = (
        float((rows[column] * rows["rows"]).sum() / total)
        for column in ("predicted", "observed")
    )
    text = f"predicted {predicted:.3g}\nobserved {observed:.3g}"
    ax.text(0.04, 0.97, text, va="top", fontsize=7.5, transform=ax.transAxes)
    ax.set_title(short(step))
    return points

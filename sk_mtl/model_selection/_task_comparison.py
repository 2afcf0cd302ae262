"""The result of a comparison of estimators with a baseline, task by task."""

from dataclasses import dataclass
from html import escape

import numpy as np
import pandas as pd
from scipy.special import stdtrit

_LEVEL = 0.95
# The verdicts, and their words in a sentence about one task and about several.
_VERDICTS = {
    "gains": ("gains", "gain"),
    "loses": ("loses", "lose"),
    "undecided": ("is undecided", "are undecided"),
}


@dataclass(frozen=True, eq=False, repr=False)
class TaskComparison:
    """Estimators compared with a baseline, task by task, on the same folds.

    Made by :func:`compare_tasks`. Printed, it is the table of the tasks, the costs of
    all models and a sentence on each estimator; a notebook shows it as HTML.

    Attributes
    ----------
    names : list of str
        The estimators.
    baseline_name : str
    metrics : dict of str to TaskMetric
        By task, its metric.
    scores : DataFrame of shape (n_folds, n_tasks) or (n_folds, n_models * n_tasks)
        The metrics on the test rows of each fold. NaN where these do not define them.
        The columns are the tasks or, where a list of estimators was compared, pairs of
        a model and a task.
    baseline_scores : DataFrame of shape (n_folds, n_tasks)
    test_ratio : float
        Test rows per training row, the mean over the folds.
    costs : DataFrame of shape (n_models + 1, 3)
        Index `estimator` and `baseline`, or the names of a list of estimators and
        `baseline`. Columns `name`, `fit_seconds` and `n_parameters`, both medians over
        the folds. The number of parameters is NaN for models that are no networks.
    """

    names: list
    baseline_name: str
    metrics: dict
    scores: pd.DataFrame
    baseline_scores: pd.DataFrame
    test_ratio: float
    costs: pd.DataFrame

    @property
    def is_of_several(self):
        """True if a list of estimators was compared."""
        return self.scores.columns.nlevels > 1

    def frame(self):
        """Return a table with one row per task, or per model and task.

        Returns
        -------
        table : DataFrame
            Index `task`; of a list of estimators `model` and `task`. Columns: `metric`;
            `mean` and `std` of the estimator over the folds, `baseline_mean` and
            `baseline_std`; `difference`, the mean of the estimator's score less the
            baseline's, over the folds in which both are defined; `lower` and `upper`,
            its 95 % confidence interval; and `verdict`: "gains", "loses", or
            "undecided" where the interval holds 0. Where less is better, a task gains
            by a negative difference.
        """
        if not self.is_of_several:
            return self._frame_of(self.scores)
        tables = {name: self._frame_of(self.scores[name]) for name in self.names}
        return pd.concat(tables, names=["model"])

    @property
    def summary(self):
        """A sentence on each estimator: the tasks that gain, lose, or are undecided."""
        table = self.frame()
        if not self.is_of_several:
            return self._sentence(self.names[0], table)
        return "\n".join(self._sentence(name, table.loc[name]) for name in self.names)

    @property
    def note(self):
        """A sentence on the number of intervals; empty for a single estimator."""
        if not self.is_of_several:
            return ""
        n_intervals = self.scores.shape[1]
        return (
            f"Each of the {n_intervals} intervals is at 95 %: if no model differed "
            f"from the baseline, about {(1 - _LEVEL) * n_intervals:.1g} of them would "
            "exclude 0 by chance. Confirm what you choose on other rows."
        )

    def __repr__(self):
        table = self.frame().to_string(float_format=_digits)
        costs = self.costs.to_string(formatters=_COST_FORMATS)
        return "\n\n".join(filter(None, [table, costs, self.summary, self.note]))

    def _repr_html_(self):
        table = self.frame().to_html(float_format=_digits)
        costs = self.costs.to_html(formatters=_COST_FORMATS)
        sentences = filter(None, [*self.summary.split("\n"), self.note])
        return "".join([table, costs, *(f"<p>{escape(s)}</p>" for s in sentences)])

    def _frame_of(self, scores):
        """Return the table of one estimator, a row per task."""
        # Infinite scores, which some metrics have, leave the verdict open.
        with np.errstate(invalid="ignore"):
            difference = scores - self.baseline_scores
            half = self._half_width(difference)
            table = pd.DataFrame(
                {
                    "metric": [self.metrics[task].name for task in scores],
                    "mean": scores.mean(),
                    "std": scores.std(),
                    "baseline_mean": self.baseline_scores.mean(),
                    "baseline_std": self.baseline_scores.std(),
                    "difference": difference.mean(),
                    "lower": difference.mean() - half,
                    "upper": difference.mean() + half,
                },
                index=scores.columns.rename("task"),
            )
        table["verdict"] = [
            self._verdict(task, row.lower, row.upper) for task, row in table.iterrows()
        ]
        return table

    def _sentence(self, name, table):
        parts = [
            f"{_listed(rows)} {words[len(rows) > 1]}"
            for verdict, words in _VERDICTS.items()
            if len(rows := table[table["verdict"] == verdict])
        ]
        n_folds = len(self.scores)
        return (
            f"{name} beside {self.baseline_name}, over {n_folds} "
            f"fold{'s' * (n_folds != 1)}: {'; '.join(parts)}."
        )

    def _half_width(self, difference):
        """Return half the width of the confidence intervals of the mean differences."""
        n_folds = difference.count()
        variance = difference.var() * (1 / n_folds + self.test_ratio)
        quantile = stdtrit(np.maximum(n_folds - 1, 1), (1 + _LEVEL) / 2)
        return quantile * np.sqrt(variance)

    def _verdict(self, task, lower, upper):
        gains, loses, open_ = _VERDICTS
        if not self.metrics[task].greater_is_better:
            gains, loses = loses, gains
        if lower > 0:
            return gains
        return loses if upper < 0 else open_


def _digits(number):
    return f"{number:.4g}"


_COST_FORMATS = {"fit_seconds": _digits, "n_parameters": "{:,.0f}".format}


def _listed(rows):
    """Return the tasks with the differences of their metrics, as text."""
    texts = [
        f"{task!r} ({row.metric} {row.difference:+.2g} ± "
        f"{(row.upper - row.lower) / 2:.2g})"
        for task, row in rows.iterrows()
    ]
    return " and ".join(filter(None, [", ".join(texts[:-1]), texts[-1]]))

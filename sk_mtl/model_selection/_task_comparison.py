"""The result of a comparison of two estimators, task by task."""

from dataclasses import dataclass

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
    """An estimator compared with a baseline, task by task, on the same folds.

    Made by :func:`compare_tasks`. Printed, it is the table of the tasks, the costs of
    both models and a sentence.

    Attributes
    ----------
    estimator_name, baseline_name : str
    metrics : dict of str to TaskMetric
        By task, its metric.
    scores, baseline_scores : DataFrame of shape (n_folds, n_tasks)
        The metrics on the test rows of each fold. NaN where these do not define them.
    test_ratio : float
        Test rows per training row, the mean over the folds.
    costs : DataFrame of shape (2, 3)
        Index `estimator` and `baseline`, columns `name`, `fit_seconds` and
        `n_parameters`, both medians over the folds. The number of parameters is NaN for
        models that are no networks.
    """

    estimator_name: str
    baseline_name: str
    metrics: dict
    scores: pd.DataFrame
    baseline_scores: pd.DataFrame
    test_ratio: float
    costs: pd.DataFrame

    def frame(self):
        """Return a table with one row per task.

        Returns
        -------
        table : DataFrame
            Index `task`. Columns: `metric`; `mean` and `std` of the estimator over the
            folds, `baseline_mean` and `baseline_std`; `difference`, the mean of the
            estimator's score less the baseline's, over the folds in which both are
            defined; `lower` and `upper`, its 95 % confidence interval; and `verdict`:
            "gains", "loses", or "undecided" where the interval holds 0. Where less is
            better, a task gains by a negative difference.
        """
        # An infinite loss leaves the spread undefined, and the verdict open.
        with np.errstate(invalid="ignore"):
            difference = self.scores - self.baseline_scores
            half = self._half_width(difference)
            table = pd.DataFrame(
                {
                    "metric": [self.metrics[task].name for task in self.scores],
                    "mean": self.scores.mean(),
                    "std": self.scores.std(),
                    "baseline_mean": self.baseline_scores.mean(),
                    "baseline_std": self.baseline_scores.std(),
                    "difference": difference.mean(),
                    "lower": difference.mean() - half,
                    "upper": difference.mean() + half,
                },
                index=self.scores.columns.rename("task"),
            )
        table["verdict"] = [
            self._verdict(task, row.lower, row.upper) for task, row in table.iterrows()
        ]
        return table

    @property
    def summary(self):
        """A sentence that lists the tasks that gain, lose, or are undecided."""
        table = self.frame()
        parts = [
            f"{_listed(rows)} {words[len(rows) > 1]}"
            for verdict, words in _VERDICTS.items()
            if len(rows := table[table["verdict"] == verdict])
        ]
        n_folds = len(self.scores)
        return (
            f"{self.estimator_name} beside {self.baseline_name}, over {n_folds} "
            f"fold{'s' * (n_folds != 1)}: {'; '.join(parts)}."
        )

    def __repr__(self):
        def digits(number):
            return f"{number:.4g}"

        costs = self.costs.to_string(
            formatters={"fit_seconds": digits, "n_parameters": "{:,.0f}".format}
        )
        table = self.frame().to_string(float_format=digits)
        return f"{table}\n\n{costs}\n\n{self.summary}"

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


def _listed(rows):
    """Return the tasks with the differences of their metrics, as text."""
    texts = [
        f"{task!r} ({row.metric} {row.difference:+.2g} ± "
        f"{(row.upper - row.lower) / 2:.2g})"
        for task, row in rows.iterrows()
    ]
    return " and ".join(filter(None, [", ".join(texts[:-1]), texts[-1]]))

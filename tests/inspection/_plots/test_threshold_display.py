"""Scores of decisions against the threshold."""

from functools import partial

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics

from sk_mtl.inspection import ThresholdDisplay
from tests.estimators.common import refuse


def predictions(n_samples=80):
    rng = np.random.default_rng(0)
    proba = rng.random((n_samples, 2)).round(2)
    y = pd.DataFrame((rng.random((n_samples, 2)) < proba) * 1.0, columns=["a", "b"])
    y.loc[:9, "a"] = np.nan
    return y, proba


NAMED = {
    "accuracy": metrics.accuracy_score,
    "balanced_accuracy": metrics.balanced_accuracy_score,
    "f1": metrics.f1_score,
    "jaccard": metrics.jaccard_score,
    "matthews_corrcoef": metrics.matthews_corrcoef,
    "precision": metrics.precision_score,
    "recall": metrics.recall_score,
}


@pytest.mark.parametrize("name", NAMED)
@pytest.mark.parametrize("weighted", [False, True])
def test_score_is_scikit_learns_at_each_threshold(name, weighted):
    y, proba = predictions()
    weight = np.arange(len(y)) % 3 + 1.0 if weighted else None
    display = ThresholdDisplay.from_predictions(
        y, proba, metric=name, sample_weight=weight
    )
    known = y["a"].notna().to_numpy()
    own = display.frame().query("task == 'a'")
    for row in own[::7].itertuples():
        expected = NAMED[name](
            y["a"][known],
            proba[known, 0] >= row.threshold,
            sample_weight=None if weight is None else weight[known],
        )
        assert row.score == pytest.approx(expected)
    best = own.loc[own["score"].idxmax(), "threshold"]
    assert display.thresholds["a"] == best


def test_callable_gets_zeros_and_ones():
    y, proba = predictions()

    def minus_cost(truth, decided):
        return -float(np.sum(decided > truth) + 5 * np.sum(decided < truth))

    display = ThresholdDisplay.from_predictions(y, proba, metric=minus_cost)
    row = display.frame().query("task == 'b'").iloc[10]
    decided = (proba[:, 1] >= row["threshold"]).astype(int)
    assert row["score"] == minus_cost(y["b"].to_numpy(), decided)
    assert display.ax_.get_ylabel() == "minus_cost"
    fbeta = partial(metrics.fbeta_score, beta=2)
    assert len(ThresholdDisplay.from_predictions(y, proba, metric=fbeta).frame())


def test_estimator_gives_the_scores_of_its_predictions(model, table):
    X, y = (each[:60] for each in table)
    display = ThresholdDisplay.from_estimator(model, X, y)
    expected = ThresholdDisplay.from_predictions(y, model.predict_proba(X))
    pd.testing.assert_frame_equal(display.frame(), expected.frame())
    assert list(display.lines_) == ["churn", "buy"]


def test_tuner_gives_its_curves_and_thresholds():
    class Tuner:
        """A fitted tuner, one of whose tasks has no threshold."""

        curves_ = {
            "a": pd.DataFrame({"threshold": [0.2, 0.6, np.inf], "score": [1, 3, 0]}),
            "b": pd.DataFrame({"threshold": [0.5, np.inf], "score": [-2, 0]}),
        }
        thresholds_ = {"a": 0.6, "b": np.inf}

    display = ThresholdDisplay.from_tuner(Tuner())
    assert display.thresholds == {"a": 0.6, "b": np.inf}
    assert display.frame()["score"].tolist() == [1, 3, 0, -2, 0]
    assert display.lines_["a"][0].get_xdata().tolist() == [0.2, 0.6]


def test_unknown_metric_and_other_tuners_are_refused():
    y, proba = predictions()
    refuse(
        lambda: ThresholdDisplay.from_predictions(y, proba, metric="f2"),
        "ThresholdDisplay needs a metric among ['accuracy', 'balanced_accuracy', 'f1', "
        "'jaccard', 'matthews_corrcoef', 'precision', 'recall'], or a function of "
        "labels and decisions; found 'f2'. Use one of these names.",
    )
    refuse(
        lambda: ThresholdDisplay.from_tuner(y),
        "ThresholdDisplay.from_tuner needs a fitted TaskThresholdTuner, with curves_ "
        "and thresholds_; found DataFrame. Fit one, or call from_estimator.",
        TypeError,
    )

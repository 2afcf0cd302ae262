import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError, UndefinedMetricWarning
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from sk_mtl import ESMMClassifier, MMOEClassifier
from sk_mtl.exceptions import PositiveClassWarning
from sk_mtl.metrics import funnel_scores, grouped_roc_auc
from tests.estimators.common import QUICK, funnel_table, mixed_table, refuse

CLICK = np.array([0, 1, 1, 1, 0, 1])
BUY = np.array([0, 0, 1, 0, 0, 1])
CTR = np.array([0.2, 0.5, 0.8, 0.9, 0.4, 0.6])
CVR = np.array([0.9, 0.1, 0.5, 0.6, 0.1, 0.8])
DEVICE = ["web", "app", "app", "web", "web", "app"]
X = pd.DataFrame({"ctr": CTR, "cvr": CVR, "device": DEVICE})
Y = pd.DataFrame({"click": CLICK, "buy": BUY})
USERS = np.array(["u", "u", "u", "v", "v", "v"])


class Fixed(BaseEstimator):
    """A fitted funnel that answers with columns of X."""

    def __init__(self, names=("click", "buy"), classes=(0, 1), pos_label=None):
        self.names = names
        self.classes = classes
        self.pos_label = pos_label

    def fit(self, X=None, y=None):
        self.task_names_ = list(self.names)
        self.classes_ = [np.array(self.classes) for _ in self.names]
        self.pos_label_ = dict.fromkeys(self.names, self.pos_label)
        return self

    def _both(self, reached):
        first = self.pos_label == self.classes[0]
        pair = [reached, 1 - reached] if first else [1 - reached, reached]
        return np.column_stack(pair)

    def predict_proba(self, X):
        ctr = X["ctr"].to_numpy()
        rest = [self._both(ctr * X["cvr"].to_numpy()) for _ in self.names[1:]]
        return [self._both(ctr), *rest]


class FixedRates(Fixed):
    def predict_conditional_proba(self, X):
        rest = [self._both(X["cvr"].to_numpy()) for _ in self.names[1:]]
        return [self._both(X["ctr"].to_numpy()), *rest]


MODEL = FixedRates().fit()


def test_every_number_of_the_table():
    scores = funnel_scores(MODEL, X, Y, groups=USERS)
    clicked = CLICK == 1
    both = CTR * CVR
    expected = {
        "click": {
            "n_rows": 6,
            "n_reached": 4,
            "roc_auc": 1.0,
            "grouped_roc_auc": 1.0,
            "log_loss": log_loss(CLICK, CTR),
            "calibration_ratio": 3.4 / 4,
            "n_before": 6,
            "rate_roc_auc": 1.0,
            "rate_grouped_roc_auc": 1.0,
            "rate_log_loss": log_loss(CLICK, CTR),
            "rate_calibration_ratio": 3.4 / 4,
        },
        "buy": {
            "n_rows": 6,
            "n_reached": 2,
            # Products 0.18, 0.05, 0.4, 0.54, 0.04 and 0.48: seven of eight pairs.
            "roc_auc": 6 / 8,
            "grouped_roc_auc": grouped_roc_auc(BUY, both, USERS),
            "log_loss": log_loss(BUY, both),
            "calibration_ratio": both.sum() / 2,
            "n_before": 4,
            # Of clicked rows 0.1 and 0.6 did not lead on, 0.5 and 0.8 did.
            "rate_roc_auc": 3 / 4,
            "rate_grouped_roc_auc": grouped_roc_auc(
                BUY[clicked], CVR[clicked], USERS[clicked]
            ),
            "rate_log_loss": log_loss(BUY[clicked], CVR[clicked]),
            "rate_calibration_ratio": (0.1 + 0.5 + 0.6 + 0.8) / 2,
        },
    }
    pd.testing.assert_frame_equal(
        scores, pd.DataFrame(expected).T.astype(scores.dtypes).rename_axis("step")
    )
    assert scores["n_rows"].dtype == int


def test_rates_are_quotients_where_the_model_has_none():
    found = funnel_scores(Fixed().fit(), X, Y)
    pd.testing.assert_frame_equal(found, funnel_scores(MODEL, X, Y))
    assert "grouped_roc_auc" not in found


def test_columns_of_y_are_found_by_name():
    pd.testing.assert_frame_equal(
        funnel_scores(MODEL, X, Y[["buy", "click"]]), funnel_scores(MODEL, X, Y)
    )


def test_labels_out_of_reach_count_as_not_reached():
    y = Y.astype(float)
    y.loc[CLICK == 0, "buy"] = np.nan
    assert y["buy"].isna().sum() == 2
    pd.testing.assert_frame_equal(
        funnel_scores(MODEL, X, y), funnel_scores(MODEL, X, Y)
    )


def test_labels_that_are_not_known_yet_are_left_out():
    y = Y.astype(float)
    y.loc[[1, 4], "buy"] = np.nan
    scores = funnel_scores(MODEL, X, y)
    known = [0, 2, 3, 5]
    both = (CTR * CVR)[known]
    assert scores.loc["buy", "n_rows"] == 4
    assert scores.loc["buy", "n_before"] == 3
    assert scores.loc["buy", "roc_auc"] == roc_auc_score(BUY[known], both)


def test_weights_count_in_scores_and_not_in_counts():
    weight = np.array([1, 2, 0, 1, 3, 1])
    repeated = np.repeat(np.arange(6), weight)
    found = funnel_scores(MODEL, X, Y, sample_weight=weight)
    more = funnel_scores(MODEL, X.iloc[repeated], Y.iloc[repeated])
    columns = [c for c in found if not c.startswith("n_")]
    pd.testing.assert_frame_equal(found[columns], more[columns])
    assert found["n_rows"].tolist() == [5, 5]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.UndefinedMetricWarning")
def test_text_labels_and_the_label_that_means_reached():
    text = Y.replace({0: "stay", 1: "go"})
    expected = funnel_scores(MODEL, X, Y)
    named = FixedRates(classes=("go", "stay"), pos_label="go").fit()
    pd.testing.assert_frame_equal(funnel_scores(named, X, text), expected)
    model = FixedRates(classes=("go", "stay")).fit()
    message = "funnel_scores needs to know which of two classes is positive"
    with pytest.warns(PositiveClassWarning, match=message):
        swapped = funnel_scores(model, X, text)
    assert swapped.loc["click", "n_reached"] == 2


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.UndefinedMetricWarning")
def test_a_tree_of_steps():
    y = pd.DataFrame({"click": CLICK, "buy": BUY, "like": 1 - BUY})
    y["like"] *= CLICK
    model = FixedRates(names=("click", "buy", "like")).fit()
    tree = funnel_scores(model, X, y, funnel={"buy": "click", "like": "click"})
    assert tree["n_before"].tolist() == [6, 4, 4]
    chain = funnel_scores(
        model, X, y.assign(like=BUY), funnel={"buy": "click", "like": "buy"}
    )
    assert chain["n_before"].tolist() == [6, 4, 2]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.UndefinedMetricWarning")
def test_a_fitted_tree_knows_its_steps():
    X, y = funnel_table(200)
    y["like"] = y["click"] * np.arange(200) % 2
    structure = {"conversion": "click", "like": "click"}
    model = ESMMClassifier(structure=structure, **QUICK).fit(X, y)
    scores = funnel_scores(model, X, y)
    clicks = y["click"].sum()
    assert scores["n_before"].tolist() == [200, clicks, clicks]
    rate = model.predict_conditional_proba(X)[2][:, 1]
    clicked = y["click"] == 1
    expected = roc_auc_score(y["like"][clicked], rate[clicked])
    assert scores.loc["like", "rate_roc_auc"] == expected


def test_pipelines_and_searches_of_funnels_and_of_other_models():
    X, y = funnel_table(200)
    model = ESMMClassifier(**QUICK)
    pipeline = make_pipeline(FunctionTransformer(), model).fit(X, y)
    plain = funnel_scores(model.fit(X, y), X, y)
    pd.testing.assert_frame_equal(funnel_scores(pipeline, X, y), plain)
    search = GridSearchCV(pipeline, {}, cv=KFold(2)).fit(X, y)
    pd.testing.assert_frame_equal(funnel_scores(search, X, y), plain)
    independent = funnel_scores(MMOEClassifier(**QUICK).fit(X, y), X, y)
    assert independent.notna().all(axis=None)
    assert independent["n_before"].equals(plain["n_before"])


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.UndefinedMetricWarning")
@pytest.mark.parametrize(
    "by", ["device", lambda X: X["device"], X["device"], pd.DataFrame(X["device"])]
)
def test_segments(by):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scores = funnel_scores(MODEL, X, Y, by=by)
    assert scores.index.names == ["step", "device"]
    labels = ["all rows", "app", "web"]
    assert scores.index.tolist() == [(s, d) for s in Y for d in labels]
    for label in ("app", "web"):
        own = X["device"] == label
        expected = funnel_scores(MODEL, X[own], Y[own])
        found = scores.xs(label, level="device")
        pd.testing.assert_frame_equal(found, expected)
    whole = scores.xs("all rows", level="device")
    pd.testing.assert_frame_equal(whole, funnel_scores(MODEL, X, Y))


def test_undefined_scores_warn_of_their_step():
    one = Y.assign(buy=CLICK)
    message = r"roc_auc is undefined and NaN for \['rate of buy'\]: their labelled rows"
    with pytest.warns(UndefinedMetricWarning, match=message) as record:
        scores = funnel_scores(MODEL, X, one)
    assert len(record) == 1
    assert np.isnan(scores.loc["buy", "rate_roc_auc"])
    assert scores.loc["buy", "rate_calibration_ratio"] == 0.5


def test_a_model_that_is_not_fitted_is_refused():
    with pytest.raises(NotFittedError, match="not fitted yet"):
        funnel_scores(ESMMClassifier(), X, Y)


def test_steps_of_more_classes_are_refused():
    X, y = mixed_table(60)
    three = y.assign(buy=np.arange(60) % 3)
    model = MMOEClassifier(**QUICK).fit(X, three)
    refuse(
        lambda: funnel_scores(model, X, three),
        "funnel_scores needs steps, tasks of two classes; found {'buy': [0, 1, 2]}. "
        "Score these tasks with task_scores.",
    )


def test_a_view_of_one_step_is_refused():
    X, y = funnel_table(60)
    model = ESMMClassifier(max_epochs=1, n_members=1, random_state=0).fit(X, y)
    refuse(
        lambda: funnel_scores(model.task("click"), X, y),
        "y must have 1 column(s), one per task of the estimator; found 2: ['click', "
        "'conversion']. Give the columns that it was fitted with.",
    )


def test_rows_without_labels_are_refused():
    refuse(
        lambda: funnel_scores(MODEL, X[:4], Y),
        "X and y must have as many rows; found 4 and 6. Give the labels of the rows of "
        "X.",
    )

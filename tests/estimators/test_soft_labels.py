"""Soft labels in a fit: losses by hand, rules of missing labels, tools around it.

The rate of a frozen network is so small that its weights stay as they were drawn: its
recorded loss can be computed from its answers.
"""

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from sk_mtl import (
    CrossEntropy,
    ESMMClassifier,
    Focal,
    MMOEClassifier,
    MMOERegressor,
    MultiTaskEstimator,
    Poisson,
    SingleTaskClassifier,
    SquaredError,
)
from tests.estimators.common import (
    EVERY,
    FULL_BATCH,
    QUICK,
    assert_equal_proba,
    funnel_table,
)

FROZEN = {
    **FULL_BATCH,
    **{"max_epochs": 1, "lr": 1e-30, "random_state": 0, "early_stopping": False},
}
N = 80
RNG = np.random.default_rng(0)
X = pd.DataFrame(RNG.normal(size=(N, 3)), columns=list("abc"))
Y = pd.DataFrame({"one": RNG.integers(0, 2, N), "two": RNG.integers(0, 3, N)})
P_ONE = RNG.random(N)
P_TWO = RNG.dirichlet(np.ones(3), N)
PROBA = [np.column_stack([1 - P_ONE, P_ONE]), P_TWO]


def one_hot(y):
    return np.eye(y.max() + 1)[y]


def recorded(model, task):
    return model.history_[f"train_loss_{task}"].iloc[0]


def cross_entropy(target, proba):
    return -(target * np.log(proba)).sum(axis=1)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.5, 1.0])
def test_loss_is_of_mixed_labels(share):
    model = MMOEClassifier(**FROZEN, distillation=share).fit(X, Y, soft_labels=PROBA)
    for task, soft, proba in zip(Y, PROBA, model.predict_proba(X), strict=True):
        target = (1 - share) * one_hot(Y[task]) + share * soft
        expected = cross_entropy(target, proba).mean()
        assert recorded(model, task) == pytest.approx(expected, rel=1e-6)


def test_loss_of_rows_that_lack_one_or_the_other():
    """With weights of rows and classes, which weigh labels and probabilities alike."""
    y, soft = Y.astype(float), P_ONE.copy()
    y.loc[:39, "one"] = np.nan
    soft[20:60] = np.nan
    weight = RNG.integers(0, 4, (N, 2))
    classes = {"one": {0: 1.0, 1: 3.0}}
    model = MMOEClassifier(**FROZEN, distillation=0.25, class_weight=classes)
    model.fit(X, y, sample_weight=weight, soft_labels={"one": soft})
    w, proba = weight[:, 0], model.predict_proba(X)[0]
    total, weights = 0.0, 0.0
    for i in range(N):
        label = None if i < 40 else one_hot(Y["one"])[i]
        own = None if 20 <= i < 60 else np.array([1 - soft[i], soft[i]])
        both = label is not None and own is not None
        for target, part in ((label, 0.75 if both else 1), (own, 0.25 if both else 1)):
            if target is not None:
                total -= part * w[i] * (target * [1, 3] * np.log(proba[i])).sum()
                weights += part * w[i] * (target * [1, 3]).sum()
    assert recorded(model, "one") == pytest.approx(total / weights, rel=1e-6)


def test_focal_loss_is_the_expected_one():
    model = MMOEClassifier(**FROZEN, loss=Focal(2)).fit(X, Y, soft_labels=PROBA)
    for task, soft, proba in zip(Y, PROBA, model.predict_proba(X), strict=True):
        target = (one_hot(Y[task]) + soft) / 2
        expected = -(target * (1 - proba) ** 2 * np.log(proba)).sum(axis=1).mean()
        assert recorded(model, task) == pytest.approx(expected, rel=1e-6)


def test_funnel_is_trained_on_the_products():
    """A soft label of a conversion is the probability of a click and a conversion."""
    y = pd.DataFrame({"click": Y["one"], "buy": Y["one"] * (Y["two"] == 2)})
    soft = np.column_stack([P_ONE, P_ONE * P_TWO[:, 2]])
    model = ESMMClassifier(**FROZEN).fit(X, y, soft_labels=soft)
    for k, proba in enumerate(model.predict_proba(X)):
        target = (y.iloc[:, k] + soft[:, k]) / 2
        target = np.column_stack([1 - target, target])
        expected = cross_entropy(target, proba).mean()
        assert recorded(model, y.columns[k]) == pytest.approx(expected, rel=1e-6)


def test_numbers_are_mixed():
    y = pd.DataFrame({"n": RNG.normal(5, 2, N), "count": RNG.poisson(3.0, N)})
    soft = pd.DataFrame({"count": RNG.random(N) + 1, "n": RNG.normal(5, 1, N)})
    model = MMOERegressor(**FROZEN, loss=["squared_error", Poisson()], distillation=0.3)
    model.fit(X, y, soft_labels=soft)
    mixed, mean = 0.7 * y + 0.3 * soft[["n", "count"]], model.predict(X)
    # In units of the labels' standard deviation, or of their mean.
    expected = (mixed["n"] - mean[:, 0]) ** 2 / y["n"].var(ddof=0)
    assert recorded(model, "n") == pytest.approx(expected.mean(), rel=1e-6)
    t, m = (each / y["count"].mean() for each in (mixed["count"], mean[:, 1]))
    expected = m - t + np.where(t > 0, t * np.log(t / m), 0)
    assert recorded(model, "count") == pytest.approx(expected.mean(), rel=1e-6)


def test_a_number_without_a_label_is_the_soft_one():
    y = np.where(np.arange(N) < 30, np.nan, RNG.normal(size=N))
    soft = np.where(np.arange(N) < 50, RNG.normal(size=N), np.nan)
    model = MMOERegressor(**FROZEN).fit(X, y, soft_labels=soft)
    target = np.where(np.isnan(y), soft, np.where(np.isnan(soft), y, (y + soft) / 2))
    expected = (target - model.predict(X)) ** 2 / np.nanvar(y)
    assert recorded(model, "task_0") == pytest.approx(expected.mean(), rel=1e-6)


def test_validation_rows_are_scored_by_their_labels():
    given = {"X_val": X[:30], "y_val": Y[:30]}
    for own in (given, {}):
        frozen = FROZEN | {"early_stopping": True}
        fits = [
            MMOEClassifier(**frozen).fit(X, Y, soft_labels=soft, **own)
            for soft in (None, PROBA)
        ]
        losses = [fit.history_["valid_loss"].iloc[0] for fit in fits]
        assert losses[0] == losses[1]


@pytest.mark.parametrize("cls", EVERY)
def test_soft_labels_that_say_nothing_new_change_nothing(cls):
    """With a share of 0, or certain ones: also in auxiliary losses, of the labels."""
    x, y = funnel_table(200)
    settings = {**QUICK, "max_epochs": 2}
    plain = cls(**settings).fit(x, y)
    unread = cls(**settings, distillation=0).fit(
        x, y, soft_labels=np.full(y.shape, 0.5)
    )
    np.testing.assert_array_equal(plain.predict(x), unread.predict(x))
    losses = [fit.history_["train_loss"].tolist() for fit in (plain, unread)]
    assert losses[0] == losses[1]
    certain = cls(**settings, distillation=1).fit(x, y, soft_labels=y)
    np.testing.assert_allclose(certain.history_["train_loss"], losses[0], atol=1e-6)


@pytest.mark.parametrize(
    "parameters",
    [
        {"class_weight": "balanced"},
        {"n_members": 2},
        {"balancing": "gradnorm"},
        {"loss": Focal(2)},
        {"loss": CrossEntropy(label_smoothing=0.1)},
        {"weight_averaging": None, "optimizer": "sgd"},
    ],
    ids=str,
)
def test_certain_soft_labels_under(parameters):
    soft = [one_hot(Y[task]) for task in Y]
    settings = {**QUICK, **parameters}
    plain = MMOEClassifier(**settings).fit(X, Y)
    model = MMOEClassifier(**settings, distillation=1).fit(X, Y, soft_labels=soft)
    assert_equal_proba(plain.predict_proba(X), model.predict_proba(X), atol=1e-5)


@pytest.mark.parametrize("transform", ["standard", "log", "quantile"])
def test_numbers_that_agree_with_their_labels_change_nothing(transform):
    y = RNG.lognormal(size=N)
    settings = {**FROZEN, "lr": 0.01, "max_epochs": 3}
    model = MMOERegressor(**settings, loss=SquaredError(transform))
    found = model.fit(X, y, soft_labels=y).predict(X)
    np.testing.assert_allclose(found, model.fit(X, y).predict(X), rtol=1e-6)


@pytest.mark.parametrize(
    "soft",
    [
        PROBA,
        tuple(PROBA),
        {"two": P_TWO, "one": P_ONE},
        {"one": P_ONE.tolist(), "two": pd.DataFrame(P_TWO[:, ::-1], columns=[2, 1, 0])},
        [pd.Series(P_ONE), P_TWO.astype(object)],
        {"one": P_ONE[:, None], "two": P_TWO * 1.001},
    ],
    ids=["list", "tuple", "dict", "frame of classes", "mixed list", "rounded"],
)
def test_forms(soft):
    expected = MMOEClassifier(**QUICK).fit(X, Y, soft_labels=PROBA)
    found = MMOEClassifier(**QUICK).fit(X, Y, soft_labels=soft)
    found, expected = (fit.history_["train_loss"] for fit in (found, expected))
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_forms_of_tables():
    y = pd.DataFrame({"one": Y["one"], "two": Y["two"] > 0})
    table = np.column_stack([P_ONE, P_TWO[:, 1]])
    forms = [
        table,
        table.tolist(),
        pd.DataFrame(table[:, ::-1], columns=["two", "one"]),
        [np.column_stack([1 - p, p]) for p in table.T],
    ]
    fits = [MMOEClassifier(**QUICK).fit(X, y, soft_labels=each) for each in forms]
    for each in fits[1:]:
        assert_equal_proba(each.predict_proba(X), fits[0].predict_proba(X), atol=1e-6)


@pytest.mark.parametrize("soft", [P_ONE, P_ONE[:, None], PROBA[0]])
def test_a_vector_of_labels(soft):
    model = MMOEClassifier(**FROZEN).fit(X, Y["one"], soft_labels=soft)
    target = (one_hot(Y["one"]) + PROBA[0]) / 2
    expected = cross_entropy(target, model.predict_proba(X)).mean()
    assert recorded(model, "one") == pytest.approx(expected, rel=1e-6)


def test_the_positive_class_and_the_order_of_classes():
    """Columns are in the order of `classes_`, a single one is of the positive class."""
    y = Y["one"].map({0: "no", 1: "buy"})
    target = (one_hot(Y["one"]) + PROBA[0]) / 2
    for soft in (P_ONE, PROBA[0][:, ::-1]):
        model = MMOEClassifier(**FROZEN, pos_label="buy").fit(X, y, soft_labels=soft)
        proba = model.predict_proba(X)[:, ::-1]
        expected = cross_entropy(target, proba).mean()
        assert recorded(model, "one") == pytest.approx(expected, rel=1e-6)


def test_what_one_of_our_models_answers():
    kinds = {"one": "binary", "two": "multiclass", "number": "regression"}
    y = Y.assign(number=RNG.normal(size=N))
    teacher = MultiTaskEstimator(**QUICK, task_types=kinds).fit(X, y)
    soft = teacher.predict_proba(X)
    assert soft[2] is None
    model = MultiTaskEstimator(**FROZEN, task_types=kinds).fit(X, y, soft_labels=soft)
    target = (one_hot(Y["two"]) + soft[1]) / 2
    expected = cross_entropy(target, model.predict_proba(X)[1]).mean()
    assert recorded(model, "two") == pytest.approx(expected, rel=1e-5)
    soft[2] = y["number"].to_numpy()
    again = MultiTaskEstimator(**FROZEN, task_types=kinds).fit(X, y, soft_labels=soft)
    assert recorded(again, "number") == recorded(model, "number")


def test_rows_without_a_label_learn_from_soft_ones_alone():
    no_label = np.arange(N) % 2 == 0
    y = Y.where(pd.Series(~no_label), axis=0)
    soft = [np.where(no_label[:, None], each, np.nan) for each in PROBA]
    fits = [
        MMOEClassifier(**QUICK, distillation=share).fit(X, y, soft_labels=soft)
        for share in (0.1, 0.9)
    ]
    assert_equal_proba(fits[0].predict_proba(X), fits[1].predict_proba(X))


def test_soft_labels_of_weight_0_do_not_count():
    weight = (np.arange(N) % 3 > 0) * 1.0
    other = [np.where(weight[:, None] > 0, each, each[:, ::-1]) for each in PROBA]
    fits = [
        MMOEClassifier(**QUICK).fit(X, Y, sample_weight=weight, soft_labels=each)
        for each in (PROBA, other)
    ]
    assert_equal_proba(fits[0].predict_proba(X), fits[1].predict_proba(X))


def test_a_class_of_soft_labels_alone_is_learnt():
    """A class that no row has is held at a small chance, unless soft labels have it."""
    y = Y["two"].where(Y["two"] < 2)
    settings = {**QUICK, "max_epochs": 20, "early_stopping": False}
    fits = [
        MMOEClassifier(**settings).fit(X, y, classes=[0, 1, 2], soft_labels=soft)
        for soft in (None, np.full((N, 3), 1 / 3))
    ]
    chances = [fit.predict_proba(X)[:, 2].mean() for fit in fits]
    assert chances[0] < 0.01
    assert chances[1] > 0.1


def test_a_network_learns_without_any_label():
    y = pd.DataFrame({"one": Y["one"], "two": np.nan})
    model = MMOEClassifier(**QUICK)
    model.fit(X, y, classes=[[0, 1], [0, 1, 2]], soft_labels=PROBA)
    assert model.history_["train_loss_two"].iloc[-1] > 0


def test_fits_that_continue_take_soft_labels():
    model = MMOEClassifier(**QUICK, warm_start=True).fit(X, Y)
    model.set_params(distillation=1.0).fit(X, Y, soft_labels=PROBA)
    before = model.predict_proba(X)
    model.partial_fit(X, Y, soft_labels=PROBA)
    assert not np.array_equal(model.predict_proba(X)[0], before[0])
    first = MMOEClassifier(**QUICK).partial_fit(X, Y, soft_labels=PROBA)
    plain = MMOEClassifier(**QUICK).partial_fit(X, Y)
    assert not np.array_equal(first.predict_proba(X)[0], plain.predict_proba(X)[0])
    MMOERegressor(**QUICK).partial_fit(X, Y["two"], soft_labels=P_ONE)


def test_encoded_rows_keep_soft_labels():
    encoded = MMOEClassifier(**QUICK).encode_rows(X, Y, soft_labels=PROBA)
    for share in (0.0, 0.7):
        model = MMOEClassifier(**QUICK, distillation=share)
        found = model.fit_rows(*encoded).predict_proba(X)
        assert_equal_proba(found, model.fit(X, Y, soft_labels=PROBA).predict_proba(X))


def test_a_search_and_a_pipeline_take_a_table():
    y = pd.DataFrame({"one": Y["one"], "two": Y["two"] > 0})
    soft = np.column_stack([P_ONE, P_TWO[:, 1]])
    model = SingleTaskClassifier(**{**QUICK, "max_epochs": 1})
    search = GridSearchCV(model, {"distillation": [0.0, 0.5]}, cv=2)
    assert search.fit(X, y, soft_labels=soft).best_score_ > 0
    pipeline = make_pipeline(FunctionTransformer(), model)
    pipeline.fit(X, y, singletaskclassifier__soft_labels=soft)


@pytest.mark.slow
def test_a_student_of_the_truth_comes_near_it():
    rng = np.random.default_rng(1)
    x = rng.uniform(-2, 2, (500, 2))
    truth = 1 / (1 + np.exp(-2 * x))
    y = (rng.random(x.shape) < truth).astype(int)
    settings = {"max_epochs": 30, "early_stopping": False, "random_state": 0}
    errors = []
    for soft in (None, truth):
        model = MMOEClassifier(**settings, distillation=1).fit(x, y, soft_labels=soft)
        proba = np.column_stack([each[:, 1] for each in model.predict_proba(x)])
        errors.append(np.abs(proba - truth).mean())
    assert errors[1] < 0.02
    assert errors[1] < errors[0] / 3

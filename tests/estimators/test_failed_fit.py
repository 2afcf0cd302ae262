"""A fit that fails leaves the estimator as it was."""

import copy
import re

import numpy as np
import pytest
from skorch.callbacks import Callback

from sk_mtl import ESMMClassifier, MMOEClassifier
from tests.estimators.common import QUICK, assert_equal_proba, funnel_table

both = pytest.mark.parametrize("cls", [MMOEClassifier, ESMMClassifier])


@pytest.fixture(scope="module")
def table():
    return funnel_table(200)


def make(cls, **options):
    return cls(**{**QUICK, **options})


class Sabotage(Callback):
    """Fails after two epochs, when everything has been trained and changed."""

    armed = False

    def on_epoch_end(self, net, **_):
        if Sabotage.armed and len(net.history) % 3 == 2:
            raise RuntimeError("sabotage")


@pytest.fixture
def fitted(table):
    X, y = table
    return lambda cls, **options: make(
        cls, callbacks=[Sabotage()], early_stopping=True, **options
    ).fit(X, y)


def failures(model, method, X, y):
    """Yield ways to fail, early and late, as actions with the error's text."""
    call = getattr(model, method)
    yield lambda: call(X, y[:-1]), "199"
    yield lambda: call(X.assign(age=np.inf), y), "infinity"
    yield lambda: call(X, y, sample_weight=-np.ones(200)), "negative"
    if method == "fit":
        yield lambda: call(X, y, X_val=X), "without y_val"
    if model.warm_start or method == "partial_fit":
        yield lambda: call(X[["age"]], y), "missing"
        yield lambda: call(X, y["click"]), re.escape("2 column(s)")
    else:
        yield lambda: call(X[["age"]], y.assign(conversion=np.nan)), "conversion"
        yield lambda: call(X[["age"]].to_numpy(), y["click"].rename("x"), [1]), "shape"


going_on = pytest.mark.parametrize(
    ("method", "warm_start"), [("fit", False), ("fit", True), ("partial_fit", False)]
)


@both
@going_on
def test_refused_input_leaves_a_fitted_estimator_as_it_was(
    cls, table, fitted, method, warm_start
):
    X, y = table
    model = fitted(cls, warm_start=warm_start)
    before, twin = snapshot(model, X), copy.deepcopy(model)
    for action, text in failures(model, method, X, y):
        with pytest.raises(ValueError, match=text):
            action()
        assert_same(before, snapshot(model, X))
    assert_goes_on_alike(model, twin, method, X, y)


@both
@going_on
def test_a_failure_in_training_leaves_a_fitted_estimator_as_it_was(
    cls, table, fitted, method, warm_start, monkeypatch
):
    X, y = table
    model = fitted(cls, warm_start=warm_start)
    before, twin = snapshot(model, X), copy.deepcopy(model)
    other = X.assign(age=X["age"] * 10, town="Atlantis")
    if method == "partial_fit":
        # It takes one epoch a call: the second of another three fails.
        model.partial_fit(other, y)
        before, twin = snapshot(model, X), copy.deepcopy(model)
    monkeypatch.setattr(Sabotage, "armed", True)
    with pytest.raises(RuntimeError, match="sabotage"):
        getattr(model, method)(other, y)
    assert_same(before, snapshot(model, X))
    monkeypatch.undo()
    assert_goes_on_alike(model, twin, method, X, y)


@both
@going_on
def test_a_wrong_parameter_leaves_a_fitted_estimator_as_it_was(
    cls, table, fitted, method, warm_start
):
    X, y = table
    model = fitted(cls, warm_start=warm_start)
    before = snapshot(model, X)
    wrong = {"dropout": 2, "task_weights": {"clik": 1}}
    if method == "partial_fit":
        # scikit-learn checks ranges at the first partial_fit only.
        wrong.pop("dropout")
    for name, value in wrong.items():
        sound = model.get_params()[name]
        model.set_params(**{name: value})
        with pytest.raises(ValueError, match=name):
            getattr(model, method)(X, y)
        model.set_params(**{name: sound})
        assert_same(before, snapshot(model, X))


def assert_goes_on_alike(model, twin, method, X, y):
    """The next fit draws the numbers that it would have drawn."""
    for each in (model, twin):
        getattr(each, method)(X, y)
    assert_equal_proba(model.predict_proba(X), twin.predict_proba(X))


@both
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_a_failed_first_fit_leaves_an_estimator_unfitted(cls, table, method):
    X, y = table
    model = make(cls, optimizer="sgd", lr=1e30)
    before = vars(model).copy()
    for rows, text in ((X, "the loss must stay finite"), (X.assign(age=np.inf), "X")):
        with pytest.raises(ValueError, match=f"(?i){text}"):
            getattr(model, method)(rows, y)
        assert vars(model) == before


def snapshot(model, X):
    """Everything that tells of the fitted state."""
    return {
        "names": sorted(vars(model)),
        "proba": np.stack(model.predict_proba(X)).tolist(),
        "history": model.history_.to_dict("list"),
        "classes": [classes.tolist() for classes in model.classes_],
        "tasks": model.task_names_,
        "features": model.feature_names_in_.tolist(),
        "schema": repr(model.schema_),
        "epochs": (model.n_iter_, model.best_epoch_),
        "random": list(model._state.generator.get_state()[1:3]),
    }


def assert_same(before, after):
    for name, value in before.items():
        np.testing.assert_equal(after[name], value, err_msg=name)

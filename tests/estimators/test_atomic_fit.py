"""A fit takes effect as a whole, and answers read the fit alone."""

import copy
import pickle
import threading

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.exceptions import NotFittedError
from sklearn.preprocessing import FunctionTransformer
from skorch.callbacks import Callback

from sk_mtl import ESMMClassifier, MMOEClassifier, MMOERegressor, MultiTaskEstimator
from sk_mtl._sklearn_compat import validate_parameter_constraints
from sk_mtl.estimators._training._device import available_device
from tests.estimators.common import (
    QUICK,
    assert_equal_proba,
    funnel_table,
    mixed_table,
)


class Meanwhile(Callback):
    """Runs a function in the middle of a fit, as another thread would."""

    def __init__(self, function):
        self.function = function

    def on_epoch_end(self, net, **_):
        self.function()


@pytest.fixture(scope="module")
def two_tables():
    """Two tables of which the second lacks a category, and its columns' names."""
    r = np.random.default_rng(0)
    X = pd.DataFrame({"c": r.choice(list("abcdef"), 400), "x": r.normal(size=400)})
    y = pd.DataFrame({"a": (X.c < "d").astype(int), "b": (X.x > 0).astype(int)})
    return (X, y), (X[X.c > "b"], y[X.c > "b"])


@pytest.mark.parametrize("warm_start", [True, False])
def test_predictions_in_a_fit_are_the_old_models(two_tables, warm_start):
    (X, y), (X2, y2) = two_tables
    model = MMOEClassifier(warm_start=warm_start, **QUICK).fit(X, y)
    expected, history, found = model.predict_proba(X), model.history_, []
    model.set_params(callbacks=[Meanwhile(lambda: found.append(answers()))])

    def answers():
        assert model.history_ is history
        return model.predict_proba(X), model.predict(X), model.score(X, y)

    score, labels = model.score(X, y), model.predict(X)
    model.fit(X2, y2)
    assert len(found) == QUICK["max_epochs"]
    for proba, label, value in found:
        assert_equal_proba(proba, expected)
        np.testing.assert_array_equal(label, labels)
        assert value == score
    assert not np.array_equal(model.predict_proba(X)[0], expected[0])


def test_threads_that_predict_see_the_old_model_or_the_new_one(two_tables):
    (X, y), (X2, y2) = two_tables
    settings = {**QUICK, "max_epochs": 6}
    model = MMOEClassifier(**settings).fit(X, y)
    wanted = [model.predict_proba(X), MMOEClassifier(**settings).fit(X2, y2)]
    wanted[1] = wanted[1].predict_proba(X)
    found, end = [], threading.Event()

    def ask():
        while not end.is_set():
            found.append(model.predict_proba(X))

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        model.fit(X2, y2)
    finally:
        end.set()
        for thread in threads:
            thread.join()
    assert found
    for proba in found:
        same = [all(map(np.array_equal, proba, each)) for each in wanted]
        assert any(same)


def test_a_first_fit_is_not_seen_before_its_end(two_tables):
    X, y = two_tables[0]
    fitted = []

    def ask():
        with pytest.raises(NotFittedError):
            model.predict(X)
        fitted.append([name for name in vars(model) if name.endswith("_")])

    model = MMOEClassifier(callbacks=[Meanwhile(ask)], **QUICK)
    model.fit(X, y)
    assert fitted == [[]] * QUICK["max_epochs"]


def test_parameters_that_are_set_in_a_fit_stay(two_tables):
    X, y = two_tables[0]
    model = MMOEClassifier(**QUICK)
    model.set_params(callbacks=[Meanwhile(lambda: model.set_params(lr=0.5))])
    model.fit(X, y)
    assert model.lr == 0.5
    # The next fit reads it.
    assert model.fit(X, y).net_.lr == 0.5


def test_a_new_fit_leaves_nothing_of_the_old_one(two_tables):
    X, y = two_tables[0]
    model = MMOEClassifier(**QUICK).fit(X, y)
    model.note = "mine"
    assert "feature_names_in_" in vars(model)
    model.fit(X[["x"]].to_numpy(), y)
    assert "feature_names_in_" not in vars(model)
    assert model.note == "mine"


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_a_fit_that_fails_changes_nothing(two_tables, method):
    (X, y), _ = two_tables
    model = MMOEClassifier(**QUICK).fit(X, y)
    before = vars(model).copy()

    def fail():
        raise RuntimeError("on purpose")

    model.set_params(callbacks=[Meanwhile(fail)])
    before["callbacks"] = model.callbacks
    with pytest.raises(RuntimeError, match="on purpose"):
        getattr(model, method)(X, y)
    assert vars(model) == before


def test_copies_train_apart(two_tables):
    (X, y), (X2, y2) = two_tables
    model = MMOEClassifier(**QUICK).fit(X, y)
    expected = model.predict_proba(X)
    for other in (copy.copy(model), copy.deepcopy(model)):
        assert_equal_proba(other.predict_proba(X), expected)
        other.partial_fit(X2, y2)
        assert not np.array_equal(other.predict_proba(X)[0], expected[0])
        assert_equal_proba(model.predict_proba(X), expected)


# Answers read the fit.


def all_values():
    """Values of every kind that a parameter may have."""
    return [
        *(True, False, None, 1, 2, 7, 0.125, 0.25, 3.0),
        *("funnel", "independent", "float64", "none", "embedding", "last", "balanced"),
        *("tanh", "sgd", "cosine", "mean", "ple", "dselect_k", "fm", "auto", "cgc"),
        *({}, {"a": 1.0}, [], ["z", "y"], (7,), [(3,), (4,)], abs, torch.device("cpu")),
        *("folds", sum, np.random.RandomState(3), FunctionTransformer()),
    ]


def other_values(model, name):
    """The values that may be set in place of a parameter's own."""
    found = []
    for value in all_values():
        if name == "device" and value != torch.device("cpu"):
            continue
        try:
            validate_parameter_constraints(
                type(model)._parameter_constraints, {name: value}, caller_name="model"
            )
        except ValueError:
            continue
        if value is not getattr(model, name):
            found.append(value)
    # The first and the last are of different kinds, where there are several.
    return found[:1] + found[1:][-1:]


def answers_of(model, X, y):
    names = [
        *("predict_proba", "predict_log_proba", "predict_conditional_proba"),
        *("predict", "predict_gates", "predict_proba_positive"),
    ]
    found = {n: bits(getattr(model, n)(X)) for n in names if hasattr(model, n)}
    tags = model.__sklearn_tags__()
    return {**found, "score": model.score(X, y), "tags": tags}


def bits(answer):
    if isinstance(answer, list):
        return [bits(each) for each in answer]
    return None if answer is None else np.asarray(answer).tobytes()


def models():
    X, y = mixed_table(80)
    steps = funnel_table(80)
    yield MMOEClassifier(**QUICK), X, y
    yield ESMMClassifier(n_members=2, **QUICK), *steps
    yield MMOEClassifier(structure="funnel", **QUICK), *steps
    yield MMOERegressor(loss="ziln", **QUICK), X, y
    types = {y.columns[0]: "binary", y.columns[1]: "ziln"}
    yield MultiTaskEstimator(task_types=types, **QUICK), X, y


def one_at_a_time(model, others):
    """Yield the name of each parameter after it was set to each of its other values."""
    before = model.get_params(deep=False)
    for name, values in others.items():
        for value in values:
            model.set_params(**{name: value})
            yield f"{name}={value!r}"
        model.set_params(**{name: before[name]})


@pytest.mark.slow
@pytest.mark.parametrize(("model", "X", "y"), list(models()), ids=range(5))
def test_no_parameter_changes_the_answers_of_a_fit(model, X, y):
    expected = answers_of(model.fit(X, y), X, y)
    others = {name: other_values(model, name) for name in model.get_params(deep=False)}
    assert not [name for name, values in others.items() if not values]
    if type(model) is MMOERegressor:
        # The others set all parameters at once, which takes a fraction of the time.
        for change in one_at_a_time(model, others):
            assert answers_of(model, X, y) == expected, f"{change} changes the answers"
    for k in (0, -1):
        model.set_params(**{name: values[k] for name, values in others.items()})
        for each in (model, pickle.loads(pickle.dumps(model)), copy.deepcopy(model)):
            assert answers_of(each, X, y) == expected


def test_which_methods_there_are_follows_the_fit():
    X, y = funnel_table(80)
    model = MMOEClassifier(structure="independent", **QUICK)
    assert not hasattr(model, "predict_conditional_proba")
    assert hasattr(ESMMClassifier(), "predict_conditional_proba")
    model.fit(X, y).set_params(structure="funnel")
    with pytest.raises(AttributeError) as caught:
        model.predict_conditional_proba(X)
    assert "found structure='independent'" in str(caught.value.__cause__)
    assert hasattr(model.fit(X, y), "predict_conditional_proba")
    funnel = ESMMClassifier(**QUICK).fit(X, y).set_params(structure="independent")
    assert len(funnel.predict_conditional_proba(X)) == 2


# The device may be set anew.


class Card:
    """Lets a net be moved to the processor as if it had been on a card."""

    def __init__(self, model):
        model.net_.device = "cuda"
        model.set_params(device="cuda")
        model._state.parameters.device = "cuda"


def test_a_model_of_a_card_is_served_on_the_processor():
    X, y = mixed_table(80)
    model = MMOEClassifier(balancing="uncertainty", **QUICK).fit(X, y)
    expected = model.predict_proba(X)
    Card(model)
    model.set_params(device="cpu")
    assert_equal_proba(model.predict_proba(X), expected)
    assert str(model.net_.device) == "cpu"
    net = model.net_
    assert_equal_proba(model.predict_proba(X), expected)
    assert model.net_ is net
    model.partial_fit(X, y)


def test_a_fit_goes_on_on_another_device():
    X, y = mixed_table(80)
    model = MMOEClassifier(warm_start=True, **QUICK).fit(X, y)
    twin = copy.deepcopy(model)
    Card(twin)
    twin.set_params(device=torch.device("cpu"))
    assert_equal_proba(
        twin.fit(X, y).predict_proba(X), model.fit(X, y).predict_proba(X)
    )


def test_a_card_that_is_not_there(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    X, y = mixed_table(80)
    model = MMOEClassifier(**QUICK).fit(X, y)
    expected = model.predict_proba(X)
    for device in ("cuda", "cuda:1", "auto", torch.device("cuda", 0)):
        assert available_device(device) == torch.device("cpu")
        model.set_params(device=device)
        assert_equal_proba(model.predict_proba(X), expected)
    with pytest.raises(ValueError, match="device must be"):
        model.set_params(device="card").predict(X)

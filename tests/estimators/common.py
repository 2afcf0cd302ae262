"""The public estimators, small tables and a callback that several tests share."""

import inspect
import signal

import numpy as np
import pandas as pd
import pytest
from sklearn.preprocessing import FunctionTransformer
from skorch.callbacks import Callback

import sk_mtl
from sk_mtl.estimators._choices._choice import Choice
from sk_mtl.estimators._multi_task_model import MultiTaskModel
from sk_mtl.estimators._targets._class_column import ClassColumn
from sk_mtl.estimators._targets._targets import Targets

PUBLIC = [x for name in sk_mtl.__all__ if inspect.isclass(x := getattr(sk_mtl, name))]
#: The public names that are estimators, without their bases.
ESTIMATORS = [
    cls
    for cls in PUBLIC
    if issubclass(cls, MultiTaskModel) and not inspect.isabstract(cls)
]
#: Those that a parameter takes. An estimator derives from the choice of its wiring.
CHOICES = [
    cls
    for cls in PUBLIC
    if issubclass(cls, Choice) and not issubclass(cls, MultiTaskModel)
]
#: Classes, numbers, products of steps, a relation between towers, and both types.
REPRESENTATIVES = [
    sk_mtl.MMOEClassifier,
    sk_mtl.MMOERegressor,
    sk_mtl.ESMMClassifier,
    sk_mtl.AITMClassifier,
    sk_mtl.MultiTaskEstimator,
]
#: Every estimator as a parameter of a test that is quick for the representatives.
EVERY = [
    pytest.param(
        cls,
        id=cls.__name__,
        marks=() if cls in REPRESENTATIVES else pytest.mark.slow,
    )
    for cls in ESTIMATORS
]
CLASSIFIERS = [cls for cls in ESTIMATORS if cls.__name__.endswith("Classifier")]
REGRESSORS = [cls for cls in ESTIMATORS if cls.__name__.endswith("Regressor")]
#: Settings of a fit that takes a fraction of a second.
QUICK = {"max_epochs": 3, "batch_size": 64, "random_state": 0}
#: Steps that do not depend on how rows fall into batches, and draw nothing.
FULL_BATCH = {
    "preprocessor": FunctionTransformer(),
    # Bins are made of rows, whatever their weights, as scalers are.
    "numeric_embedding": None,
    "precision": "float64",
    "batch_size": 10_000,
    "dropout": 0.0,
    "max_epochs": 15,
}
#: A network of embeddings, scaled numbers, experts, gates and towers, and no more.
PLAIN = {"numeric_embedding": None, "interaction": None, "weight_averaging": None}
#: The one of scikit-learn's checks that a network cannot pass.
EXPECTED_FAILURES = {
    "check_sample_weight_equivalence_on_dense_data": (
        "weights equal repeated rows to 1e-7 only without shuffled mini-batches; "
        "test_integer_weights_equal_repeated_rows shows it for full batches"
    )
}


def class_targets(names, classes, one_dimensional=False):
    """Return targets of tasks with these classes."""
    pairs = zip(names, map(np.asarray, classes), strict=True)
    return Targets(
        [ClassColumn(name, None, each) for name, each in pairs], one_dimensional
    )


def mixed_table(n_samples=240, seed=0):
    """A frame of numbers and text, and two related binary tasks."""
    rng = np.random.default_rng(seed)
    town = rng.choice(["Oslo", "Rome", "Bonn"], n_samples)
    X = pd.DataFrame(
        {
            "age": rng.normal(40, 10, n_samples),
            "visits": rng.integers(0, 9, n_samples),
            "town": town,
            "plan": pd.Categorical(rng.choice(["free", "paid"], n_samples)),
        }
    )
    score = (X["age"] - 40) / 10 + (town == "Rome") + 0.3 * rng.normal(size=n_samples)
    y = pd.DataFrame({"churn": (score > 0.3).astype(int), "buy": (score > 0.8) * 1})
    return X, y


def funnel_table(n_samples=400, seed=0):
    """A frame and the two steps of a funnel."""
    X, y = mixed_table(n_samples, seed)
    y = pd.DataFrame({"click": y["churn"], "conversion": y["churn"] * y["buy"]})
    return X, y


def refuse(action, message, error=ValueError):
    """Assert that an action raises an error with exactly this message."""
    with pytest.raises(error) as caught:
        action()
    assert str(caught.value) == message


def assert_equal_proba(first, second, **tolerance):
    """Assert that two answers of `predict_proba` agree, bit for bit by default."""
    first = first if isinstance(first, list) else [first]
    second = second if isinstance(second, list) else [second]
    assert len(first) == len(second)
    for a, b in zip(first, second, strict=True):
        if tolerance:
            np.testing.assert_allclose(a, b, **tolerance)
        else:
            np.testing.assert_array_equal(a, b)


def largest_difference(first, second):
    """The largest difference between two answers of `predict_proba`."""
    return max(np.abs(a - b).max() for a, b in zip(first, second, strict=True))


def weights_of(model):
    """Copies of the weights of a fitted estimator."""
    return [p.detach().clone() for p in model.net_.module_.parameters()]


def moved(model, before):
    """The largest change of a weight since `weights_of`."""
    return max(
        (a - b).abs().max().item()
        for a, b in zip(weights_of(model), before, strict=True)
    )


class InterruptAt(Callback):
    """Presses Ctrl-C in an epoch: behind its training or validation, or at its end."""

    def __init__(self, epoch, at="training"):
        self.epoch = epoch
        self.at = at

    def on_batch_end(self, net, training, **_):
        self._press(net, "training" if training else "validation")

    def on_epoch_end(self, net, **_):
        self._press(net, "end")

    def _press(self, net, at):
        if at == self.at and len(net.history) == self.epoch:
            signal.raise_signal(signal.SIGINT)


def interrupted(model, *args, **kwargs):
    """The model after a fit that ends in Ctrl-C."""
    with pytest.raises(KeyboardInterrupt):
        model.fit(*args, **kwargs)
    return model

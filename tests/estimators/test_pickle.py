"""Copies: pickle, joblib, deepcopy and clone."""

import copy
import pickle
import subprocess
import sys

import joblib
import numpy as np
import pytest
from sklearn.base import clone
from skorch.callbacks import Callback

from sk_mtl import ESMMClassifier, MMOEClassifier
from tests.estimators.common import (
    QUICK,
    assert_equal_proba,
    funnel_table,
    mixed_table,
)


@pytest.fixture(scope="module")
def fitted():
    X, y = mixed_table()
    return MMOEClassifier(**QUICK).fit(X, y), X, y


def test_pickle_keeps_every_answer(fitted):
    model, X, _ = fitted
    again = pickle.loads(pickle.dumps(model))
    assert_equal_proba(model.predict_proba(X), again.predict_proba(X))
    np.testing.assert_array_equal(model.predict_gates(X), again.predict_gates(X))
    assert model.history_.equals(again.history_)
    assert repr(model.schema_) == repr(again.schema_)


def test_pickle_keeps_a_funnel():
    X, y = funnel_table()
    model = ESMMClassifier(**QUICK).fit(X, y)
    again = pickle.loads(pickle.dumps(model))
    assert_equal_proba(
        model.predict_conditional_proba(X), again.predict_conditional_proba(X)
    )


def test_pickle_holds_the_weights_once(fitted):
    model, _, _ = fitted
    weights = sum(w.nbytes for w in model.net_.module_.state_dict().values())
    # The weights and the two moments of the optimiser.
    assert len(pickle.dumps(model.net_)) < 3.5 * weights + 20_000


def test_joblib_file_is_read_in_another_process(fitted, tmp_path):
    model, X, _ = fitted
    joblib.dump((model, X), tmp_path / "model.joblib")
    code = (
        "import joblib; model, X = joblib.load('model.joblib');"
        "joblib.dump(model.predict_proba(X), 'proba.joblib')"
    )
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)
    answer = joblib.load(tmp_path / "proba.joblib")
    assert_equal_proba(model.predict_proba(X), answer, rtol=0, atol=1e-6)


def test_a_copy_trains_on_as_the_original_does(fitted):
    model, X, y = fitted
    original, again = copy.deepcopy(model), pickle.loads(pickle.dumps(model))
    assert_equal_proba(
        original.partial_fit(X, y).predict_proba(X),
        again.partial_fit(X, y).predict_proba(X),
    )


class Pickles(Callback):
    """Pickles the net at each epoch, as skorch's `Checkpoint` does."""

    def on_epoch_end(self, net, **_):
        self.made = pickle.dumps(net)


def test_a_net_in_training_is_pickled_without_the_rows(fitted):
    _, X, y = fitted
    pickles = Pickles()
    model = MMOEClassifier(callbacks=[pickles], early_stopping=True, **QUICK).fit(X, y)
    made = vars(pickle.loads(pickles.made))
    assert made.keys() <= vars(model.net_).keys()


def test_clone_has_the_parameters_and_no_fit(fitted):
    model, X, y = fitted
    cloned = clone(model)
    assert cloned.get_params() == model.get_params()
    assert not hasattr(cloned, "net_")
    assert_equal_proba(
        cloned.fit(X, y).predict_proba(X),
        MMOEClassifier(**QUICK).fit(X, y).predict_proba(X),
    )


def test_dask_key_follows_the_fitted_state(fitted):
    model, X, y = fitted
    key = model.__dask_tokenize__()
    assert key == model.__dask_tokenize__()
    assert key == pickle.loads(pickle.dumps(model)).__dask_tokenize__()
    assert key != copy.deepcopy(model).partial_fit(X, y).__dask_tokenize__()
    assert key != clone(model).__dask_tokenize__()


def test_dask_key_reads_functions_without_a_name():
    pytest.importorskip("dask")
    models = [MMOEClassifier(lr_schedule=lambda step, size=n: size) for n in (1, 1, 2)]
    first, same, other = (model.__dask_tokenize__() for model in models)
    assert first == clone(models[0]).__dask_tokenize__() == same
    assert first != other

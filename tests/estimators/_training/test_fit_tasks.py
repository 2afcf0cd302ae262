"""scikit-learn's callbacks hear of a fit and of each of its epochs."""

import copy
import pickle
import threading

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

from sk_mtl import MMOEClassifier, MMOERegressor
from sk_mtl.metrics import make_task_scorer
from tests.estimators.common import (
    QUICK,
    InterruptAt,
    assert_equal_proba,
    interrupted,
    mixed_table,
)

callback = pytest.importorskip("sklearn.callback")


class Listener:
    """Writes down the tasks that it hears of, and stops or fails at an epoch."""

    def __init__(self, stop_at=None, fail_at=None):
        self.heard, self.answers, self.lock = [], [], threading.Lock()
        self.stop_at, self.fail_at = stop_at, fail_at

    def setup(self, estimator, context):
        self.heard.append("setup")

    def teardown(self, estimator, context):
        self.heard.append("teardown")

    def on_fit_task_begin(self, estimator, context):
        self.heard.append(f"{context.task_name} begins")

    def on_fit_task_end(
        self, estimator, context, *, X=None, y=None, metadata=None, fitted_estimator
    ):
        self.heard.append(f"{context.task_name} ends")
        if fitted_estimator is not None and hasattr(fitted_estimator, "net_"):
            self.answers.append((fitted_estimator, fitted_estimator.predict_proba(X)))
        if context.task_name == "epoch":
            if context.task_id + 1 == self.fail_at:
                raise RuntimeError("on purpose")
            return context.task_id + 1 == self.stop_at
        return False


class Propagated(Listener):
    """A listener that a search hands on to the estimators that it fits."""

    max_propagation_depth = None


def make(listener, **options):
    return MMOEClassifier(**{**QUICK, **options}).set_callbacks(listener)


def test_a_fit_is_heard_epoch_by_epoch():
    X, y = mixed_table(80)
    listener = Listener()
    model = make(listener, max_epochs=2).fit(X, y)
    epoch = ["epoch begins", "epoch ends"]
    assert listener.heard == [
        *("setup", "fit begins", *epoch, *epoch, "fit ends", "teardown")
    ]
    _, last = listener.answers[-1]
    assert_equal_proba(last, model.predict_proba(X))
    plain = MMOEClassifier(**{**QUICK, "max_epochs": 2}).fit(X, y)
    assert_equal_proba(last, plain.predict_proba(X))


def test_a_fit_on_rows_is_heard():
    listener = Listener()
    model = make(listener, max_epochs=1)
    listener.on_fit_task_end = lambda estimator, context: None
    model.fit_rows(*model.encode_rows(*mixed_table(80)))
    expected = ["setup", "fit begins", "epoch begins", "teardown"]
    assert listener.heard == expected


@pytest.mark.parametrize("early_stopping", [True, False])
def test_the_estimator_of_an_epoch_is_as_if_the_fit_ended_there(early_stopping):
    X, y = mixed_table(160)
    listener = Listener()
    options = {"lr_schedule": None, "early_stopping": early_stopping}
    make(listener, **options).fit(X, y)
    for epochs in (1, 2):
        settings = {**QUICK, **options, "max_epochs": epochs}
        alone = MMOEClassifier(**settings).fit(X, y)
        shown, answer = listener.answers[epochs - 1]
        assert_equal_proba(answer, alone.predict_proba(X))
        # It stays as it was, whatever is trained after it.
        assert_equal_proba(shown.predict_proba(X), answer)
        assert shown.n_iter_ == shown.best_epoch_ == epochs


def test_a_callback_may_end_the_training():
    X, y = mixed_table(80)
    assert make(Listener(stop_at=2), max_epochs=9).fit(X, y).n_iter_ == 2


def test_a_callback_that_fails_leaves_the_estimator_as_it_was():
    X, y = mixed_table(80)
    model = MMOEClassifier(**QUICK).fit(X, y)
    before = vars(model).copy()
    listener = Listener(fail_at=2)
    model.set_callbacks(listener)
    with pytest.raises(RuntimeError, match="on purpose"):
        model.fit(X, y)
    del model._skl_callbacks
    assert vars(model) == before
    assert listener.heard[-1] == "teardown"


def test_an_interruption_ends_the_hearing():
    X, y = mixed_table(80)
    listener = Listener()
    model = make(listener, callbacks=[InterruptAt(1)])
    interrupted(model, X, y)
    assert listener.heard[-1] == "teardown"
    assert not hasattr(model, "net_")


def test_a_search_hands_its_callbacks_on():
    X, y = mixed_table(80)
    listener = Propagated()
    model = MMOEClassifier(**{**QUICK, "max_epochs": 1})
    search = GridSearchCV(model, {"lr": [0.01, 0.02]}, cv=2)
    search.set_callbacks(listener).fit(X, y)
    # Two candidates on two folds, and the best of them on all rows.
    assert listener.heard.count("epoch ends") == 5
    best = search.best_estimator_
    assert not {"_parent_callback_ctx", "_skl_callbacks"} & set(vars(best))
    plain = GridSearchCV(model, {"lr": [0.01, 0.02]}, cv=2).fit(X, y)
    assert_equal_proba(search.predict_proba(X), plain.predict_proba(X))


def test_a_monitor_of_scikit_learn_scores_every_epoch():
    X, y = mixed_table(80)

    scorer = make_task_scorer("log_loss")
    monitor = callback.ScoringMonitor(scoring=scorer)
    model = MMOEClassifier(**QUICK).set_callbacks(monitor).fit(X, y)
    found = {row["task_id_path"]: row["score"] for row in monitor.get_logs().data}
    assert len({found[0, epoch] for epoch in range(3)}) == QUICK["max_epochs"] == 3
    assert found[0, 2] == found[0,] == scorer(model, X, y)


def test_copies_and_pickles():
    X, y = mixed_table(80)
    listener = Listener()
    model = MMOERegressor(**QUICK).set_callbacks(listener)
    assert clone(model)._skl_callbacks == [listener]
    listener.on_fit_task_end = lambda *_, **__: False
    model.fit(X, y)
    # A lock has no pickle: the callbacks of a fitted estimator are left out.
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    np.testing.assert_array_equal(copy.copy(model).predict(X), model.predict(X))

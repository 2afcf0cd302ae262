"""The cosines between the tasks' gradients that a fit records."""

import pickle
from itertools import combinations

import numpy as np
import pytest
import torch
from skorch.callbacks import Callback

from sk_mtl import MMOEClassifier, SharedBottomClassifier
from sk_mtl.inspection import GradientConflictRecorder
from sk_mtl.model_selection import compare_tasks
from tests.estimators.common import QUICK, assert_equal_proba, mixed_table

COLUMN = "gradient_cosine_churn_buy"


class Cosines(Callback):
    """The cosine of each step, between gradients of encoder and bottom."""

    def on_train_begin(self, net, **kwargs):
        self.found_ = []

    def on_losses_computed(self, net, losses, **kwargs):
        shared = [*net.module_.encoder.parameters(), *net.module_.wiring.parameters()]
        first, second = (
            torch.autograd.grad(each, shared, retain_graph=True) for each in losses
        )
        first, second = (
            torch.cat([each.flatten() for each in grads]) for grads in (first, second)
        )
        self.found_.append(torch.cosine_similarity(first, second, dim=0).item())


def fit(*callbacks, cls=MMOEClassifier, **parameters):
    X, y = mixed_table()
    return cls(callbacks=list(callbacks), **{**QUICK, **parameters}).fit(X, y)


def test_it_records_the_mean_cosine_of_each_epoch():
    cosines = Cosines()
    model = fit(GradientConflictRecorder(), cosines, cls=SharedBottomClassifier)
    by_epoch = np.reshape(cosines.found_, (3, -1))
    assert by_epoch.shape[1] > 1
    np.testing.assert_allclose(model.history_[COLUMN], by_epoch.mean(1), rtol=1e-4)


def test_it_looks_at_so_many_steps():
    cosines = Cosines()
    recorder = GradientConflictRecorder(n_steps=1)
    model = fit(recorder, cosines, cls=SharedBottomClassifier)
    first = np.reshape(cosines.found_, (3, -1))[:, 0]
    np.testing.assert_allclose(model.history_[COLUMN], first, rtol=1e-4)


def test_every_pair_has_a_column_and_the_fit_stays_as_it_is():
    X, y = mixed_table()
    y = y.assign(young=(X["age"] < 40) * 1)
    plain = MMOEClassifier(**QUICK).fit(X, y)
    model = MMOEClassifier(callbacks=[GradientConflictRecorder], **QUICK).fit(X, y)
    columns = [f"gradient_cosine_{a}_{b}" for a, b in combinations(y, 2)]
    found = model.history_.filter(like="gradient_cosine_")
    assert list(found) == columns
    assert found.abs().le(1).all(axis=None)
    assert_equal_proba(plain.predict_proba(X), model.predict_proba(X))
    assert pickle.loads(pickle.dumps(model)).history_.equals(model.history_)


def test_it_goes_on_and_is_cloned():
    X, y = mixed_table(80)
    model = MMOEClassifier(
        callbacks=[GradientConflictRecorder()], warm_start=True, **QUICK
    )
    model.fit(X, y).fit(X, y).partial_fit(X, y)
    assert model.history_[COLUMN].notna().sum() == 7
    baseline = MMOEClassifier(**QUICK)
    compare_tasks(model, X, y, baseline=baseline, cv=2, random_state=0)


@pytest.mark.parametrize(
    ("parameters", "found"),
    [
        ({"n_members": 2}, "n_members=2"),
        ({"compile": True}, r"compile=True \(a graph with one backward pass\)"),
        ({"sparse_embedding": True}, "sparse gradients"),
    ],
)
def test_what_has_no_gradient_per_task_is_refused(parameters, found):
    message = (
        "GradientConflictRecorder needs each task's gradient of dense tables in one "
        f"network; found {found}. Set compile=False, sparse_embedding=False and "
        "n_members=1"
    )
    with pytest.raises(ValueError, match=message):
        fit(GradientConflictRecorder(), **parameters)

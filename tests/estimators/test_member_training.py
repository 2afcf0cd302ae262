"""Training of several members: fits that continue, callbacks, copies, interruptions."""

import copy
import pickle
import shutil
from concurrent.futures import ThreadPoolExecutor

import joblib
import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV, KFold
from skorch.callbacks import Callback, Checkpoint, Freezer, GradientNormClipping

from sk_mtl import MMOEClassifier, SNRClassifier
from sk_mtl.nn import NetworkEnsemble
from tests.estimators.common import (
    QUICK,
    InterruptAt,
    assert_equal_proba,
    funnel_table,
    interrupted,
    largest_difference,
    mixed_table,
)
from tests.estimators.members import (
    classes,
    fit,
    make,
    mean_proba,
    sharings,
    weights_of,
)


@classes
@sharings
def test_the_same_state_gives_the_same_bits(cls, sharing):
    X, y = funnel_table(160)
    first, again = (fit(X, y, cls=cls, member_sharing=sharing) for _ in range(2))
    other = fit(X, y, cls=cls, member_sharing=sharing, random_state=1)
    assert_equal_proba(first.predict_proba(X), again.predict_proba(X))
    assert largest_difference(first.predict_proba(X), other.predict_proba(X)) > 1e-3


@classes
@sharings
def test_copies_answer_and_train_on_alike(cls, sharing, tmp_path):
    X, y = funnel_table(160)
    model = fit(X, y, cls=cls, member_sharing=sharing, batch_norm=True)
    joblib.dump(model, tmp_path / "model.joblib")
    copies = [
        copy.deepcopy(model),
        pickle.loads(pickle.dumps(model)),
        joblib.load(tmp_path / "model.joblib"),
    ]
    answer = model.predict_proba(X)
    trained = model.partial_fit(X, y).predict_proba(X)
    assert largest_difference(answer, trained) > 1e-4
    for again in copies:
        assert_equal_proba(answer, again.predict_proba(X))
        assert_equal_proba(trained, again.partial_fit(X, y).predict_proba(X))


@sharings
def test_a_pickle_holds_the_weights_once(sharing):
    model = fit(*mixed_table(160), member_sharing=sharing)
    weights = sum(w.nbytes for w in model.net_.module_.state_dict().values())
    # The weights and the two moments of the optimiser.
    assert len(pickle.dumps(model.net_)) < 3.5 * weights + 25_000


def test_a_clone_has_the_parameters_and_no_fit():
    X, y = mixed_table(160)
    model = fit(X, y, member_sharing="embedding")
    cloned = clone(model)
    assert (cloned.n_members, cloned.member_sharing) == (3, "embedding")
    assert not hasattr(cloned, "net_")
    assert_equal_proba(cloned.fit(X, y).predict_proba(X), model.predict_proba(X))


def test_a_search_over_the_number_of_members():
    X, y = mixed_table(160)
    grid = {"n_members": [1, 2], "member_sharing": ["most", "none"]}
    search = GridSearchCV(MMOEClassifier(**QUICK), grid, cv=KFold(2)).fit(X, y)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    chosen = MMOEClassifier(**{**QUICK, **search.best_params_}).fit(X, y)
    assert_equal_proba(search.predict_proba(X), chosen.predict_proba(X))


@sharings
@pytest.mark.parametrize("step", ["fit", "partial_fit"])
def test_a_fit_that_goes_on(sharing, step):
    X, y = mixed_table(160)
    model = fit(X, y, member_sharing=sharing, warm_start=True)
    before, n_before = weights_of(model), model.n_iter_
    getattr(model, step)(X, y)
    assert model.n_iter_ == n_before + (3 if step == "fit" else 1)
    after = weights_of(model)
    trained = [name for name, _ in model.net_.module_.named_parameters()]
    assert all(not torch.equal(before[name], after[name]) for name in trained)
    assert_equal_proba(model.predict_proba(X), mean_proba(model, X), atol=1e-6)


@classes
def test_a_first_call_of_partial_fit(cls):
    X, y = funnel_table(160)
    model = cls(n_members=2, **QUICK)
    model.partial_fit(X[:80], y[:80]).partial_fit(X[80:], y[80:])
    assert isinstance(model.net_.module_, NetworkEnsemble)
    assert model.n_iter_ == 2
    assert_equal_proba(model.predict_proba(X), mean_proba(model, X), rtol=0, atol=1e-6)


class Norm(Callback):
    """Writes down the norm of all gradients and what else a step hands over."""

    def initialize(self):
        self.norms_, self.shapes_ = [], set()

    def on_batch_end(self, net, batch, training, loss, y_pred, **_):
        assert loss.ndim == 0
        self.shapes_.add((training, y_pred.shape[:-2], y_pred.shape[-1]))
        if training:
            grads = [p.grad.norm() for p in net.module_.parameters()]
            self.norms_.append(torch.stack(grads).norm().item())


@sharings
def test_callbacks_hear_of_every_member(sharing):
    X, y = mixed_table(160)
    valid = {"X_val": X, "y_val": y}
    model = fit(X, y, member_sharing=sharing, callbacks=[Norm()], **valid)
    ((_, norm),) = model.net_.callbacks_
    assert norm.shapes_ == {(True, (3,), 2), (False, (), 2)}
    assert max(norm.norms_) > 1e-2
    plain = fit(X, y, member_sharing=sharing, **valid)
    assert_equal_proba(model.predict_proba(X), plain.predict_proba(X))
    clipped = fit(
        X,
        y,
        member_sharing=sharing,
        callbacks=[GradientNormClipping(1e-3), ("norm", Norm())],
    )
    ((_, _), (_, norm)) = clipped.net_.callbacks_
    assert max(norm.norms_) <= 1e-3 * 1.001


def test_callbacks_that_freeze_and_that_save(tmp_path):
    X, y = mixed_table(160)
    shared = {"member_sharing": "most", "numeric_embedding": "bins"}
    start = fit(X, y, max_epochs=1, lr=1e-30, weight_decay=0.0, **shared)
    frozen = fit(X, y, callbacks=[Freezer("network.towers*")], **shared)
    before, after = weights_of(start), weights_of(frozen)
    for name in before:
        # A frozen layer is updated by nothing, not even by weight decay.
        fixed = "towers" in name or "edges" in name
        assert torch.equal(before[name], after[name]) == fixed
    saving = Checkpoint(None, dirname=tmp_path)
    model = fit(X, y, callbacks=[saving])
    saved = torch.load(tmp_path / "params.pt")
    for name, value in weights_of(model).items():
        torch.testing.assert_close(saved[name], value, rtol=0, atol=0)


@sharings
def test_an_interruption_keeps_the_weights_so_far(sharing):
    X, y = mixed_table(160)
    with pytest.warns(ConvergenceWarning, match="the weights of epoch 2 are kept"):
        model = interrupted(
            make(member_sharing=sharing, callbacks=[InterruptAt(3)]), X, y
        )
    two = fit(X, y, member_sharing=sharing, max_epochs=2)
    assert_equal_proba(model.predict_proba(X), two.predict_proba(X))


@sharings
def test_a_last_batch_of_one_row(sharing):
    X, y = mixed_table(129)
    options = {"batch_norm": True, "expert_hidden_sizes": (8, 8)}
    model = fit(X, y, member_sharing=sharing, **options)
    assert np.isfinite(model.predict_proba(X)[0]).all()


@sharings
def test_threads_may_ask_at_once(sharing):
    X, y = mixed_table(160)
    model = fit(X, y, member_sharing=sharing)
    proba, gates = model.predict_proba(X), model.predict_gates(X)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: model.predict_proba(X), range(16)))
        others = list(pool.map(lambda _: model.predict_gates(X), range(16)))
    for answer, other in zip(answers, others, strict=True):
        assert_equal_proba(answer, proba)
        np.testing.assert_array_equal(other, gates)


@pytest.mark.nightly
@pytest.mark.skipif(shutil.which("c++") is None, reason="no compiler here")
# torch's own, on the way to the compiled network.
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore:The .grad attribute")
@pytest.mark.parametrize(
    ("cls", "sharing", "drawn"),
    # The second has a penalty, and gates that are drawn.
    [(MMOEClassifier, "none", 0.0), (SNRClassifier, "most", 0.1)],
)
def test_a_compiled_network_learns_the_same(cls, sharing, drawn):
    X, y = mixed_table(160)
    options = {"member_sharing": sharing, "dropout": drawn, "unknown_rate": drawn}
    options["cls"] = cls
    # After a few networks of other shapes torch would give up and compile none.
    torch._dynamo.reset()
    model = fit(X, y, compile=True, n_members=2, **options)
    answer = model.predict_proba(X)
    assert_equal_proba(answer, mean_proba(model, X), rtol=0, atol=1e-5)
    if not drawn:
        # A compiled network draws from another stream of numbers.
        plain = fit(X, y, n_members=2, **options).predict_proba(X)
        assert_equal_proba(answer, plain, rtol=0, atol=1e-4)
    again = pickle.loads(pickle.dumps(model))
    assert_equal_proba(again.predict_proba(X), answer, rtol=0, atol=1e-5)
    model.partial_fit(X, y)

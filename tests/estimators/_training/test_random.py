"""`random_state` alone decides, and the caller's generators stay as they were."""

import os
import random
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext

import joblib
import numpy as np
import pytest
import torch
from joblib import Parallel, delayed
from joblib.parallel import ParallelBackendBase
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import ColumnTransformer
from sklearn.model_selection import GridSearchCV, KFold, ShuffleSplit
from skorch.callbacks import Callback

from sk_mtl import ESMMClassifier, MMOEClassifier
from sk_mtl.estimators._training._random import isolated_random_state
from tests.estimators.common import (
    QUICK,
    assert_equal_proba,
    funnel_table,
    largest_difference,
    mixed_table,
)

CPU = torch.device("cpu")

# Libraries may take sums in another order with another number of threads. In 14 fits
# with one and with two threads (2,000 rows and 20,000, batches of 64 to 4,096, up to 8
# experts of 128) no probability differed at all where this was measured; elsewhere the
# rounding of float32 may grow over the epochs to this much.
OTHER_THREADS = 1e-4


def state_of_generators():
    return (
        torch.get_rng_state().tolist(),
        np.random.get_state()[1].tolist(),  # noqa: NPY002
        np.random.get_state()[2],  # noqa: NPY002
        random.getstate(),
    )


@pytest.fixture
def untouched():
    """Assert that the test leaves the global generators as it found them."""
    torch.manual_seed(3)
    np.random.seed(3)  # noqa: NPY002
    random.seed(3)
    before = state_of_generators()
    yield
    assert state_of_generators() == before


class Noise(Callback):
    """Draws from every global generator during training."""

    def on_epoch_end(self, net, **_):
        torch.rand(3)
        np.random.rand(3)  # noqa: NPY002


class Failure(Noise):
    def on_epoch_end(self, net, **_):
        super().on_epoch_end(net)
        raise RuntimeError("on purpose")


def early(cls=MMOEClassifier, **options):
    settings = {**QUICK, "early_stopping": True, "embedding_dropout": 0.1, **options}
    return cls(**settings)


@pytest.mark.parametrize("cls", [MMOEClassifier, ESMMClassifier])
def test_the_same_state_gives_the_same_bits(cls, untouched):
    X, y = funnel_table()
    first, again = (early(cls).fit(X, y) for _ in range(2))
    assert_equal_proba(first.predict_proba(X), again.predict_proba(X))
    assert first.history_.drop(columns="seconds").equals(
        again.history_.drop(columns="seconds")
    )


@pytest.mark.parametrize("early_stopping", [True, False])
def test_another_state_gives_another_model(early_stopping):
    X, y = mixed_table()
    first, other = (
        early(random_state=seed, early_stopping=early_stopping).fit(X, y)
        for seed in (5, 6)
    )
    assert largest_difference(first.predict_proba(X), other.predict_proba(X)) > 1e-3


def test_the_global_generators_do_not_decide():
    X, y = mixed_table()
    torch.manual_seed(0)
    np.random.seed(0)  # noqa: NPY002
    first = early().fit(X, y)
    torch.manual_seed(1)
    np.random.seed(1)  # noqa: NPY002
    assert_equal_proba(first.predict_proba(X), early().fit(X, y).predict_proba(X))


def test_without_a_state_every_fit_differs():
    X, y = mixed_table()
    np.random.seed(0)  # noqa: NPY002
    first = early(random_state=None).fit(X, y)
    np.random.seed(0)  # noqa: NPY002
    other = early(random_state=None).fit(X, y)
    assert largest_difference(first.predict_proba(X), other.predict_proba(X)) > 1e-4


def test_a_generator_object_moves_on_from_fit_to_fit():
    X, y = mixed_table()
    one, same = np.random.RandomState(0), np.random.RandomState(0)
    model = early(random_state=one)
    first, second = model.fit(X, y).predict_proba(X), model.fit(X, y).predict_proba(X)
    assert largest_difference(first, second) > 1e-4
    assert_equal_proba(first, early(random_state=same).fit(X, y).predict_proba(X))


def test_every_entry_point_leaves_the_generators_alone(untouched):
    X, y = mixed_table()
    model = early(warm_start=True, callbacks=[Noise()])
    model.fit(X, y).fit(X, y).partial_fit(X, y)
    model.predict(X)
    model.predict_proba(X)
    model.predict_gates(X)
    model.score(X, y)


def test_a_failed_fit_leaves_the_generators_alone(untouched):
    X, y = mixed_table()
    with pytest.raises(RuntimeError, match="on purpose"):
        early(callbacks=[Failure()]).fit(X, y)
    with pytest.raises(ValueError, match="finite"):
        early(optimizer="sgd", lr=1e30).fit(X, y)
    with pytest.raises(ValueError, match="age"):
        early().fit(X.assign(age=np.inf), y)


def test_fits_one_after_the_other_follow_the_state():
    X, y = mixed_table()
    first, again = (
        early(warm_start=True).fit(X, y).fit(X, y).partial_fit(X, y) for _ in range(2)
    )
    assert_equal_proba(first.predict_proba(X), again.predict_proba(X))


def test_predictions_in_between_change_nothing():
    X, y = mixed_table()
    plain = early(warm_start=True).fit(X, y).fit(X, y)
    asked = early(warm_start=True).fit(X, y)
    asked.predict_proba(X)
    assert_equal_proba(plain.predict_proba(X), asked.fit(X, y).predict_proba(X))


def test_another_process_gives_the_same_bits(tmp_path):
    X, y = funnel_table()
    models = [early(n_members=1), early(ESMMClassifier, n_members=1)]
    joblib.dump((models, X, y), tmp_path / "task.joblib")
    code = (
        "import joblib, torch\n"
        f"torch.set_num_threads({torch.get_num_threads()})\n"
        "models, X, y = joblib.load('task.joblib')\n"
        "answers = [model.fit(X, y).predict_proba(X) for model in models]\n"
        "joblib.dump(answers, 'answers.joblib')\n"
    )
    # Text hashes differently there: no result may follow the order of a set.
    environment = {**os.environ, "PYTHONHASHSEED": "7"}
    subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, check=True, env=environment
    )
    for model, answer in zip(models, joblib.load(tmp_path / "answers.joblib")):
        assert_equal_proba(model.fit(X, y).predict_proba(X), answer)


def fit_and_predict(model, X, y):
    return model.fit(X, y).predict_proba(X)


@pytest.mark.slow
def test_two_workers_give_the_same_up_to_rounding():
    X, y = mixed_table(1000)
    model = early(max_epochs=3, n_members=1)
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        expected = fit_and_predict(model, X, y)
    finally:
        torch.set_num_threads(threads)
    answers = Parallel(n_jobs=2)(
        delayed(fit_and_predict)(model, X, y) for _ in range(2)
    )
    assert_equal_proba(*answers)
    for answer in answers:
        assert_equal_proba(expected, answer, rtol=0, atol=OTHER_THREADS)


def test_fits_in_threads_give_what_they_give_alone(untouched):
    X, y = mixed_table()
    expected = [
        fit_and_predict(early(random_state=seed), X, y) for seed in (0, 1, 2, 3)
    ]
    with ThreadPoolExecutor(4) as pool:
        answers = list(
            pool.map(
                lambda seed: fit_and_predict(early(random_state=seed), X, y),
                [0, 1, 2, 3],
            )
        )
    for a, b in zip(expected, answers, strict=True):
        assert_equal_proba(a, b)


@pytest.mark.parametrize("mode", [torch.inference_mode, torch.no_grad])
@pytest.mark.parametrize("n_members", [1, 2])
def test_a_fit_computes_gradients_whatever_the_callers_mode(mode, n_members):
    X, y = mixed_table()
    plain, other = early(n_members=n_members), early(n_members=n_members)
    plain.fit(X, y).partial_fit(X, y)
    with mode():
        other.fit(X, y).partial_fit(X, y)
        answer = other.predict_proba(X)
        assert not torch.is_grad_enabled()
        assert torch.is_inference_mode_enabled() == (mode is torch.inference_mode)
    assert_equal_proba(plain.predict_proba(X), answer)
    # What was trained in there trains on outside.
    assert_equal_proba(
        plain.partial_fit(X, y).predict_proba(X),
        other.partial_fit(X, y).predict_proba(X),
    )


class Draw(TransformerMixin, BaseEstimator):
    """Shifts by a number from NumPy's generator, as steps without a seed do."""

    def fit(self, X, y=None):
        self.shift_ = np.random.rand()  # noqa: NPY002
        return self

    def transform(self, X):
        return X + self.shift_


@pytest.mark.parametrize("backend", [None, "threading", "loky"])
def test_parallel_steps_of_a_preprocessor_draw_what_they_draw_alone(backend):
    X, y = mixed_table()
    columns = [("a", Draw(), ["age"]), ("b", Draw(), ["visits"])]
    alone = early(preprocessor=ColumnTransformer(columns))
    beside = early(preprocessor=ColumnTransformer(columns, n_jobs=2))
    expected = alone.fit(X, y).predict_proba(X)
    with joblib.parallel_config(backend) if backend else nullcontext():
        assert_equal_proba(beside.fit(X, y).predict_proba(X), expected)


def test_a_search_in_threads_with_a_parallel_preprocessor_ends():
    X, y = mixed_table()
    columns = [("a", Draw(), ["age"]), ("b", Draw(), ["visits"])]
    model = early(preprocessor=ColumnTransformer(columns, n_jobs=2))
    scores = []
    for backend in ("sequential", "threading"):
        with joblib.parallel_config(backend, n_jobs=2):
            search = GridSearchCV(model, {"lr": [1e-3, 1e-2]}, cv=KFold(2)).fit(X, y)
        scores.append(search.cv_results_["mean_test_score"])
    np.testing.assert_array_equal(*scores)


class Cluster(ParallelBackendBase):
    """A backend of joblib whose work must not be waited for inside of a fit."""

    supports_retrieve_callback = False

    def effective_n_jobs(self, n_jobs):
        raise AssertionError("the work of a step was handed to the cluster")

    def submit(self, function, callback=None):
        raise AssertionError("the work of a step was handed to the cluster")


def test_a_fit_hands_no_work_to_a_cluster_that_may_wait_for_it():
    X, y = mixed_table()
    joblib.register_parallel_backend("cluster of a test", Cluster)
    splitter = ShuffleSplit(1, test_size=0.2)
    with joblib.parallel_config("cluster of a test"):
        early(validation_split=splitter).fit(X, y).predict(X)
        with pytest.raises(AssertionError, match="handed to the cluster"):
            Parallel(n_jobs=2)(delayed(abs)(k) for k in range(2))


def test_a_block_is_seeded_and_restored(untouched):
    with isolated_random_state(5, CPU):
        first = torch.rand(2).tolist(), np.random.rand(2).tolist()  # noqa: NPY002
    with isolated_random_state(5, CPU):
        again = torch.rand(2).tolist(), np.random.rand(2).tolist()  # noqa: NPY002
    with isolated_random_state(6, CPU):
        other = torch.rand(2).tolist(), np.random.rand(2).tolist()  # noqa: NPY002
    assert first == again != other


def test_a_block_is_restored_on_failure(untouched):
    def draw_and_fail():
        with isolated_random_state(5, CPU):
            torch.rand(2)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        draw_and_fail()


def test_a_fit_on_the_processor_seeds_no_card(monkeypatch):
    def refuse(seed):
        raise AssertionError("a CUDA generator was seeded")

    monkeypatch.setattr(torch.cuda, "manual_seed_all", refuse)
    monkeypatch.setattr(torch.cuda, "manual_seed", refuse)
    with isolated_random_state(5, CPU):
        pass


@pytest.mark.gpu
def test_a_fit_on_a_card_leaves_its_generator_alone(untouched):
    X, y = mixed_table()
    torch.cuda.manual_seed(3)
    before = torch.cuda.get_rng_state().tolist()
    first, again = (early(device="cuda").fit(X, y) for _ in range(2))
    assert torch.cuda.get_rng_state().tolist() == before
    assert_equal_proba(first.predict_proba(X), again.predict_proba(X))

"""What `n_jobs` of a search and torch's threads do to each other.

joblib divides the cores among its processes, so nothing of it is done here. These tests
hold what `docs/grid_search.md` says about it.
"""

import time

import joblib
import numpy as np
import pytest
import torch
from dask import distributed
from joblib import parallel_config
from sklearn.model_selection import GridSearchCV, KFold
from skorch.callbacks import Callback

from sk_mtl import MMOEClassifier
from tests.estimators.common import QUICK, mixed_table

#: Each of them overrules what joblib would choose for its processes.
VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS")


@pytest.fixture
def no_wishes(monkeypatch):
    """An environment that says nothing about threads."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def sleeping_threads(monkeypatch):
    """Let the threads of other processes sleep where they would wait on a core."""
    monkeypatch.setenv("OMP_WAIT_POLICY", "passive")


@pytest.fixture
def threads_kept():
    """Assert that the test leaves torch's number of threads alone."""
    before = torch.get_num_threads()
    yield
    assert torch.get_num_threads() == before


def count_threads(estimator, X, y):
    """A score that is the number of torch's threads where it is computed."""
    return torch.get_num_threads()


def search(X, y, **options):
    grid = {"lr": [0.001, 0.01]}
    model = MMOEClassifier(**options, **{**QUICK, "max_epochs": 1})
    found = GridSearchCV(model, grid, scoring=count_threads, cv=KFold(2), n_jobs=2)
    return found.fit(X, y)


@pytest.mark.slow
def test_a_search_divides_the_cores(no_wishes, threads_kept):
    share = max(joblib.cpu_count() // joblib.effective_n_jobs(2), 1)
    scores = search(*mixed_table(80)).cv_results_["mean_test_score"]
    assert scores.tolist() == [share] * 2


@pytest.mark.nightly
def test_a_number_may_be_asked_for(threads_kept, sleeping_threads):
    # The library for matrix products takes no more threads than there are cores.
    cores = joblib.cpu_count(only_physical_cores=True)
    with parallel_config("loky", inner_max_num_threads=cores):
        scores = search(*mixed_table(80)).cv_results_["mean_test_score"]
    assert scores.tolist() == [cores] * 2


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize(
    "processes", [pytest.param(True, marks=pytest.mark.nightly), False]
)
def test_a_search_on_a_cluster_of_single_threads_ends(processes, sleeping_threads):
    X, y = mixed_table(80)
    grid = {"lr": [0.001, 0.01]}
    model = MMOEClassifier(n_members=1, **QUICK)
    expected = GridSearchCV(model, grid, cv=KFold(2)).fit(X, y)
    settings = {"processes": processes, "dashboard_address": None}
    with (
        distributed.LocalCluster(2, threads_per_worker=1, **settings) as cluster,
        distributed.Client(cluster),
        parallel_config("dask"),
    ):
        found = GridSearchCV(model, grid, cv=KFold(2)).fit(X, y)
    np.testing.assert_allclose(
        found.cv_results_["mean_test_score"], expected.cv_results_["mean_test_score"]
    )


TRAINING = []


class Alone(Callback):
    """Asserts that no other fit of this process trains meanwhile."""

    def on_train_begin(self, net, **_):
        TRAINING.append(net)
        time.sleep(0.02)

    def on_train_end(self, net, **_):
        assert TRAINING.pop() is net
        assert not TRAINING


def test_fits_in_threads_take_turns(threads_kept):
    X, y = mixed_table(80)
    with parallel_config("threading"):
        found = search(X, y, callbacks=[Alone()])
    assert TRAINING == []
    # They share the process, and with it the number of threads.
    own = torch.get_num_threads()
    assert found.cv_results_["mean_test_score"].tolist() == [own] * 2

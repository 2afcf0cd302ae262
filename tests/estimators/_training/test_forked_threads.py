"""Fitting and predicting in the child of a fork."""

import os
import subprocess
import sys
import threading

import pytest
import torch
from skorch.callbacks import Callback

from sk_mtl import MMOEClassifier
from tests.estimators.common import QUICK, assert_equal_proba, mixed_table

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")

#: A parent whose pool of threads is in use, and a child that has none.
FORK = """
import os, signal, sys
import torch
torch.set_num_threads(2)
from sk_mtl import MMOEClassifier
from tests.estimators.common import QUICK, mixed_table
X, y = mixed_table(20_000)
model = MMOEClassifier(**{**QUICK, "max_epochs": 1, "batch_size": 1000})
model.fit(X[:2000], y[:2000])
for what in ("one row", "rows", "fit", "partial_fit"):
    child = os.fork()
    if child == 0:
        signal.alarm(60)
        assert torch.get_num_threads() == 2
        if what == "fit":
            model.fit(X[:2000], y[:2000])
        elif what == "partial_fit":
            model.partial_fit(X[:2000], y[:2000])
        model.predict_proba(X[:1] if what == "one row" else X)
        assert torch.get_num_threads() == 1
        os._exit(0)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code == 0, (what, code)
    assert torch.get_num_threads() == 2
"""


@needs_fork
@pytest.mark.slow
def test_a_child_of_a_parent_with_two_threads():
    # Threads that wait sleep, so that they take no time from each other.
    threads = {"OMP_NUM_THREADS": "2", "OMP_WAIT_POLICY": "passive"}
    environment = {**os.environ, **threads}
    command = [sys.executable, "-W", "ignore", "-c", FORK]
    subprocess.run(command, check=True, env=environment)


class Paused(Callback):
    """Waits in the middle of a fit until it is told to go on."""

    def __init__(self):
        self.reached, self.go_on = threading.Event(), threading.Event()

    def on_epoch_end(self, net, **_):
        self.reached.set()
        self.go_on.wait()


@needs_fork
@pytest.mark.parametrize("n_members", [1, 2])
def test_a_child_fits_while_another_thread_of_the_parent_does(n_members):
    X, y = mixed_table(80)
    settings = {**QUICK, "n_members": n_members}
    expected = MMOEClassifier(**settings).fit(X, y).predict_proba(X)
    paused = Paused()
    model = MMOEClassifier(callbacks=[paused], **settings)
    thread = threading.Thread(target=lambda: model.fit(X, y))
    thread.start()
    paused.reached.wait()
    child = os.fork()
    if child == 0:
        try:
            found = MMOEClassifier(**settings).fit(X, y).predict_proba(X)
            assert_equal_proba(found, expected)
            os._exit(0)
        except BaseException:
            os._exit(9)
    # A child that hangs is ended, and has the exit code of that signal.
    timer = threading.Timer(60, os.kill, (child, 9))
    timer.start()
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    timer.cancel()
    paused.go_on.set()
    thread.join()
    assert code == 0
    assert_equal_proba(model.predict_proba(X), expected)


def test_a_parent_keeps_its_threads():
    before = torch.get_num_threads()
    X, y = mixed_table(80)
    MMOEClassifier(**QUICK).fit(X, y).predict(X)
    assert torch.get_num_threads() == before

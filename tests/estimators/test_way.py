"""The way from a call to the network is short, and does not climb back."""

import sys
from pathlib import Path

import pytest

import sk_mtl.estimators
from sk_mtl import MMOEClassifier
from sk_mtl.losses import TaskLoss
from sk_mtl.nn import MultiTaskNetwork
from tests.estimators.common import QUICK, mixed_table

FOLDER = str(Path(sk_mtl.estimators.__file__).parent)


def way(frame):
    """Return the files of estimators on the stack, outermost first, in order of calls.

    Frames of other packages, such as skorch, which calls back, are left out. A file
    that is entered a second time is there twice.
    """
    files = []
    while frame is not None:
        name = frame.f_code.co_filename
        if name.startswith(FOLDER) and (not files or files[-1] != name):
            files.append(name)
        frame = frame.f_back
    return [Path(name).name for name in reversed(files)]


@pytest.fixture
def seen(monkeypatch):
    """The ways by which the loss and the network were reached."""
    ways = {"loss": set(), "network": set()}

    def note(cls, method, name):
        original = getattr(cls, method)

        def noting(self, *args):
            ways[name].add(tuple(way(sys._getframe(1))))
            return original(self, *args)

        monkeypatch.setattr(cls, method, noting)

    note(TaskLoss, "parts", "loss")
    note(MultiTaskNetwork, "forward", "network")
    return ways


def test_the_way_from_fit_to_the_loss_is_short(seen):
    MMOEClassifier(early_stopping=True, **QUICK).fit(*mixed_table(80))
    way = ("_multi_task_model.py", "_network_trainer.py", "_net.py")
    # What is asked of the rows held out, of one network or of each member, has its own
    # file, which hands them to the net.
    assert seen["loss"] == {way, (*way, "_validation.py", "_net.py")}


def test_the_way_from_predict_proba_to_the_network_is_short(seen):
    X, y = mixed_table(80)
    model = MMOEClassifier(**QUICK).fit(X, y)
    seen["network"].clear()
    model.predict_proba(X)
    assert seen["network"] == {
        ("_class_tasks.py", "_fitted_network.py", "_evaluation.py"),
    }

"""The rules of "auto" for the parameters of training.

A rule takes the facts and the parameters, of which those that were resolved before it
are concrete, and returns a value with its reason.
"""

from __future__ import annotations

import inspect
import math

from sk_mtl.estimators._automatic._auto_choice import AutoChoice
from sk_mtl.estimators._automatic._facts import Facts
from sk_mtl.estimators._shared_parameters import SharedParameters
from sk_mtl.estimators._training._optimizers import OPTIMIZERS

# The learning rate of the optimisers that `optimizer` names.
_RATE = 8e-3


def choose_batch_size(facts: Facts, wanted: SharedParameters) -> AutoChoice:
    """Choose the power of two nearest to twice the square root of the rows.

    The number of steps per epoch then also grows with the square root: a table of
    20,000 rows has 80, enough to learn its embeddings in a few epochs.
    """
    nearest = 2 ** round(math.log2(2 * math.sqrt(facts.n_train)))
    size = max(16, min(1024, nearest))
    return AutoChoice(size, f"about twice the square root of {facts.n_train:,} rows")


def choose_max_epochs(facts: Facts, wanted: SharedParameters) -> AutoChoice:
    """Choose few epochs, for which the learning rate is large."""
    return AutoChoice(5, "few epochs at a large learning rate")


def choose_early_stopping(facts: Facts, wanted: SharedParameters) -> AutoChoice:
    """Choose to hold rows out of tables of more than 2,000 rows.

    A smaller table needs all rows in training, and has too few to choose between five
    epochs. More than ten epochs overfit soon, so that even ten validation rows help.
    Setting `monitor` also turns early stopping on.
    """
    n_rows, monitor = facts.n_rows, wanted.monitor
    if facts.validation_is_given:
        return AutoChoice(True, "X_val is given")
    if wanted.member_rows == "folds":
        return AutoChoice(True, "members stop by their folds")
    if not isinstance(monitor, str) or monitor != "valid_loss":
        return AutoChoice(True, "monitor is set")
    if n_rows > 2_000:
        return AutoChoice(True, f"{n_rows:,} rows, more than 2,000")
    if wanted.max_epochs > 10 and n_rows > 100:
        return AutoChoice(True, f"{wanted.max_epochs} epochs, more than 10")
    return AutoChoice(False, f"{n_rows:,} rows, too few to hold some out")


def choose_patience(facts: Facts, wanted: SharedParameters) -> AutoChoice:
    """Choose `n_iter_no_change`."""
    return AutoChoice(3, "the usual patience")


def choose_lr(facts: Facts, wanted: SharedParameters) -> AutoChoice:
    """Choose the same rate for every optimiser that has a name.

    Optimisers of other classes differ by orders of magnitude, so each takes the rate
    that it has in torch.
    """
    cls = wanted.optimizer
    if isinstance(cls, str) or issubclass(cls, tuple(OPTIMIZERS.values())):
        return AutoChoice(_RATE, "a large rate that falls to 0 in few epochs")
    lr = inspect.signature(cls).parameters.get("lr")
    default = None if lr is None else lr.default
    if isinstance(default, int | float) and default > 0:
        return AutoChoice(float(default), f"the default of {cls.__name__}")
    return AutoChoice(_RATE, f"{cls.__name__} has no rate of its own")

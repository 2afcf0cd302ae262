"""The rules of "auto" for the parameters of training.

A rule takes the facts and the parameters, of which those that were resolved before it
are concrete, and returns a value with its reason.
"""

from __future__ import annotations

import inspect
import math

from sk_mtl.estimators._automatic._auto_choice import AutoChoice
from sk_mtl.estimators._automatic._facts import MANY_ROWS, Facts
from sk_mtl.estimators._shared_parameters import SharedParameters
from sk_mtl.estimators._training._optimizers import OPTIMIZERS

# The learning rate of the optimisers that `optimizer` names: of fits of few epochs, in
# which it falls to 0 soon, and of fits of many.
_RATE = 8e-3
_RATE_OF_MANY_EPOCHS = 4e-3
# Users and items that are seen a few times each need larger steps. With fewer rows than
# this, models of few shared parts become unsteady.
_RATE_OF_LOGS, _LOG_ROWS = 1.6e-2, 20_000
# The largest number of epochs that counts as few.
_FEW_EPOCHS = 10
# Tables of at most this many rows train for many epochs, and stop early.
_SMALL = 10_000
# Rows above which some are held out, of fits of few epochs and of many.
_FEW_STOPPED = 2_000
_FEWEST_STOPPED = 100


def choose_batch_size(facts: Facts, wanted: SharedParameters) -> AutoChoice:
    """Choose the power of two nearest to twice the square root of the rows.

    The number of steps per epoch then also grows with the square root: a table of
    20,000 rows has 80, enough to learn its embeddings in a few epochs.
    """
    nearest = 2 ** round(math.log2(2 * math.sqrt(max(facts.n_train, 1))))
    size = max(16, min(1024, nearest))
    return AutoChoice(size, f"about twice the square root of {facts.n_train:,} rows")


def choose_max_epochs(facts: Facts, wanted: SharedParameters) -> AutoChoice:
    """Choose more epochs for fewer rows, of which an epoch has few steps.

    A number tells more of its row than a class does, so it can be learnt for longer
    before the network fits noise. Both need rows that decide when to stop. With very
    many rows four epochs reach the end, except where categories are seen few times.
    """
    n_rows = facts.n_rows
    few = AutoChoice(5, "few epochs at a large learning rate")
    if facts.is_pass or wanted.early_stopping is False:
        return few
    if facts.has_many_rows_of_classes and not facts.large_vocabularies:
        return AutoChoice(4, f"{facts.n_train:,} rows, more than {MANY_ROWS:,}")
    if n_rows > _SMALL:
        return few
    if any(task.n_classes is None for task in facts.tasks):
        if n_rows <= _FEWEST_STOPPED:
            return few
        return AutoChoice(60, f"{n_rows:,} rows and a task of numbers")
    if n_rows <= _FEW_STOPPED:
        return few
    return AutoChoice(_FEW_EPOCHS, f"{n_rows:,} rows and tasks of classes")


def choose_early_stopping(facts: Facts, wanted: SharedParameters) -> AutoChoice:
    """Choose to hold rows out of tables of more than 2,000 rows.

    A smaller table needs all rows in training, and has too few to choose between few
    epochs. More than ten overfit soon, so that even ten validation rows help.
    Setting `monitor` also turns early stopping on.
    """
    n_rows, monitor = facts.n_rows, wanted.monitor
    if facts.validation_is_given:
        return AutoChoice(True, "X_val is given")
    if wanted.member_rows == "folds":
        return AutoChoice(True, "members stop by their folds")
    if not isinstance(monitor, str) or monitor != "valid_loss":
        return AutoChoice(True, "monitor is set")
    if n_rows > _FEW_STOPPED:
        return AutoChoice(True, f"{n_rows:,} rows, more than {_FEW_STOPPED:,}")
    if wanted.max_epochs > _FEW_EPOCHS and n_rows > _FEWEST_STOPPED:
        return AutoChoice(True, f"{wanted.max_epochs} epochs, more than {_FEW_EPOCHS}")
    return AutoChoice(False, f"{n_rows:,} rows, too few to hold some out")


def choose_patience(facts: Facts, wanted: SharedParameters) -> AutoChoice:
    """Choose `n_iter_no_change`."""
    if wanted.max_epochs > _FEW_EPOCHS:
        return AutoChoice(5, f"{wanted.max_epochs} epochs, more than {_FEW_EPOCHS}")
    return AutoChoice(3, "few epochs")


def choose_lr(facts: Facts, wanted: SharedParameters) -> AutoChoice:
    """Choose the same rate for every optimiser that has a name.

    Optimisers of other classes differ by orders of magnitude, so each takes the rate
    that it has in torch.
    """
    cls = wanted.optimizer
    if isinstance(cls, str) or issubclass(cls, tuple(OPTIMIZERS.values())):
        if wanted.max_epochs > _FEW_EPOCHS:
            return AutoChoice(_RATE_OF_MANY_EPOCHS, "a smaller rate for many epochs")
        if len(facts.large_vocabularies) > 1 and facts.n_train >= _LOG_ROWS:
            return AutoChoice(_RATE_OF_LOGS, "large vocabularies, seen few times each")
        return AutoChoice(_RATE, "a large rate that falls to 0 in few epochs")
    lr = inspect.signature(cls).parameters.get("lr")
    default = None if lr is None else lr.default
    if isinstance(default, int | float) and default > 0:
        return AutoChoice(float(default), f"the default of {cls.__name__}")
    return AutoChoice(_RATE, f"{cls.__name__} has no rate of its own")

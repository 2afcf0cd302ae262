"""The value of each parameter that is "auto", at the edges of its rule."""

import pytest
import torch
from skorch.callbacks import Callback

from sk_mtl import HoMEClassifier, MMOEClassifier
from sk_mtl.estimators._automatic._auto_n_bins import auto_n_bins
from sk_mtl.estimators._automatic._facts import CategoryFacts, Facts, TaskFacts
from sk_mtl.estimators._automatic._network_rules import (
    choose_batch_norm,
    choose_dropout,
    choose_embedding_dim,
    choose_embedding_l2,
    choose_n_bins,
    choose_n_members,
    choose_numeric_embedding,
    choose_sparse_embedding,
)
from sk_mtl.estimators._automatic._training_rules import (
    choose_batch_size,
    choose_early_stopping,
    choose_lr,
    choose_max_epochs,
    choose_patience,
)
from sk_mtl.inspection import GradientConflictRecorder


def rows(n_rows, **others):
    return Facts(n_rows=n_rows, n_train=n_rows, **others)


def wanted(**parameters):
    """Parameters of which the first ones are resolved already."""
    return MMOEClassifier(**{"max_epochs": 5, "n_members": 1, **parameters})


@pytest.mark.parametrize(
    ("n_rows", "size"),
    [
        *[(1, 16), (100, 16), (400, 32), (2_000, 64), (20_000, 256)],
        *[(200_000, 1024), (10**8, 1024)],
    ],
)
def test_batches_follow_the_rows(n_rows, size):
    assert choose_batch_size(rows(n_rows), wanted()).value == size


@pytest.mark.parametrize(
    ("n_rows", "max_epochs", "monitor", "stops", "reason"),
    [
        (2_000, 5, "valid_loss", False, "2,000 rows, too few to hold some out"),
        (2_001, 5, "valid_loss", True, "2,001 rows, more than 2,000"),
        (2_000, 10, "valid_loss", False, "2,000 rows, too few to hold some out"),
        (101, 11, "valid_loss", True, "11 epochs, more than 10"),
        (100, 11, "valid_loss", False, "100 rows, too few to hold some out"),
        (50, 5, ("roc_auc", "income"), True, "monitor is set"),
        (50, 5, "income", True, "monitor is set"),
    ],
)
def test_rows_are_held_out_where_it_pays(n_rows, max_epochs, monitor, stops, reason):
    parameters = wanted(max_epochs=max_epochs, monitor=monitor)
    found = choose_early_stopping(rows(n_rows), parameters)
    assert found == (stops, reason)


def test_given_rows_decide_when_to_stop():
    facts = Facts(n_rows=50, n_train=50, n_held_out=9, validation_is_given=True)
    assert choose_early_stopping(facts, wanted()) == (True, "X_val is given")


def test_folds_decide_when_members_stop():
    parameters = wanted(member_rows="folds")
    reason = "members stop by their folds"
    assert choose_early_stopping(rows(50), parameters) == (True, reason)
    assert choose_n_members(rows(50), parameters).value == 4


class OwnAdam(torch.optim.Adam):
    """An optimiser that derives from one that has a name."""


class NoRate(torch.optim.Optimizer):
    """An optimiser without a default rate."""

    def __init__(self, params, lr):
        super().__init__(params, {"lr": lr})


@pytest.mark.parametrize(
    ("optimizer", "lr"),
    [
        *[("adamw", 0.008), ("sgd", 0.008), (torch.optim.Adam, 0.008)],
        *[(OwnAdam, 0.008), (NoRate, 0.008)],
        *[(torch.optim.Adadelta, 1.0), (torch.optim.Rprop, 0.01)],
    ],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
def test_the_rate_is_one_for_optimisers_with_a_name(optimizer, lr):
    assert choose_lr(rows(50), wanted(optimizer=optimizer)).value == lr


@pytest.mark.parametrize(
    ("n_rows", "n_bins"),
    [(0, 4), (600, 4), (1_000, 8), (5_000, 32), (9_600, 64), (10**8, 64)],
)
def test_bins_are_one_per_150_rows(n_rows, n_bins):
    assert auto_n_bins(n_rows) == n_bins
    assert choose_n_bins(rows(n_rows), wanted()).value == n_bins


def test_no_embedding_of_numbers_without_numbers():
    assert choose_numeric_embedding(rows(50), wanted()).value is None
    found = choose_numeric_embedding(rows(100_000, n_numeric=1), wanted())
    assert found.value == ["ple", "bins"]
    found = choose_numeric_embedding(rows(100_001, n_numeric=1), wanted())
    assert found.value == "bins"


CLASSES = (TaskFacts("bought", "log_loss", 50, 2, 10),)
USERS = CategoryFacts("user_id", 101, 5.0, table=0)
SHOPS = {"categories": (USERS,)}
LOG = {"categories": (USERS, CategoryFacts("item_id", 300, 9.0, table=1))}
MIXED = (*CLASSES, TaskFacts("spent", "squared_error", 50))


@pytest.mark.parametrize(
    ("n_rows", "tasks", "n_epochs"),
    [
        *[(2_000, CLASSES, 5), (2_001, CLASSES, 10), (10_000, CLASSES, 10)],
        *[(100, MIXED, 5), (101, MIXED, 60), (10_000, MIXED, 60)],
        *[(10_001, CLASSES, 5), (10_001, MIXED, 5)],
    ],
)
def test_epochs_follow_the_rows_and_the_tasks(n_rows, tasks, n_epochs):
    facts = rows(n_rows, tasks=tasks)
    assert choose_max_epochs(facts, wanted()).value == n_epochs
    assert choose_max_epochs(facts, wanted(early_stopping=False)).value == 5
    part = rows(n_rows, tasks=tasks, is_pass=True)
    assert choose_max_epochs(part, wanted()).value == 5


@pytest.mark.parametrize(
    ("facts", "n_epochs", "dropout"),
    [
        ({"n_train": 100_000, "tasks": CLASSES}, 5, 0.1),
        ({"n_train": 100_001, "tasks": CLASSES}, 4, 0.0),
        ({"n_train": 100_001, "tasks": MIXED}, 5, 0.1),
        ({"n_train": 100_001, "tasks": CLASSES, "is_pass": True}, 5, 0.1),
        ({"n_train": 100_001, "tasks": CLASSES, **LOG}, 5, 0.0),
    ],
    ids=["few", "classes", "a number", "a pass", "a log"],
)
def test_many_rows_of_classes_need_fewer_passes_and_no_dropout(
    facts, n_epochs, dropout
):
    facts = Facts(n_rows=200_000, **facts)
    assert choose_max_epochs(facts, wanted()).value == n_epochs
    assert choose_max_epochs(facts, wanted(early_stopping=False)).value == 5
    assert choose_dropout(facts, wanted()).value == dropout


@pytest.mark.parametrize(
    ("max_epochs", "lr", "patience"), [(10, 0.008, 3), (11, 0.004, 5)]
)
def test_many_epochs_are_slow_and_patient(max_epochs, lr, patience):
    parameters = wanted(max_epochs=max_epochs)
    assert choose_lr(rows(50), parameters).value == lr
    assert choose_patience(rows(50), parameters).value == patience


def test_large_vocabularies_are_wide_and_penalised():
    for facts, width, l2 in (
        (rows(5_000, **SHOPS), 16, 1e-3),
        (rows(5_000, **LOG), 16, 1e-4),
        (rows(4_999, **LOG), 8, 0.0),
        (rows(5_000, categories=(CategoryFacts("town", 100, 5.0, 0),)), 8, 0.0),
        (rows(5_000, categories=(CategoryFacts("rare", 101, 4.9, 0),)), 8, 0.0),
    ):
        assert choose_embedding_dim(facts, wanted()).value == width
        assert choose_embedding_l2(facts, wanted()).value == l2
    found = choose_embedding_dim(rows(5_000, **LOG), wanted())
    assert found.reason == "a large vocabulary: user_id and 1 more"


def test_the_rate_of_logs_is_large():
    assert choose_lr(rows(20_000, **LOG), wanted()).value == 0.016
    assert choose_lr(rows(19_999, **LOG), wanted()).value == 0.008
    assert choose_lr(rows(20_000, **SHOPS), wanted()).value == 0.008
    assert choose_lr(rows(20_000, **LOG), wanted(max_epochs=11)).value == 0.004


@pytest.mark.members
def test_members_steady_the_answers_of_few_rows():
    assert choose_n_members(rows(50), wanted()).value == 4
    assert choose_n_members(rows(50_000), wanted()).value == 4
    assert choose_n_members(rows(50_001), wanted()).value == 1
    assert choose_n_members(rows(50, is_pass=True), wanted()).value == 1
    assert choose_n_members(rows(50), wanted(balancing="pcgrad")).value == 1


@pytest.mark.members
def test_what_needs_one_network_gets_one():
    def chosen(**parameters):
        return choose_n_members(rows(50), wanted(**parameters)).value

    assert chosen(sparse_embedding=True) == 1
    assert chosen(sparse_embedding=True, member_sharing="embedding") == 4
    recorder = GradientConflictRecorder()
    assert chosen(callbacks=[recorder]) == chosen(callbacks=[("r", recorder)]) == 1
    assert chosen(callbacks=[GradientConflictRecorder]) == 1
    assert chosen(callbacks=[Callback()]) == 4


@pytest.mark.parametrize(
    ("cls", "above"), [(MMOEClassifier, 100_000), (HoMEClassifier, 20_000)]
)
def test_many_rows_are_normalised(cls, above):
    model = cls()
    assert choose_batch_norm(rows(above), model).value is False
    found = choose_batch_norm(rows(above + 1), model)
    assert found == (True, f"{above + 1:,} rows, more than {above:,}")


@pytest.mark.parametrize(
    ("parameters", "value"),
    [
        ({}, ("large",)),
        ({"n_members": 2, "member_sharing": "most"}, ("large",)),
        ({"n_members": 2}, ()),
    ],
    ids=["one", "members that share", "members that do not share"],
)
def test_large_tables_are_sparse(parameters, value):
    # 8 numbers in each of the 500,000 rows are 4,000,000.
    categories = (
        CategoryFacts("at", 500_000, 1.0, table=0),
        CategoryFacts("large", 500_001, 1.0, table=1),
    )
    facts = rows(50, categories=categories)
    found = choose_sparse_embedding(facts, wanted(**parameters), [8, 8])
    assert found.value == value

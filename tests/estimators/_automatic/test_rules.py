"""The value of each parameter that is "auto", at the edges of its rule."""

import pytest
import torch

from sk_mtl import HoMEClassifier, MMOEClassifier
from sk_mtl.estimators._automatic._auto_n_bins import auto_n_bins
from sk_mtl.estimators._automatic._facts import CategoryFacts, Facts
from sk_mtl.estimators._automatic._network_rules import (
    choose_batch_norm,
    choose_n_bins,
    choose_n_members,
    choose_numeric_embedding,
    choose_sparse_embedding,
)
from sk_mtl.estimators._automatic._training_rules import (
    choose_batch_size,
    choose_early_stopping,
    choose_lr,
)


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
    found = choose_numeric_embedding(rows(50, n_numeric=1), wanted())
    assert found.value == "bins"


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
        ({"n_members": 2}, ("large",)),
        ({"n_members": 2, "member_sharing": "none"}, ()),
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

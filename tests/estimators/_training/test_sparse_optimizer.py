"""One optimiser for a network of which some tables have sparse gradients."""

import copy
import io
import pickle

import numpy as np
import pytest
import torch
from sklearn.metrics import log_loss
from torch import nn
from torch.nn import functional as F
from torch.optim import lr_scheduler

from sk_mtl import MMOEClassifier
from sk_mtl.estimators._training._net import _MultiTaskNet
from sk_mtl.estimators._training._optimizers import OPTIMIZERS, optimizer_options
from sk_mtl.estimators._training._schedules import StepRates, make_schedule, make_share
from sk_mtl.estimators._training._sparse_optimizer import DenseAndSparse
from tests.estimators.common import QUICK, assert_equal_proba, mixed_table
from tests.estimators.memory import LargestTensor


class Network(nn.Module):
    """Rows of a large table with sparse gradients, a small table and a linear head."""

    def __init__(self, n_rows=50, dtype=torch.float32):
        super().__init__()
        torch.manual_seed(0)
        self.large = nn.Parameter(torch.randn(n_rows, 4, dtype=dtype))
        self.small = nn.Parameter(torch.randn(6, 4, dtype=dtype))
        self.head = nn.Linear(4, 1, dtype=dtype)

    def forward(self, codes):
        large = F.embedding(codes, self.large, sparse=True)
        small = F.embedding(codes % 6, self.small)
        return self.head(large + small).squeeze(-1)


def make(network, dense=torch.optim.AdamW, **options):
    """Return the optimiser as skorch makes it."""
    options = {"lr": 0.05, **options}
    groups = [
        {"params": [network.large], "sparse": True},
        {"params": [network.small, *network.head.parameters()]},
    ]
    return DenseAndSparse(groups, dense=dense, **options)


def train(network, optimizer, n_steps, start=0):
    """Take steps whose batches depend on their numbers alone."""
    for step in range(start, start + n_steps):
        codes = torch.tensor([step % 7, 8 + step % 5, 3, 3], dtype=torch.int32)
        optimizer.zero_grad()
        F.softplus(network(codes)).mean().backward()
        optimizer.step()


def assert_equal_networks(one, other):
    for a, b in zip(one.parameters(), other.parameters(), strict=True):
        assert torch.equal(a, b)


def step_with(table, optimizer, codes, gradient):
    """Take a step in which every read row gets the same gradient per read."""
    optimizer.zero_grad()
    read = F.embedding(torch.tensor(codes), table, sparse=True)
    (gradient * read).sum().backward()
    optimizer.step()


@pytest.fixture
def by_hand():
    table = nn.Parameter(torch.zeros(4, 1, dtype=torch.float64))
    unread = nn.Parameter(torch.zeros(1))
    groups = [{"params": [table], "sparse": True}, {"params": [unread]}]
    return table, DenseAndSparse(groups, dense=torch.optim.SGD, lr=0.1)


def test_two_steps_by_hand(by_hand):
    table, optimizer = by_hand
    step_with(table, optimizer, [0, 1], 1.0)
    expected = torch.tensor([-0.1, -0.1, 0.0, 0.0], dtype=torch.float64)
    torch.testing.assert_close(table.detach()[:, 0], expected, rtol=0, atol=1e-7)
    resting = table[0].item()
    step_with(table, optimizer, [1, 2], -2.0)
    # Row 1: v = 0.999 * 0.001 + 0.001 * 4 = 0.004999, divided by 1 - 0.999² = 0.001999.
    moved = 0.1 * 2 / (0.004999 / 0.001999) ** 0.5
    assert table[1].item() == pytest.approx(-0.1 + moved, abs=1e-7)
    # Row 2: v = 0.001 * 4, with the same divisor.
    moved = 0.1 * 2 / (0.004 / 0.001999) ** 0.5
    assert table[2].item() == pytest.approx(moved, abs=1e-7)
    # Momentum would have moved row 0 on.
    assert table[0].item() == resting
    assert table[3].item() == 0


def test_a_row_that_is_read_twice_adds_its_gradients(by_hand):
    table, optimizer = by_hand
    step_with(table, optimizer, [1, 1, 2], 1.0)
    averages = optimizer.state[table]["exp_avg"][:, 0].tolist()
    assert averages == pytest.approx([0.0, 2.0, 1.0, 0.0])


def test_reads_from_two_places_add_their_gradients(by_hand):
    table, optimizer = by_hand
    codes = torch.tensor([1, 2], dtype=torch.int32)
    reads = [F.embedding(codes[:n], table, sparse=True).sum() for n in (1, 2)]
    sum(reads).backward()
    optimizer.step()
    averages = optimizer.state[table]["exp_avg"][:, 0].tolist()
    assert averages == pytest.approx([0.0, 2.0, 1.0, 0.0])


def test_a_row_that_is_rarely_read_goes_as_far_as_adam_takes_it():
    ends = []
    for sparse in (True, False):
        table = nn.Parameter(torch.zeros(2, 1))
        groups = [{"params": [table], "sparse": True}, {"params": [torch.zeros(1)]}]
        optimizer = torch.optim.Adam([table], lr=0.01)
        if sparse:
            optimizer = DenseAndSparse(groups, dense=torch.optim.Adam, lr=0.01)
        for step in range(1200):
            # Row 1 is read in one step of many; Adam spreads its move over the next.
            codes = torch.tensor([0, 1] if step == 1000 else [0])
            optimizer.zero_grad()
            F.embedding(codes, table, sparse=sparse).sum().backward()
            optimizer.step()
        ends.append(table[1].item())
    assert ends[0] == pytest.approx(ends[1], rel=0.02)


def test_rows_that_are_not_read_stay_bit_by_bit():
    network = Network()
    before = network.large.detach().clone()
    train(network, make(network, weight_decay=0.5), 20)
    changed = (network.large != before).any(1)
    read = [0, 1, 2, 3, 4, 5, 6, *range(8, 13)]
    assert changed.nonzero().flatten().tolist() == read


def test_a_table_without_a_gradient_is_left_alone():
    network = Network()
    before = network.large.detach().clone()
    optimizer = make(network)
    network.head(network.small).sum().backward()
    optimizer.step()
    assert torch.equal(network.large, before)
    assert network.large not in optimizer.state


def test_a_step_makes_no_tensor_of_the_size_of_the_table():
    network = Network(n_rows=100_000)
    optimizer = make(network)
    # The first step makes the averages, which are as large as the table.
    with LargestTensor() as first:
        train(network, optimizer, 1)
    assert first.n_bytes == network.large.nbytes
    with LargestTensor() as later:
        train(network, optimizer, 2, start=1)
    assert later.n_bytes < 1000


def test_both_parts_do_what_they_do_alone():
    together, apart = Network(), Network()
    optimizer = make(together, weight_decay=0.1, fused=True)
    train(together, optimizer, 9)
    others = [apart.small, *apart.head.parameters()]
    parts = [
        torch.optim.AdamW(others, lr=0.05, weight_decay=0.1, fused=True),
        torch.optim.SparseAdam([apart.large], lr=0.05, betas=(0.0, 0.999)),
    ]

    class Parts:
        def zero_grad(self):
            for part in parts:
                part.zero_grad()

        def step(self):
            for part in parts:
                part.step()

    train(apart, Parts(), 9)
    assert_equal_networks(together, apart)


@pytest.mark.parametrize("dense", [*OPTIMIZERS.values(), torch.optim.Adamax])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_every_optimizer_moves_every_parameter(dense, dtype):
    network = Network(dtype=dtype)
    before = copy.deepcopy(network)
    train(network, make(network, dense), 3)
    for new, old in zip(network.parameters(), before.parameters(), strict=True):
        assert new.dtype == dtype
        assert (new - old).abs().max() > 1e-4


def through_state_dict(network, optimizer):
    other = copy.deepcopy(network)
    loaded = make(other, type(optimizer.dense), lr=9.0)
    file = io.BytesIO()
    torch.save(optimizer.state_dict(), file)
    file.seek(0)
    loaded.load_state_dict(torch.load(file, weights_only=True))
    return other, loaded


def pickled(value):
    return pickle.loads(pickle.dumps(value))


def through_pickle(network, optimizer):
    return pickled((network, optimizer))


def through_copy(network, optimizer):
    return copy.deepcopy((network, optimizer))


@pytest.mark.parametrize("dense", [*OPTIMIZERS.values()])
@pytest.mark.parametrize("n_before", [0, 5])
@pytest.mark.parametrize("way", [through_state_dict, through_pickle, through_copy])
def test_training_goes_on_bit_by_bit_after(way, n_before, dense):
    network = Network()
    optimizer = make(network, dense, weight_decay=0.1)
    train(network, optimizer, n_before)
    other, moved = way(network, optimizer)
    before = [parameter.detach().clone() for parameter in network.parameters()]
    train(other, moved, 4, start=n_before)
    assert all(map(torch.equal, network.parameters(), before))
    train(network, optimizer, 4, start=n_before)
    assert_equal_networks(network, other)
    # Both parts still work on the groups and the state of the whole.
    for group, part in zip(
        moved.param_groups,
        moved.dense.param_groups + moved.sparse.param_groups,
        strict=True,
    ):
        assert group is part
        assert group["lr"] == 0.05
    assert moved.dense.state is moved.sparse.state is moved.state
    assert other.large in moved.state


def test_groups_are_those_of_the_parts():
    network = Network()
    optimizer = make(network, weight_decay=0.1)
    dense, sparse = optimizer.param_groups
    assert dense is optimizer.dense.param_groups[0]
    assert sparse is optimizer.sparse.param_groups[0]
    assert dense["params"] == [network.small, *network.head.parameters()]
    assert sparse["params"] == [network.large]
    assert dense["weight_decay"] == 0.1
    assert "weight_decay" not in sparse


def test_what_an_optimizer_begins_with_is_kept():
    network = Network()
    optimizer = make(network, torch.optim.Adagrad, initial_accumulator_value=3.0)
    assert optimizer.state[network.head.bias]["sum"].item() == 3


def rate_of_both(optimizer):
    """The learning rate of the dense and of the sparse part, which is the same."""
    parts = optimizer.dense, optimizer.sparse
    (rate,) = {group["lr"] for part in parts for group in part.param_groups}
    return rate


def test_schedules_act_on_both_parts():
    optimizer = make(Network())
    before = rate_of_both(optimizer)
    step = make_schedule("plateau", optimizer, maximise=False)
    for score in (1.0, 2.0):
        optimizer.step()
        step(score)
    assert rate_of_both(optimizer) == before / 2


def test_shares_of_a_step_act_on_both_parts():
    optimizer, seen = make(Network()), []
    before = rate_of_both(optimizer)
    StepRates(optimizer, make_share("linear", n_steps=4, n_warmup=0))
    optimizer.register_step_pre_hook(lambda *_: seen.append(rate_of_both(optimizer)))
    for _ in range(4):
        optimizer.step()
    np.testing.assert_allclose(seen, before * np.array([1, 0.75, 0.5, 0.25]))
    assert rate_of_both(optimizer) == before


def test_a_schedule_with_momentum():
    network = Network()
    optimizer = make(network)
    schedule = lr_scheduler.OneCycleLR(optimizer, max_lr=0.1, total_steps=4)
    for step in range(3):
        train(network, optimizer, 1, start=step)
        schedule.step()
    dense, sparse = optimizer.param_groups
    assert dense["lr"] == sparse["lr"] < 1e-5
    assert dense["betas"] == (0.95, 0.999)


def test_no_gradient_is_left_behind():
    network = Network()
    optimizer = make(network)
    train(network, optimizer, 1)
    optimizer.zero_grad()
    assert all(parameter.grad is None for parameter in network.parameters())


def test_a_closure_is_called_once():
    network = Network()
    optimizer, losses = make(network), []

    def closure():
        optimizer.zero_grad()
        losses.append(network(torch.tensor([1, 2])).sum())
        losses[-1].backward()
        return losses[-1]

    before = network.large.detach().clone()
    assert optimizer.step(closure) is losses[0]
    assert len(losses) == 1
    assert not torch.equal(network.large, before)


def skorch_net(optimizer="adamw", names=("large",), weight_decay=0.1):
    options = optimizer_options(
        optimizer, weight_decay=weight_decay, sparse_names=names
    )
    net = _MultiTaskNet(module=Network(), criterion=nn.Identity, lr=0.05, **options)
    return net.initialize()


@pytest.mark.parametrize("optimizer", [*OPTIMIZERS, torch.optim.Adamax])
def test_skorch_hands_over_the_named_tables(optimizer):
    net = skorch_net(optimizer)
    dense, sparse = net.optimizer_.param_groups
    assert type(net.optimizer_.dense) is OPTIMIZERS.get(optimizer, optimizer)
    assert sparse["params"] == [net.module_.large]
    assert dense["params"] == [net.module_.small, *net.module_.head.parameters()]
    assert dense["lr"] == sparse["lr"] == 0.05
    assert dense["weight_decay"] == 0.1


def test_the_parts_keep_the_fused_kernel():
    assert skorch_net().optimizer_.param_groups[0]["fused"]


@pytest.mark.parametrize("way", [copy.deepcopy, pickled])
def test_a_net_of_skorch_resumes_after(way):
    net = skorch_net()
    train(net.module_, net.optimizer_, 5)
    other = way(net)
    other.resume(batch_size=8, lr=0.3, weight_decay=0.2)
    dense, sparse = other.optimizer_.dense, other.optimizer_.sparse
    assert dense.param_groups[0]["lr"] == sparse.param_groups[0]["lr"] == 0.3
    assert dense.param_groups[0]["weight_decay"] == 0.2
    assert "weight_decay" not in sparse.param_groups[0]
    net.resume(batch_size=8, lr=0.3, weight_decay=0.2)
    for each in (net, other):
        train(each.module_, each.optimizer_, 3, start=5)
    assert_equal_networks(net.module_, other.module_)


def test_an_optimizer_that_computes_the_loss_again_is_refused():
    with pytest.raises(ValueError) as caught:
        optimizer_options(torch.optim.LBFGS, weight_decay=0, sparse_names=["large"])
    assert str(caught.value) == (
        "optimizer must compute the loss once per step where tables have sparse "
        "gradients; found LBFGS, which computes it as often as it needs. Set "
        "sparse_embedding=False, or take another optimizer."
    )
    assert optimizer_options(torch.optim.LBFGS, weight_decay=0)


def test_weight_decay_of_a_class_without_it_is_refused_as_ever():
    with pytest.raises(ValueError, match="must be 0 for Rprop"):
        optimizer_options(torch.optim.Rprop, weight_decay=0.1, sparse_names=["large"])


def test_without_sparse_tables_nothing_is_added():
    assert optimizer_options("sgd", weight_decay=0.1, sparse_names=[]) == {
        "optimizer": torch.optim.SGD,
        "optimizer__weight_decay": 0.1,
    }


def test_a_marked_table_with_a_dense_gradient_is_an_error():
    network = Network()
    optimizer = make(network)
    network.large.sum().backward()
    with pytest.raises(RuntimeError, match="does not support dense gradients"):
        optimizer.step()


@pytest.fixture(scope="module")
def tables():
    X, y = mixed_table()
    return {"X": X[:160], "y": y[:160], "X_val": X[160:], "y_val": y[160:]}


def fit(tables, **options):
    # A rate that falls towards `max_epochs` would tell a shorter training from a part.
    options = {**QUICK, "lr_schedule": None, "sparse_embedding": True, **options}
    return MMOEClassifier(**options).fit(**tables)


def the_table(model):
    (name,) = model.net_.module_.sparse_parameter_names()
    return model.net_.module_.get_parameter(name)


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_an_estimator_trains_every_row_that_it_reads(tables, precision):
    options = {"precision": precision, "early_stopping": False, "unknown_rate": 0.2}
    start = fit(tables, lr=1e-30, weight_decay=0.0, **options)
    model = fit(tables, **options)
    assert isinstance(model.net_.optimizer_, DenseAndSparse)
    moved = (the_table(model) - the_table(start)).abs().amax(1)
    # Two columns of three and two categories, and an unknown row each.
    assert moved.shape == (7,)
    assert moved.min() > 1e-4


def test_an_estimator_keeps_the_best_epoch_of_its_tables(tables):
    options = {"lr": 0.05, "n_iter_no_change": 5}
    model = fit(tables, max_epochs=40, early_stopping=True, **options)
    assert model.best_epoch_ < model.n_iter_ < 40
    best = fit(tables, max_epochs=model.best_epoch_, early_stopping=False, **options)
    assert torch.equal(the_table(model), the_table(best))
    X, y = tables["X_val"], tables["y_val"].to_numpy()
    proba = model.predict_proba(X)
    assert_equal_proba(proba, best.predict_proba(X))
    found = np.mean([log_loss(y[:, k], proba[k][:, 1]) for k in (0, 1)])
    assert found == pytest.approx(model.history_["valid_loss"].min(), abs=1e-5)


@pytest.mark.parametrize("step", ["fit", "partial_fit"])
@pytest.mark.parametrize("way", [copy.deepcopy, pickled])
def test_an_estimator_goes_on_after(tables, way, step):
    model = fit(tables, warm_start=True)
    other = way(model)
    X, y = tables["X"], tables["y"]
    assert_equal_proba(model.predict_proba(X), other.predict_proba(X))
    before = model.predict_proba(X)
    for each in (model, other):
        getattr(each, step)(X, y)
    assert_equal_proba(model.predict_proba(X), other.predict_proba(X))
    assert np.abs(model.predict_proba(X)[0] - before[0]).max() > 1e-3


def test_an_estimator_hands_its_optimizer_on(tables):
    model = fit(tables, optimizer="sgd", lr=0.3, weight_decay=0.2)
    dense, sparse = model.net_.optimizer_.param_groups
    assert type(model.net_.optimizer_.dense) is torch.optim.SGD
    assert dense["lr"] == sparse["lr"] == 0.3
    assert dense["weight_decay"] == 0.2


def test_an_estimator_with_small_tables_trains_them_densely(tables):
    model = fit(tables, sparse_embedding="auto")
    assert type(model.net_.optimizer_) is torch.optim.AdamW

import pytest
import torch

from sk_mtl.nn import TaskMLPs, Towers
from tests.nn._asserts import (
    assert_close,
    assert_every_parameter_learns,
    operations,
    set_values,
)

UNEQUAL = [(6,), (), (6, 5), (6,), (), (6,)]
WIDTHS = [3, 1, 1, 1, 4, 3]


def _reference(towers, hidden, sizes, out_widths):
    """Loop over tasks, taking each task's weights out of the groups by counting."""
    seen = list(dict.fromkeys(sizes))
    blocks = []
    for k, size in enumerate(sizes):
        group = towers.groups[seen.index(size)]
        tasks = [j for j, other in enumerate(sizes) if other == size]
        tasks.sort(key=lambda j: out_widths[j])
        place = tasks.index(k)
        x = hidden[:, k]
        for layer in list(group.hidden.layers)[::2]:
            x = torch.tanh(x @ layer.weight[place] + layer.bias[place])
        widths = sorted({out_widths[j] for j in tasks})
        head = group.heads[widths.index(out_widths[k])]
        place = [j for j in tasks if out_widths[j] == out_widths[k]].index(k)
        blocks.append(x @ head.weight[place] + head.bias[place])
    return torch.cat(blocks, 1)


def test_two_towers_by_hand(put):
    towers = put(Towers(1, [(2,), (2,)], [1, 1]))
    group = towers.groups[0]
    set_values(group.hidden.layers[0].weight, [[[1.0, -1.0]], [[2.0, 1.0]]])
    set_values(group.hidden.layers[0].bias, [[[0.0, 0.0]], [[0.0, -5.0]]])
    set_values(group.heads[0].weight, [[[1.0], [10.0]], [[3.0], [7.0]]])
    set_values(group.heads[0].bias, [[[0.5]], [[-0.5]]])
    hidden = put(torch.tensor([[[2.0], [1.0]], [[-2.0], [-1.0]]]))
    assert_close(towers(hidden), [[2.5, 5.5], [20.5, -0.5]])


@pytest.mark.parametrize(
    ("sizes", "out_widths"),
    [
        ([(6, 5)] * 3, [1, 1, 1]),
        ([(6,)] * 3, [3, 1, 3]),
        ([(6,), (5,)], [1, 1]),
        ([()] * 2, [1, 2]),
        (UNEQUAL, WIDTHS),
    ],
)
def test_it_is_the_loop_over_tasks(sizes, out_widths, put):
    towers = put(Towers(4, sizes, out_widths, activation="tanh"))
    hidden = put(torch.randn(8, len(sizes), 4))
    logits = towers(hidden)
    assert logits.shape == (8, sum(out_widths))
    assert_close(logits, _reference(towers, hidden, sizes, out_widths))


def test_each_task_reads_its_own_input_only_and_keeps_its_place(put):
    towers = put(Towers(4, UNEQUAL, WIDTHS, activation="tanh"))
    hidden = put(torch.randn(8, len(UNEQUAL), 4))
    before = towers(hidden).split(WIDTHS, 1)
    for k in range(len(UNEQUAL)):
        changed = hidden.clone()
        changed[:, k] += 1
        after = towers(changed).split(WIDTHS, 1)
        differ = [not torch.allclose(a, b) for a, b in zip(after, before)]
        assert differ == [j == k for j in range(len(UNEQUAL))]


def test_unequal_sizes_give_unequal_towers():
    towers = Towers(4, [(7,), (5, 3)], [1, 1])
    shapes = {name: tuple(p.shape) for name, p in towers.named_parameters()}
    assert shapes["groups.0.hidden.layers.0.weight"] == (1, 4, 7)
    assert shapes["groups.1.hidden.layers.0.weight"] == (1, 4, 5)
    assert shapes["groups.1.hidden.layers.2.weight"] == (1, 5, 3)
    assert shapes["groups.1.heads.0.weight"] == (1, 3, 1)


def test_towers_of_equal_hidden_sizes_share_the_products_of_hidden_layers():
    towers = Towers(4, [(6,), (5,), [6]], [1, 1, 3])
    assert [group.hidden.layers[0].weight.shape[0] for group in towers.groups] == [2, 1]


def test_a_tower_with_a_hidden_layer_is_not_linear(put):
    towers = put(Towers(4, [(16,)], [1]))
    x = put(torch.randn(8, 1, 4))
    zero = towers(torch.zeros_like(x))
    assert not torch.allclose(towers(x) - zero, zero - towers(-x), atol=1e-3)


def test_no_hidden_sizes_give_a_linear_head(put):
    towers = put(Towers(4, [()], [1]))
    x = put(torch.randn(8, 1, 4))
    zero = towers(torch.zeros_like(x))
    assert_close(towers(x) - zero, zero - towers(-x))


@pytest.mark.parametrize("batch_norm", [False, True])
def test_a_gradient_reaches_every_parameter(batch_norm, put):
    towers = put(Towers(4, UNEQUAL, WIDTHS, activation="silu", batch_norm=batch_norm))
    assert_every_parameter_learns(towers, towers(put(torch.randn(16, 6, 4))))


def test_operations_do_not_grow_with_tasks(put):
    few, many = (
        operations(
            put(Towers(4, [(6, 5)] * n_tasks, [1] * n_tasks)),
            put(torch.randn(8, n_tasks, 4)),
        )
        for n_tasks in (2, 30)
    )
    assert few == many


def test_one_group_neither_reorders_nor_joins_nor_splits(put):
    towers = put(Towers(4, [(6,)] * 3, [1] * 3))
    names = set(operations(towers, put(torch.randn(8, 3, 4))))
    assert names.isdisjoint({"index_select", "cat", "split", "split_with_sizes"})
    assert "clone" not in names


def test_dropout_is_there_in_training_only(put):
    towers, hidden = put(Towers(4, [(50,)], [1], dropout=0.5)), put(torch.ones(8, 1, 4))
    assert len(torch.unique(towers(hidden))) > 1
    assert towers.eval()(hidden).detach().std().item() == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("n_rows", [0, 1])
def test_no_row_and_one_row(n_rows, put):
    towers = put(Towers(4, UNEQUAL, WIDTHS, batch_norm=True))
    assert towers(put(torch.randn(n_rows, 6, 4))).shape == (n_rows, 13)


def test_one_entry_per_task_is_required():
    with pytest.raises(ValueError, match="one entry per task; found 2 and 3 entries"):
        Towers(4, [(6,), (6,)], [1, 1, 1])


def _mlp_reference(mlps, hidden, sizes):
    """Loop over tasks; each task's weights are found by counting equal sizes."""
    seen = list(dict.fromkeys(sizes))
    rows = []
    for k, size in enumerate(sizes):
        place = sizes[:k].count(size)
        x = hidden[:, k]
        for layer in list(mlps.groups[seen.index(size)].layers)[::2]:
            x = torch.tanh(x @ layer.weight[place] + layer.bias[place])
        rows.append(x)
    return torch.stack(rows)


@pytest.mark.parametrize(
    "sizes",
    [
        [(6, 5)] * 3,
        [(5,), (6, 5), (5,), (7, 5), (6, 5)],
        [(4,), (), (4,), (3, 4)],
        [()] * 2,
    ],
)
def test_hidden_layers_are_the_loop_over_tasks(sizes, put):
    mlps = put(TaskMLPs(4, sizes, activation="tanh"))
    hidden = put(torch.randn(8, len(sizes), 4))
    rows = mlps(hidden)
    assert rows.shape == (len(sizes), 8, mlps.out_width)
    assert_close(rows, _mlp_reference(mlps, hidden, sizes))


def test_hidden_layers_before_linear_heads_are_towers(put):
    towers = put(Towers(4, [(6, 5)] * 3, [1] * 3, activation="tanh"))
    mlps = put(TaskMLPs(4, [(6, 5)] * 3, activation="tanh"))
    mlps.groups[0].load_state_dict(towers.groups[0].hidden.state_dict())
    hidden = put(torch.randn(8, 3, 4))
    assert_close(towers.groups[0].heads[0](mlps(hidden)), towers(hidden))


@pytest.mark.parametrize("batch_norm", [False, True])
def test_a_gradient_reaches_every_hidden_layer(batch_norm, put):
    sizes = [(5,), (6, 5), (5,)]
    mlps = put(TaskMLPs(4, sizes, activation="silu", batch_norm=batch_norm))
    assert_every_parameter_learns(mlps, mlps(put(torch.randn(16, 3, 4))))


def test_operations_of_hidden_layers_do_not_grow_with_tasks(put):
    few, many = (
        operations(put(TaskMLPs(4, [(6, 5)] * n)), put(torch.randn(8, n, 4)))
        for n in (2, 30)
    )
    assert few == many
    assert set(few).isdisjoint({"index_select", "cat", "clone", "split_with_sizes"})


def test_hidden_layers_drop_units_in_training_only(put):
    mlps, hidden = put(TaskMLPs(4, [(50,)], dropout=0.5)), put(torch.ones(8, 1, 4))
    assert not torch.equal(mlps(hidden), mlps(hidden))
    mlps.eval()
    assert torch.equal(mlps(hidden), mlps(hidden))


@pytest.mark.parametrize("n_rows", [0, 1])
def test_hidden_layers_of_no_row_and_one_row(n_rows, put):
    mlps = put(TaskMLPs(4, [(5,), (6, 5)], batch_norm=True))
    assert mlps(put(torch.randn(n_rows, 2, 4))).shape == (2, n_rows, 5)


def test_hidden_layers_must_end_in_the_same_width():
    with pytest.raises(ValueError, match=r"same width .* last widths \[8, 4, 5\]"):
        TaskMLPs(5, [(6, 8), (8, 4), ()])

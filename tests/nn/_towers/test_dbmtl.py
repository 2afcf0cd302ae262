import pytest
import torch

from sk_mtl.nn import RelationTowers, Towers
from tests.nn._asserts import (
    assert_close,
    assert_every_parameter_learns,
    assert_members_are_networks_of_their_own,
    assert_stage_exports,
    operations,
    set_values,
)

# A chain; a tree; all before; two kinds of one depth; parents that stand behind.
RELATIONS = [
    [(), (0,), (1,)],
    [(), (0,), (0,), (0,)],
    [(), (0,), (0, 1), (2, 0, 1)],
    [(), (), (0,), (0, 1), (1,), (3, 0)],
    [(2,), (), (1,), (0, 2)],
]
UNEQUAL = [(5,), (6, 5), (5,), (5,)]


def _reference(towers, hidden, relations, out_widths):
    """Go from parents to children with plain products and copied weights."""
    own = towers.hidden(hidden)
    n_tasks = len(relations)

    def depth(k):
        return 1 + max((depth(j) for j in relations[k]), default=-1)

    kinds = [(depth(k), len(relations[k])) for k in range(n_tasks)]
    rows = {}
    for k in sorted(range(n_tasks), key=depth):
        group = towers.groups[sorted(set(kinds)).index(kinds[k])]
        place = kinds[:k].count(kinds[k])
        row = torch.cat([own[k], *(rows[j] for j in relations[k])], 1)
        for layer in list(group.relation.layers)[::2]:
            row = torch.tanh(row @ layer.weight[place] + layer.bias[place])
        rows[k] = row
    heads, logits = towers.heads.groups[0].heads, []
    for k, width in enumerate(out_widths):
        head = heads[sorted(set(out_widths)).index(width)]
        place = out_widths[:k].count(width)
        logits.append(rows[k] @ head.weight[place] + head.bias[place])
    return torch.cat(logits, 1)


def test_a_click_and_a_purchase_by_hand(put):
    """Towers give 1 and 2; the click's row is 3 * 1, the purchase's 2 + 10 * 3."""
    towers = put(
        RelationTowers(1, [(1,)] * 2, [1, 1], [(), (0,)], relation_hidden_sizes=(1,))
    )
    set_values(towers.hidden.groups[0].layers[0].weight, [[[1.0]], [[2.0]]])
    set_values(towers.hidden.groups[0].layers[0].bias, [[[0.0]], [[0.0]]])
    for group, weight in zip(towers.groups, ([[[3.0]]], [[[1.0], [10.0]]])):
        set_values(group.relation.layers[0].weight, weight)
        set_values(group.relation.layers[0].bias, [[[0.0]]])
    heads = towers.heads.groups[0].heads[0]
    set_values(heads.weight, [[[1.0]], [[0.5]]])
    set_values(heads.bias, [[[0.25]], [[0.0]]])
    assert_close(towers(put(torch.ones(1, 2, 1))), [[3.25, 16.0]])


@pytest.mark.parametrize("relations", RELATIONS)
@pytest.mark.parametrize("relation_sizes", [(7,), (6, 7)])
def test_it_is_the_walk_through_the_graph(relations, relation_sizes, put):
    n_tasks, widths = len(relations), [1, 3, 1, 1, 3, 1][: len(relations)]
    sizes = [(5,), (6, 5), (5,), (5,), (5,), (6, 5)][:n_tasks]
    towers = put(
        RelationTowers(
            4,
            sizes,
            widths,
            relations,
            relation_hidden_sizes=relation_sizes,
            activation="tanh",
        )
    )
    hidden = put(torch.randn(8, n_tasks, 4))
    assert_close(towers(hidden), _reference(towers, hidden, relations, widths))


@pytest.mark.parametrize("relations", RELATIONS)
def test_a_task_reads_itself_and_its_ancestors_only(relations, put):
    n_tasks = len(relations)
    towers = put(
        RelationTowers(4, [(5,)] * n_tasks, [1] * n_tasks, relations, activation="tanh")
    )

    def ancestors(k):
        return {k}.union(*(ancestors(j) for j in relations[k]))

    hidden = put(torch.randn(8, n_tasks, 4))
    before = towers(hidden)
    for k in range(n_tasks):
        changed = hidden.clone()
        changed[:, k] += 1
        differ = (towers(changed) - before).abs().amax(0) > 1e-6
        assert differ.tolist() == [k in ancestors(j) for j in range(n_tasks)]


def test_without_relations_it_is_towers_with_a_layer_more(put):
    towers = put(RelationTowers(4, [(6,)] * 3, [1] * 3, [()] * 3))
    plain = put(Towers(4, [(6, 32)] * 3, [1] * 3))
    (group,) = towers.groups
    for old, new in (
        (towers.hidden.groups[0].layers[0], plain.groups[0].hidden.layers[0]),
        (group.relation.layers[0], plain.groups[0].hidden.layers[2]),
        (towers.heads.groups[0].heads[0], plain.groups[0].heads[0]),
    ):
        new.load_state_dict(old.state_dict())
    hidden = put(torch.randn(8, 3, 4))
    assert_close(towers(hidden), plain(hidden))


@pytest.mark.parametrize("batch_norm", [False, True])
@pytest.mark.parametrize("relations", [r for r in RELATIONS if len(r) == 4])
def test_a_gradient_reaches_every_parameter(relations, batch_norm, put):
    towers = RelationTowers(
        4,
        UNEQUAL,
        [1, 3, 1, 1],
        relations,
        activation="silu",
        batch_norm=batch_norm,
    )
    towers = put(towers)
    assert_every_parameter_learns(towers, towers(put(torch.randn(16, 4, 4))))


def test_operations_do_not_grow_with_tasks_of_one_depth(put):
    few, many = (
        operations(
            put(RelationTowers(4, [(6,)] * n, [1] * n, [(), *([(0,)] * (n - 1))])),
            put(torch.randn(8, n, 4)),
        )
        for n in (3, 30)
    )
    assert few == many


def test_sorted_tasks_are_not_moved(put):
    towers = put(RelationTowers(4, [(6,)] * 3, [1] * 3, [(), (0,), (0,)]))
    # What is left is the choice of the parents.
    assert operations(towers, put(torch.randn(8, 3, 4)))["index_select"] == 1


def test_dropout_acts_in_training_only(put):
    towers = put(RelationTowers(4, [(50,)] * 2, [1, 1], [(), (0,)], dropout=0.5))
    hidden = put(torch.randn(8, 2, 4))
    assert not torch.equal(towers(hidden), towers(hidden))
    towers.eval()
    assert torch.equal(towers(hidden), towers(hidden))


@pytest.mark.parametrize("n_rows", [0, 1])
def test_no_row_and_one_row(n_rows, put):
    for relations in RELATIONS:
        n_tasks = len(relations)
        towers = put(
            RelationTowers(
                4, [(5,)] * n_tasks, [2] * n_tasks, relations, batch_norm=True
            )
        )
        hidden = put(torch.randn(n_rows, n_tasks, 4))
        assert towers(hidden).shape == (n_rows, 2 * n_tasks)


@pytest.mark.parametrize("sharing", ["most", "none"])
def test_members_of_an_ensemble_are_networks_of_their_own(sharing):
    def make():
        return RelationTowers(
            4, UNEQUAL, [1, 3, 1, 1], [(2,), (), (1,), (0, 2)], batch_norm=True
        )

    assert_members_are_networks_of_their_own(make, 4, 4, sharing)


def test_it_can_be_exported():
    towers = RelationTowers(4, UNEQUAL, [1, 3, 1, 1], [(2,), (), (1,), (0, 2)])
    assert_stage_exports(towers, 4, 4)


@pytest.mark.parametrize(
    ("relations", "circle"),
    [
        ([(0,)], [0, 0]),
        ([(), (0, 2), (3,), (1,)], [1, 2, 3, 1]),
        ([(1,), (2,), (1,)], [1, 2, 1]),
    ],
)
def test_a_circle_is_named(relations, circle):
    n_tasks = len(relations)
    named = " -> ".join(map(str, circle))
    with pytest.raises(ValueError, match=rf"back to itself; found {named}\. Drop"):
        RelationTowers(4, [(5,)] * n_tasks, [1] * n_tasks, relations)


@pytest.mark.parametrize("parents", [(2,), (-1,), (0, 0)])
def test_an_unknown_task_is_named(parents):
    with pytest.raises(ValueError, match=r"0 to 1, each .*; found \(.*\) for task 1\."):
        RelationTowers(4, [(5,)] * 2, [1, 1], [(), parents])


def test_every_task_needs_its_relations():
    with pytest.raises(ValueError, match="each of the 2 tasks; found 1"):
        RelationTowers(4, [(5,)] * 2, [1, 1], [()])


def test_a_relation_needs_a_layer():
    with pytest.raises(ValueError, match=r"relation_hidden_sizes must hold .*\(\)"):
        RelationTowers(4, [(5,)] * 2, [1, 1], [(), (0,)], relation_hidden_sizes=())


def test_towers_must_end_in_the_same_width():
    with pytest.raises(ValueError, match=r"same width .* last widths \[8, 4\]"):
        RelationTowers(5, [(6, 8), (4,)], [1, 1], [(), (0,)])

import math

import pytest
import torch

from sk_mtl.nn import Encoded, SharedBottom, Towers, TransferTowers
from tests.nn._asserts import (
    assert_close,
    assert_every_parameter_learns,
    assert_members_are_networks_of_their_own,
    assert_stage_exports,
    operations,
    set_values,
)

UNEQUAL = [(5,), (6, 5), (5,)]


def _reference(towers, hidden, activation):
    """Loop over steps with plain matrix products and copied weights."""
    rows = towers.hidden(hidden)
    z, passed, shares = rows[0], [rows[0]], []
    for transfer, q in zip(towers.transfers, rows[1:]):
        layer = transfer.information.layers[0]
        p = activation(z @ layer.weight[0] + layer.bias[0])
        h1, h2, h3 = transfer.projections.weight.chunk(3, 0)
        scores = torch.stack(
            [((u @ h2.T) * (u @ h3.T)).sum(1) / math.sqrt(u.shape[1]) for u in (p, q)]
        )
        share = scores[0].exp() / scores.exp().sum(0)
        z = share[:, None] * (p @ h1.T) + (1 - share[:, None]) * (q @ h1.T)
        passed.append(z)
        shares.append(share)
    heads = towers.heads.groups[0].heads[0]
    logits = [z @ heads.weight[k] + heads.bias[k] for k, z in enumerate(passed)]
    return torch.cat(logits, 1), torch.stack(shares, 1)


def test_two_steps_of_one_unit_by_hand(put):
    """The tower's row is 1 at the click and 2 at the purchase.

    What the click offers is relu(3 * 1) = 3. The scores are 2 * u * u, so 18 and 8
    before they are shrunk by ln(3) / 10: the odds are 3 to 1. Values are 4 u, so that
    the mixture is 3/4 * 12 + 1/4 * 8 = 11.
    """
    towers = put(TransferTowers(1, [(1,), (1,)], [1, 1]))
    set_values(towers.hidden.groups[0].layers[0].weight, [[[1.0]], [[2.0]]])
    set_values(towers.hidden.groups[0].layers[0].bias, [[[0.0]], [[0.0]]])
    (transfer,) = towers.transfers
    set_values(transfer.information.layers[0].weight, [[[3.0]]])
    set_values(transfer.information.layers[0].bias, [[[0.0]]])
    set_values(transfer.projections.weight, [[4.0], [2.0], [math.log(3) / 10]])
    heads = towers.heads.groups[0].heads[0]
    set_values(heads.weight, [[[5.0]], [[0.5]]])
    set_values(heads.bias, [[[0.0]], [[1.0]]])
    hidden = put(torch.ones(1, 2, 1))
    assert_close(towers.transfer_weights(hidden), [[0.75]])
    assert_close(towers(hidden), [[5.0, 6.5]])


@pytest.mark.parametrize("sizes", [[(6, 5)] * 2, UNEQUAL, [(5,)] * 4])
def test_it_is_the_loop_over_steps(sizes, put):
    towers = put(TransferTowers(4, sizes, [1] * len(sizes), activation="tanh"))
    hidden = put(torch.randn(8, len(sizes), 4))
    logits, shares = _reference(towers, hidden, torch.tanh)
    assert_close(towers(hidden), logits)
    assert_close(towers.transfer_weights(hidden), shares)


def test_without_transfer_it_is_the_towers_of_a_shared_bottom(put):
    bottom = put(SharedBottom(3, 4, bottom_hidden_sizes=(7,)))
    plain = put(Towers(7, [(6, 5)] * 4, [1, 3, 1, 1]))
    off = put(TransferTowers(7, [(6, 5)] * 4, [1, 3, 1, 1], transfer=False))
    # `Towers` has ordered its towers by the widths of their heads.
    order = [0, 2, 3, 1]
    hidden = dict(off.hidden.groups[0].named_parameters())
    for name, value in plain.groups[0].hidden.named_parameters():
        hidden[name].data[order] = value.data
    off.heads.groups[0].heads.load_state_dict(plain.groups[0].heads.state_dict())
    rows = bottom(Encoded(put(torch.randn(8, 3))))
    assert_close(off(rows), plain(rows))
    assert off.transfer_weights(rows).shape == (8, 0)


def test_with_no_attention_to_what_is_offered_it_is_towers(put):
    """A row before of zeros has score 0, beside which a large one leaves nothing."""
    towers = put(TransferTowers(4, [(5,)] * 3, [1] * 3, activation="tanh"))
    for transfer in towers.transfers:
        for parameter in transfer.information.parameters():
            parameter.data.zero_()
        eye = torch.eye(5)
        set_values(transfer.projections.weight, torch.cat([eye, 1e4 * eye, eye]))
    plain = put(Towers(4, [(5,)] * 3, [1] * 3, activation="tanh"))
    plain.groups[0].hidden.load_state_dict(towers.hidden.groups[0].state_dict())
    plain.groups[0].heads.load_state_dict(towers.heads.groups[0].heads.state_dict())
    hidden = put(torch.randn(8, 3, 4))
    assert_close(towers.transfer_weights(hidden), torch.zeros(8, 2))
    assert_close(towers(hidden), plain(hidden))


def test_a_step_reads_the_steps_before_it_and_none_after(put):
    towers = put(TransferTowers(4, [(5,)] * 3, [1] * 3, activation="tanh"))
    hidden = put(torch.randn(8, 3, 4))
    before = towers(hidden)
    for k in range(3):
        changed = hidden.clone()
        changed[:, k] += 1
        differ = (towers(changed) - before).abs().amax(0) > 1e-6
        assert differ.tolist() == [j >= k for j in range(3)]


def test_the_labels_of_a_step_teach_the_towers_of_the_steps_before(put):
    towers = put(TransferTowers(4, [(5,)] * 3, [1] * 3, activation="tanh"))
    towers(put(torch.randn(8, 3, 4)))[:, 2].sum().backward()
    taught = towers.hidden.groups[0].layers[0].weight.grad.abs().amax((1, 2))
    assert bool((taught > 0).all())


@pytest.mark.parametrize("batch_norm", [False, True])
def test_a_gradient_reaches_every_parameter(batch_norm, put):
    options = {"activation": "silu", "batch_norm": batch_norm}
    towers = put(TransferTowers(4, UNEQUAL, [1, 3, 1], **options))
    assert_every_parameter_learns(towers, towers(put(torch.randn(16, 3, 4))))


def test_steps_add_their_transfer_and_nothing_else(put):
    counts = [
        operations(
            put(TransferTowers(4, [(6, 5)] * n, [1] * n)), put(torch.randn(8, n, 4))
        )
        for n in (2, 3, 4)
    ]
    grown = counts[1] - counts[0]
    assert grown == counts[2] - counts[1]
    # One product for what is offered, one for the projections of both rows.
    assert grown["baddbmm"] == 1
    assert grown["mm"] + grown["bmm"] + grown["addmm"] == 1


def test_dropout_acts_in_training_only(put):
    towers = put(TransferTowers(4, [(50,)] * 2, [1, 1], dropout=0.5))
    hidden = put(torch.randn(8, 2, 4))
    assert not torch.equal(towers(hidden), towers(hidden))
    towers.eval()
    assert torch.equal(towers(hidden), towers(hidden))


def test_layer_options_reach_towers_and_what_is_offered():
    towers = TransferTowers(4, [(5,)] * 2, [1, 1], dropout=0.5, batch_norm=True)
    for mlp in (towers.hidden.groups[0], towers.transfers[0].information):
        assert [type(part).__name__ for part in mlp.layers[1]] == [
            "BatchedBatchNorm",
            "ReLU",
            "Dropout",
        ]


@pytest.mark.parametrize("n_rows", [0, 1])
def test_no_row_and_one_row(n_rows, put):
    towers = put(TransferTowers(4, UNEQUAL, [1, 3, 1], batch_norm=True))
    hidden = put(torch.randn(n_rows, 3, 4))
    assert towers(hidden).shape == (n_rows, 5)
    assert towers.transfer_weights(hidden).shape == (n_rows, 2)


def test_a_single_step_is_a_tower(put):
    towers = put(TransferTowers(4, [(5,)], [1]))
    assert not len(towers.transfers)
    assert towers(put(torch.randn(8, 1, 4))).shape == (8, 1)


@pytest.mark.parametrize("sharing", ["most", "none"])
def test_members_of_an_ensemble_are_networks_of_their_own(sharing):
    def make():
        return TransferTowers(4, UNEQUAL, [1, 3, 1], batch_norm=True)

    assert_members_are_networks_of_their_own(make, 4, 3, sharing)


def test_it_can_be_exported():
    assert_stage_exports(TransferTowers(4, UNEQUAL, [1, 3, 1], batch_norm=True), 3, 4)


def test_towers_must_end_in_the_same_width():
    with pytest.raises(ValueError, match=r"same width .* last widths \[8, 4\]"):
        TransferTowers(5, [(6, 8), (4,)], [1, 1])


def test_one_entry_per_task_is_required():
    with pytest.raises(ValueError, match="one entry per task; found 2 and 3 entries"):
        TransferTowers(4, [(6,), (6,)], [1, 1, 1])


def test_in_a_tree_each_branch_takes_from_its_own_step(put):
    """Of three steps two build on the third, so each pair of them is a chain."""
    tree = put(TransferTowers(4, [(5,)] * 3, [1, 1, 1], parents=[2, 2, None])).eval()
    assert tree.pairs == [(0, 2), (1, 2)]
    hidden = put(torch.randn(6, 3, 4))
    shares, logits = tree.transfer_weights(hidden), tree(hidden)
    for step in (0, 1):
        pair = put(TransferTowers(4, [(5,)] * 2, [1, 1])).eval()
        pair.transfers[0] = tree.transfers[step]
        for part in ("hidden", "heads"):
            state = getattr(tree, part).state_dict()
            rows = {name: value[[2, step]] for name, value in state.items()}
            getattr(pair, part).load_state_dict(rows)
        assert_close(pair(hidden[:, [2, step]]), logits[:, [2, step]])
        assert_close(pair.transfer_weights(hidden[:, [2, step]]), shares[:, [step]])

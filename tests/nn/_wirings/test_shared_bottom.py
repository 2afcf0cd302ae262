import pytest
import torch

from sk_mtl.nn import Encoded, MMoE, SharedBottom
from tests.nn._asserts import (
    assert_close,
    assert_every_parameter_learns,
    operations,
    set_values,
)


def test_one_unit_by_hand(put):
    wiring = put(SharedBottom(2, 3, bottom_hidden_sizes=(1,)))
    set_values(wiring.bottom.first.weight, [[1.0, -2.0]])
    set_values(wiring.bottom.first.bias, [0.5])
    rows = wiring(Encoded(put(torch.tensor([[3.0, 1.0], [0.0, 1.0]]))))
    assert_close(rows, [[[1.5]] * 3, [[0.0]] * 3])


@pytest.mark.parametrize("sizes", [(5,), (6, 5)])
def test_it_is_a_mixture_of_one_expert(sizes, put):
    wiring = put(SharedBottom(4, 3, bottom_hidden_sizes=sizes, activation="tanh"))
    mixture = MMoE(4, 3, n_experts=1, expert_hidden_sizes=sizes, activation="tanh")
    mixture.experts.load_state_dict(wiring.bottom.state_dict())
    encoded = Encoded(put(torch.randn(8, 4)))
    assert wiring(encoded).shape == (8, 3, wiring.out_width) == (8, 3, 5)
    assert_close(wiring(encoded), put(mixture)(encoded))


def test_a_gradient_reaches_every_parameter(put):
    wiring = put(SharedBottom(4, 3, bottom_hidden_sizes=(6, 5), activation="silu"))
    assert_every_parameter_learns(wiring, wiring(Encoded(put(torch.randn(16, 4)))))


def test_operations_do_not_grow_with_tasks(put):
    encoded = Encoded(put(torch.randn(5, 4)))
    few, many = (put(SharedBottom(4, n_tasks)) for n_tasks in (2, 20))
    assert operations(few, encoded) == operations(many, encoded)


def test_layer_options_reach_the_bottom(put):
    wiring = put(SharedBottom(4, 2, dropout=0.5, batch_norm=True))
    encoded = Encoded(put(torch.randn(16, 4)))
    assert not torch.equal(wiring(encoded), wiring(encoded))
    assert wiring.bottom.norm is not None


def test_the_bottom_needs_a_layer():
    with pytest.raises(ValueError, match=r"bottom_hidden_sizes must hold at least one"):
        SharedBottom(4, 2, bottom_hidden_sizes=())

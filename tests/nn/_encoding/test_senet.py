import math

import pytest
import torch

from sk_mtl.nn import SqueezeExcitation
from tests.nn._asserts import assert_close, assert_every_parameter_learns, set_values


def test_three_fields_by_hand(put):
    module = put(SqueezeExcitation(3))
    set_values(module.squeeze.weight, [[1.0, 1.0, 1.0]])
    set_values(module.squeeze.bias, [-5.0])
    set_values(module.excite.weight, [[math.log(3)], [0.0], [-math.log(3)]])
    set_values(module.excite.bias, [0.0, 0.0, 0.0])
    # Means 1, 2 and 3 make relu(6 - 5) = 1; sigmoids 3/4, 1/2 and 1/4, doubled.
    fields = put(torch.tensor([[[0.0, 2.0], [1.0, 3.0], [4.0, 2.0]]]))
    assert_close(module.field_weights(fields), [[1.5, 1.0, 0.5]])
    assert_close(module(fields), [[[0, 3], [1, 3], [2, 1]]])


def test_the_start_leaves_small_fields_nearly_as_they_are(put):
    module, fields = put(SqueezeExcitation(30)), put(0.1 * torch.randn(50, 30, 8))
    assert module.squeeze.out_features == 10
    weights = module.field_weights(fields).detach()
    assert float((weights - 1).abs().max()) < 0.2


@pytest.mark.parametrize("n_fields", [1, 3, 8])
def test_every_parameter_learns(n_fields, put):
    module = put(SqueezeExcitation(n_fields))
    torch.nn.init.constant_(module.squeeze.bias, 1.0)
    fields = put(torch.randn(40, n_fields, 4))
    assert_every_parameter_learns(module, module(fields))

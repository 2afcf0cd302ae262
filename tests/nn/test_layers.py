import pytest
import torch
from torch import nn

from sk_mtl.nn import ACTIVATIONS, BatchedLinear, BatchedMLP, make_activation
from sk_mtl.nn._layers import BatchedBatchNorm, RowBatchNorm, mix_groups
from tests.nn._asserts import (
    assert_close,
    assert_every_parameter_learns,
    operations,
    set_values,
)


def test_batched_linear_by_hand(put):
    layer = put(BatchedLinear(2, 2, 1))
    set_values(layer.weight, [[[1.0], [2.0]], [[3.0], [-1.0]]])
    set_values(layer.bias, [[[0.5]], [[-0.5]]])
    x = put(torch.tensor([[[1.0, 1.0]], [[1.0, 1.0]]]))
    assert_close(layer(x), [[[3.5]], [[1.5]]])


def test_batched_linear_starts_as_each_linear_would():
    layer, plain = BatchedLinear(3, 400, 50), nn.Linear(400, 50)
    for values in (layer.weight, layer.bias, plain.weight, plain.bias):
        assert values.detach().abs().max() <= 400**-0.5
    for values in (layer.weight, plain.weight):
        sd = values.detach().std().item()
        assert sd == pytest.approx(400**-0.5 / 3**0.5, rel=0.02)


def test_groups_and_units_start_different():
    weight = BatchedLinear(3, 4, 5).weight
    units = weight.transpose(1, 2).reshape(15, 4)
    assert len(torch.unique(units, dim=0)) == 15


def test_batched_mlp_is_a_loop_over_plain_perceptrons(put):
    mlp = put(BatchedMLP(3, 4, (6, 5), activation="tanh"))
    x = put(torch.randn(3, 7, 4))
    first, second = mlp.layers[0], mlp.layers[2]
    loop = [
        torch.tanh(
            torch.tanh(x[g] @ first.weight[g] + first.bias[g]) @ second.weight[g]
            + second.bias[g]
        )
        for g in range(3)
    ]
    assert_close(mlp(x), torch.stack(loop))
    assert mlp.out_features == 5


def test_batched_mlp_without_layers_passes_the_input(put):
    mlp = put(BatchedMLP(2, 4, ()))
    x = put(torch.randn(2, 3, 4))
    assert mlp(x) is x
    assert mlp.out_features == 4


def test_batched_mlp_runs_as_many_operations_for_many_groups_as_for_two(put):
    counts = [
        operations(put(BatchedMLP(n, 4, (6, 5))), put(torch.ones(n, 3, 4)))
        for n in (2, 40)
    ]
    assert counts[0] == counts[1]


def test_every_parameter_of_a_batched_mlp_learns(put):
    mlp = put(BatchedMLP(3, 4, (6, 5), activation="gelu", batch_norm=True))
    assert_every_parameter_learns(mlp, mlp(put(torch.randn(3, 9, 4))))


def test_batch_norm_normalises_each_unit_of_each_group_over_the_rows(put):
    batched, x = put(BatchedBatchNorm(2, 3)), put(torch.randn(2, 8, 3))
    singles = [put(nn.BatchNorm1d(3)) for _ in range(2)]
    expected = torch.stack([single(x[g]) for g, single in enumerate(singles)])
    assert_close(batched(x), expected)
    assert_close(batched(x).mean(1), torch.zeros(2, 3))
    expected = torch.stack([single.eval()(x[g]) for g, single in enumerate(singles)])
    for g, single in enumerate(singles):
        single.train()(x[g])
        expected[g] = single.eval()(x[g])
    batched.eval()
    assert batched.norm.num_batches_tracked == 2
    assert_close(batched(x), expected)


def test_a_batch_of_one_row_uses_the_running_statistics(put):
    norm = put(RowBatchNorm(3))
    norm(put(torch.randn(16, 3) * 3 + 2))
    row = put(torch.randn(1, 3))
    before = norm.running_mean.clone()
    trained = norm(row)
    assert_close(norm.running_mean, before)
    assert_close(trained, norm.eval()(row))


def test_columns_of_a_wider_tensor_are_normalised_like_a_copy(put):
    wide = put(torch.randn(16, 5)).requires_grad_()
    weight = put(torch.randn(16, 3))
    results = []
    for x in (wide[:, 1:4], wide[:, 1:4].clone()):
        normalised = put(RowBatchNorm(3))(x)
        gradient = torch.autograd.grad((normalised * weight).sum(), wide)
        results.append((normalised, *gradient))
    assert all(torch.equal(a, b) for a, b in zip(*results))


def test_dropout_is_there_in_training_only(put):
    mlp = put(BatchedMLP(2, 4, (200,), dropout=0.5, activation="tanh"))
    x = put(torch.randn(2, 5, 4))
    share = float((mlp(x) == 0).float().mean())
    assert 0.4 < share < 0.6
    assert not (mlp.eval()(x) == 0).any()


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_no_activation_is_linear(name, put):
    activation = put(make_activation(name))
    x = put(torch.tensor([-1.0, 0.0, 1.0]))
    low, middle, high = activation(x).tolist()
    assert middle == 0
    assert abs(low + high) > 0.1 or name == "tanh"
    assert activation(put(torch.tensor([2.0]))).item() != pytest.approx(2 * high) or (
        name in ("relu", "leaky_relu", "elu")
    )


def test_unknown_activation_names_the_known_ones():
    with pytest.raises(ValueError, match=r"'relu', 'gelu'.*found 'swish'\. Choose"):
        make_activation("swish")


def test_repr_shows_the_sizes():
    assert "n_groups=2, in_features=3, out_features=4" in repr(BatchedLinear(2, 3, 4))


@pytest.mark.parametrize("width", [1, 2, 3, 4, 5, 7, 10, 13])
def test_columns_of_zeros_change_no_product(width, put):
    torch.manual_seed(0)
    layer, x = put(BatchedLinear(2, 6, width)), put(torch.randn(2, 9, 6))
    training, answered = layer.train()(x), layer.eval()(x)
    assert answered.shape == (2, 9, width)
    torch.testing.assert_close(answered, training, rtol=1e-5, atol=1e-6)
    assert_close(answered, x @ layer.weight + layer.bias)


def test_weighted_sums_of_groups_by_hand(put):
    groups = put(torch.tensor([[[1.0, 2.0]], [[10.0, 20.0]]]))
    weights = put(torch.tensor([[1.0, 0.0], [0.0, 2.0], [1.0, 1.0]]))
    assert_close(mix_groups(weights, groups), [[[1.0, 2.0]], [[20, 40]], [[11, 22]]])


def test_weighted_sums_of_groups_are_the_loop(put):
    groups, weights = put(torch.randn(3, 5, 4)), put(torch.randn(2, 3))
    expected = (weights[:, :, None, None] * groups).sum(1)
    assert_close(mix_groups(weights, groups), expected)
    assert mix_groups(weights, groups[:, :0]).shape == (2, 0, 4)

import pytest
import torch
import torch.nn.functional as F

from sk_mtl.nn._experts._task_experts import TaskExperts, TaskGates
from tests.nn._asserts import assert_close, operations
from tests.nn._networks import randomise_norms


@pytest.mark.parametrize("batch_norm", [False, True])
@pytest.mark.parametrize("sizes", [(5,), (6, 5), (6, 7, 5)])
def test_experts_are_the_loop_over_tasks_and_experts(sizes, batch_norm, put):
    experts = TaskExperts(3, 4, 2, sizes, activation="tanh", batch_norm=batch_norm)
    randomise_norms(experts)
    experts, x = put(experts), put(torch.randn(3, 8, 4))

    def after(row, modules, group):
        if batch_norm:
            norm, own = modules[0].norm, slice(group * row.shape[1], None)
            row = F.batch_norm(
                row,
                None,
                None,
                norm.weight[own][: row.shape[1]],
                norm.bias[own][: row.shape[1]],
                training=True,
            )
        return torch.tanh(row)

    results = []
    for k in range(3):
        product = x[k] @ experts.first.weight[k] + experts.first.bias[k]
        for e, row in enumerate(product.chunk(2, 1)):
            group = 2 * k + e
            row = after(row, experts.after, group)
            layers = experts.deeper.layers
            for dense, modules in zip(layers[::2], layers[1::2]):
                row = row @ dense.weight[group] + dense.bias[group]
                row = after(row, modules, group)
            results.append(row)
    found = experts(x)
    assert found.shape == (8, 3, 2, experts.out_width) == (8, 3, 2, 5)
    assert_close(found, torch.stack(results, 1).unflatten(1, (3, 2)))


@pytest.mark.parametrize("sizes", [(), (4,), (4, 3)])
def test_gates_are_the_loop_over_tasks(sizes, put):
    gates = put(TaskGates(3, 4, 5, hidden_sizes=sizes, activation="tanh"))
    x = put(torch.randn(3, 8, 4))
    results = []
    for k in range(3):
        row = x[k]
        for dense in gates.hidden.layers[::2]:
            row = torch.tanh(row @ dense.weight[k] + dense.bias[k])
        scores = row @ gates.scores.weight[k] + gates.scores.bias[k]
        results.append(scores.exp() / scores.exp().sum(1, keepdim=True))
    assert gates(x).shape == (8, 3, 5)
    assert_close(gates(x), torch.stack(results, 1))


def test_operations_do_not_grow_with_tasks_or_experts(put):
    few = operations(put(TaskExperts(2, 4, 2, (6, 5))), put(torch.randn(2, 5, 4)))
    many = operations(put(TaskExperts(9, 4, 8, (6, 5))), put(torch.randn(9, 5, 4)))
    assert few == many

import pytest
import torch

from sk_mtl.nn._experts._feature_gates import FeatureGates
from tests.nn._asserts import (
    assert_close,
    assert_every_parameter_learns,
    operations,
    set_values,
)
from tests.nn._loops import softmax

LN3 = 1.0986122886681098


def feature_gate(gates, reader, x):
    """Return what one reader's gate leaves of x, by a loop over the gates it mixes."""
    n_gates, rank = gates.n_gates, gates.rank
    n_columns = n_gates * (rank + 1)
    if gates.own_rows:
        first = x @ gates.first.weight[reader] + gates.first.bias[reader]
    else:
        part = slice(reader * n_columns, (reader + 1) * n_columns)
        first = x @ gates.first.weight[part].T + gates.first.bias[part]
    weights, gate = softmax(first[:, n_gates * rank :]), 0.0
    for j in range(n_gates):
        low = first[:, j * rank : (j + 1) * rank]
        raised = low @ gates.raised[reader * n_gates + j]
        gate = gate + weights[:, [j]] * 2 / (1 + (-raised).exp())
    return x * gate


def test_a_gate_by_hand(put):
    gates = put(FeatureGates(2, 1, 1, 1, own_rows=False))
    # The first column's number is what the gate reads: at ln 3 it opens the second
    # column to 2 * 3/4 and leaves the first as it is.
    set_values(gates.first.weight, [[1.0, 0.0], [5.0, 5.0]])
    set_values(gates.first.bias, [0.0, 5.0])
    set_values(gates.raised, [[[0.0, 1.0]]])
    rows = put(torch.tensor([[[LN3, 4.0]], [[0.0, 4.0]]], dtype=torch.float64))
    assert_close(gates(rows), [[[LN3, 6.0]], [[0.0, 4.0]]])


@pytest.mark.parametrize("own_rows", [False, True])
def test_it_is_the_loop_over_readers(own_rows, put):
    gates = put(FeatureGates(4, 3, 2, 2, own_rows=own_rows))
    rows = put(torch.randn(8, 3 if own_rows else 1, 4))
    each = rows.expand(-1, 3, -1).unbind(1)
    expected = [feature_gate(gates, reader, x) for reader, x in enumerate(each)]
    assert_close(gates(rows), torch.stack(expected, 1))


@pytest.mark.parametrize("own_rows", [False, True])
def test_gates_start_near_open_and_all_different(own_rows, put):
    gates = put(FeatureGates(64, 3, 2, 4, own_rows=own_rows))
    rows = put(torch.randn(256, 3 if own_rows else 1, 64))
    opened = gates(rows) / rows
    assert abs(opened.mean().item() - 1) < 0.05
    assert opened.std().item() < 0.3
    assert len(torch.unique(gates.raised.flatten(0, 1), dim=0)) == 3 * 2 * 4


@pytest.mark.parametrize("own_rows", [False, True])
def test_a_gradient_reaches_every_parameter(own_rows, put):
    gates = put(FeatureGates(4, 3, 2, 2, own_rows=own_rows))
    rows = put(torch.randn(8, 3 if own_rows else 1, 4))
    assert_every_parameter_learns(gates, gates(rows))


@pytest.mark.parametrize("own_rows", [False, True])
def test_operations_do_not_grow(own_rows, put):
    few = put(FeatureGates(4, 2, 2, 2, own_rows=own_rows))
    many = put(FeatureGates(4, 20, 5, 3, own_rows=own_rows))
    rows = put(torch.randn(5, 20 if own_rows else 1, 4))
    assert operations(few, rows[:, :2]) == operations(many, rows)


@pytest.mark.parametrize("n_rows", [0, 1])
def test_no_row_and_one_row(n_rows, put):
    gates = put(FeatureGates(4, 3, 2, 2, own_rows=True))
    assert gates(put(torch.randn(n_rows, 3, 4))).shape == (n_rows, 3, 4)

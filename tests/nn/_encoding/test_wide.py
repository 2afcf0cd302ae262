import torch

from sk_mtl.nn._encoding._wide import WideTerm
from tests.nn._asserts import assert_close, assert_every_parameter_learns, set_values


def test_three_fields_by_hand(put):
    wide = put(WideTerm([2, 3, 3], 2, n_sequences=1, vocabularies=[0, 1, 1]))
    rows = [[0, 0], [1, 10], [0, 0], [2, 20], [4, 40]]
    set_values(wide.tables[0], torch.tensor(rows).float())
    codes = put(torch.tensor([[1, 1], [1, 2], [0, 0]]))
    history = put(torch.tensor([[1, 2], [2, -1], [-1, -1]]))
    # A category adds its numbers, a history the mean of its items'.
    expected = [[1 + 2 + 3, 10 + 20 + 30], [1 + 4 + 4, 90], [0, 0]]
    assert_close(wide(codes, (history,)), expected)


def test_it_starts_at_zero_and_every_number_that_is_read_learns(put):
    wide = put(WideTerm([2, 3], 3, n_sequences=1))
    codes, history = put(torch.tensor([[0], [1]])), put(torch.tensor([[0, 1], [2, -1]]))
    terms = wide(codes, (history,))
    assert not bool(terms.any())
    assert_every_parameter_learns(wide, terms)
    assert bool((wide.tables[0].grad != 0).all())


def test_sparse_and_dense_columns_lie_apart_and_learn_the_same(put):
    codes, gradients = put(torch.randint(0, 4, (20, 3))), []
    for sparse in ([False] * 3, [True] * 3, [False, True, False]):
        wide = put(WideTerm([4, 4, 4], 2, sparse=sparse))
        terms = wide(codes, ())
        (terms * torch.linspace(1, 2, 40).view(20, 2).to(terms)).sum().backward()
        assert len(wide.tables) == len(set(sparse))
        assert [t.grad.is_sparse for t in wide.tables] == sorted(set(sparse))
        gradients.append([table.grad.to_dense() for table in wide.tables])
    dense, all_sparse, (others, one) = gradients
    assert_close(all_sparse[0], dense[0])
    assert_close(torch.cat([others[:4], one, others[4:]]), dense[0])


def test_sequences_alone(put):
    wide = put(WideTerm([3], 1, n_sequences=1))
    codes = put(torch.zeros(2, 0, dtype=torch.int32))
    assert wide(codes, (put(torch.tensor([[1], [-1]])),)).shape == (2, 1)

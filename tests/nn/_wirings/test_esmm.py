import torch

from sk_mtl.nn import ESMM, Encoded


def test_every_task_reads_the_same_row_without_a_copy(put):
    shared = put(torch.randn(5, 3))
    wiring = put(ESMM(3, 4))
    rows = wiring(Encoded(shared))
    assert rows.shape == (5, 4, 3)
    assert wiring.out_width == 3
    assert rows.data_ptr() == shared.data_ptr()
    assert all(torch.equal(rows[:, k], shared) for k in range(4))


def test_the_gradients_of_the_tasks_add_up(put):
    shared = put(torch.randn(5, 3)).requires_grad_()
    ESMM(3, 4)(Encoded(shared)).sum().backward()
    assert bool((shared.grad == 4).all())


def test_it_has_no_parameters_and_shows_its_sizes():
    assert not list(ESMM(3, 4).parameters())
    assert repr(ESMM(3, 4)) == "ESMM(out_width=3, n_tasks=4)"

import itertools
import math
import pickle

import pytest
import torch

from sk_mtl.losses import FunnelStructure, IndependentStructure
from tests.losses._asserts import assert_close, assert_rows_sum_to_one, gradient

EXTREMES = [-200.0, -40.0, -3.0, 0.0, 12.0, 40.0, 200.0]


def _closed_form(logits, y):
    """Losses and their summed gradient in float64, from -log P = sum softplus(-z).

    With a = -log P, log(1 - P) is log(-expm1(-a)) or log1p(-exp(-a)), whichever is
    exact, and its derivative in z_j is -sigmoid(-z_j) / expm1(a). The structure uses
    none of them.
    """
    z, y = logits.double(), y.double()
    minus_log_p = torch.cumsum(torch.log1p(torch.exp(-z.abs())) + (-z).clamp(min=0), 1)
    lost = torch.where(
        minus_log_p > 0.7,
        torch.log1p(-torch.exp(-minus_log_p)),
        torch.log(-torch.expm1(-minus_log_p)),
    )
    losses = torch.where(y == 1, minus_log_p, -lost)
    slope = torch.where(y == 1, -1.0, 1 / torch.expm1(minus_log_p))
    later = slope.flip(1).cumsum(1).flip(1)
    return losses, later * torch.sigmoid(-z)


def test_a_funnel_by_hand(dtype):
    """Logits (ln 3, 0): P(click) = 3/4, P(conversion) = 3/4 * 1/2 = 3/8."""
    structure = FunnelStructure(2)
    logits = torch.tensor([[math.log(3), 0.0]] * 3, dtype=dtype)
    y = torch.tensor([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]], dtype=dtype)
    expected = [
        [math.log(4), math.log(8 / 5)],
        [math.log(4 / 3), math.log(8 / 5)],
        [math.log(4 / 3), math.log(8 / 3)],
    ]
    assert_close(structure.row_losses(logits, y), expected)
    click, conversion = structure.log_proba(logits)
    assert_close(click[0].exp(), [1 / 4, 3 / 4])
    assert_close(conversion[0].exp(), [5 / 8, 3 / 8])
    click, conversion = structure.conditional_log_proba(logits)
    assert_close(click[0].exp(), [1 / 4, 3 / 4])
    assert_close(conversion[0].exp(), [1 / 2, 1 / 2])


@pytest.mark.parametrize("n_steps", [1, 2, 3, 6])
def test_it_is_the_cross_entropy_of_the_product(n_steps):
    structure = FunnelStructure(n_steps)
    logits = torch.randn(50, n_steps, dtype=torch.float64)
    y = torch.randint(0, 2, (50, n_steps)).cummin(1).values.double()

    def naive(z):
        p = torch.sigmoid(z).cumprod(1)
        return torch.nn.functional.binary_cross_entropy(p, y, reduction="none")

    assert_close(structure.row_losses(logits, y), naive(logits))
    assert_close(
        gradient(lambda z: structure.row_losses(z, y), logits), gradient(naive, logits)
    )
    proba = torch.stack([p[:, 1] for p in structure.log_proba(logits)], 1).exp()
    assert_close(proba, torch.sigmoid(logits).cumprod(1))


def test_the_gradient_is_that_of_finite_differences():
    structure = FunnelStructure(3)
    logits = torch.randn(4, 3, dtype=torch.float64, requires_grad=True)
    y = torch.tensor([[0, 0, 0], [1, 0, 0], [1, 1, 0], [1, 1, 1]], dtype=torch.float64)
    torch.autograd.gradcheck(lambda z: structure.row_losses(z, y), logits)


@pytest.mark.parametrize("y", [(0, 0, 0), (1, 0, 0), (1, 1, 0), (1, 1, 1)])
def test_losses_and_gradients_are_right_at_extreme_logits(y, dtype):
    structure = FunnelStructure(3)
    logits = torch.tensor(list(itertools.product(EXTREMES, repeat=3)), dtype=dtype)
    y = torch.tensor(y, dtype=dtype).expand(len(logits), 3)
    losses, grad = _closed_form(logits, y)
    tolerance = 1e-5 if dtype == torch.float32 else 1e-12
    assert_close(structure.row_losses(logits, y), losses, tolerance)
    ours = gradient(lambda z: structure.row_losses(z, y), logits)
    assert bool(ours.isfinite().all())
    assert_close(ours, grad, tolerance)


def test_rare_steps_keep_their_relative_precision_in_float32():
    structure = FunnelStructure(2)
    logits = torch.tensor([[-4.0, -5.0], [-9.0, -8.0], [-15.0, -15.0]])
    lost, grad = _closed_form(logits, torch.zeros(3, 2))
    reached, _ = _closed_form(logits, torch.ones(3, 2))
    ours = gradient(lambda z: structure.row_losses(z, torch.zeros(3, 2)), logits)
    log_proba = torch.stack(structure.log_proba(logits), 1)
    for actual, expected in (
        (ours, grad),
        (log_proba[..., 0], -lost),
        (log_proba[..., 1], -reached),
    ):
        assert bool(((actual / expected - 1).abs() < 1e-5).all())


@pytest.mark.parametrize("size", [0.0, 5.0, 40.0, 200.0])
def test_probabilities_sum_to_one_and_never_rise_along_the_funnel(size, dtype):
    structure = FunnelStructure(4)
    logits = size * torch.randn(200, 4, dtype=dtype)
    log_probas = structure.log_proba(logits)
    assert_rows_sum_to_one(log_probas)
    assert_rows_sum_to_one(structure.conditional_log_proba(logits))
    reached = torch.stack([p[:, 1] for p in log_probas], 1)
    assert bool((reached.diff(dim=1) <= 1e-5 * reached[:, 1:].abs()).all())


def test_steps_multiply_the_conditional_rates(dtype):
    structure = FunnelStructure(3)
    logits = torch.randn(20, 3, dtype=dtype)
    rates = [p[:, 1].exp() for p in structure.conditional_log_proba(logits)]
    reached = [p[:, 1].exp() for p in structure.log_proba(logits)]
    assert_close(reached[0], rates[0])
    assert_close(reached[2], rates[0] * rates[1] * rates[2])


def test_a_conversion_moves_the_click_logit_too(dtype):
    """Without the product this gradient would be zero."""
    structure = FunnelStructure(2)
    y = torch.tensor([[1.0, 1.0]], dtype=dtype)
    grad = gradient(
        lambda z: structure.row_losses(z, y)[:, 1], torch.zeros(1, 2, dtype=dtype)
    )
    assert_close(grad, [[-0.5, -0.5]])


def test_one_step_is_an_independent_binary_task(dtype):
    logits, y = torch.randn(20, 1, dtype=dtype), torch.ones(20, 1, dtype=dtype)
    funnel, independent = FunnelStructure(1), IndependentStructure([2])
    assert_close(funnel.row_losses(logits, y), independent.row_losses(logits, y))
    assert_close(funnel.log_proba(logits)[0], independent.log_proba(logits)[0])


def test_no_rows(dtype):
    structure = FunnelStructure(2)
    logits = torch.zeros(0, 2, dtype=dtype)
    assert structure.row_losses(logits, logits).shape == (0, 2)
    assert [p.shape for p in structure.log_proba(logits)] == [(0, 2), (0, 2)]


def test_it_survives_pickle_and_tells_its_heads():
    structure = pickle.loads(pickle.dumps(FunnelStructure(3)))
    assert structure.head_widths == (1, 1, 1)
    assert structure.n_tasks == 3


def test_a_funnel_needs_a_step():
    with pytest.raises(ValueError, match="n_steps must be at least 1; found 0"):
        FunnelStructure(0)


TREES = [
    (None, 0, 0, 0),
    (None, 0, 1, 0),
    (None, None, 1, 0),
    (2, 0, None, 1),
    (None, None, None, None),
    (None, 0, 1, 1),
]


def _path(parents, step):
    """Return the steps on the way, the first one first."""
    before = [] if parents[step] is None else _path(parents, parents[step])
    return [*before, step]


def test_a_tree_by_hand(dtype):
    """P(click) = 3/4; likes and purchases are had by 1/2 and 1/3 of the clicks."""
    structure = FunnelStructure(3, parents=[None, 0, 0])
    logits = torch.tensor([[math.log(3), 0.0, -math.log(2)]], dtype=dtype)
    proba = torch.stack([p[0, 1] for p in structure.log_proba(logits)]).exp()
    assert_close(proba, [3 / 4, 3 / 8, 1 / 4])
    y = torch.tensor([[1.0, 0.0, 1.0]], dtype=dtype)
    expected = [[math.log(4 / 3), math.log(8 / 5), math.log(4)]]
    assert_close(structure.row_losses(logits, y), expected)


@pytest.mark.parametrize("parents", TREES)
def test_a_path_through_a_tree_is_a_chain(parents, dtype):
    """At logits of all sizes, with their gradients, and those of ensembles."""
    tree = FunnelStructure(4, parents)
    logits = torch.tensor(list(itertools.product(EXTREMES[::2], repeat=4)), dtype=dtype)
    members = 3 * torch.randn(5, 6, 4, dtype=dtype)
    combined = tree.combine(members)
    for step in range(4):
        path = _path(parents, step)
        chain = FunnelStructure(len(path))

        def of_tree(z, step=step):
            return tree.cumulative_logits(z)[:, step]

        def of_chain(z, path=path, chain=chain):
            return chain.cumulative_logits(z[:, path])[:, -1]

        tolerance = 1e-5 if dtype == torch.float32 else 1e-12
        assert_close(of_tree(logits), of_chain(logits).double(), tolerance)
        ours, theirs = gradient(of_tree, logits), gradient(of_chain, logits)
        assert bool(ours.isfinite().all())
        assert_close(ours, theirs.double(), tolerance)
        alone = chain.combine(members[..., path])
        assert_close(combined[:, path], alone.double(), 1e-5)


@pytest.mark.parametrize("parents", TREES)
def test_members_of_a_tree_are_averaged_in_probability(parents):
    tree = FunnelStructure(4, parents)
    logits = torch.randn(5, 6, 4, dtype=torch.float64)
    combined = tree.combine(logits)
    reached = torch.stack(
        [torch.stack([p[:, 1] for p in tree.log_proba(one)], 1) for one in logits]
    )
    reached = reached.exp().mean(0)
    for step, log_proba in enumerate(tree.log_proba(combined)):
        assert_close(log_proba[:, 1].exp(), reached[:, step])
        before = 1 if parents[step] is None else reached[:, parents[step]]
        conditional = tree.conditional_log_proba(combined)[step][:, 1].exp()
        assert_close(conditional, reached[:, step] / before)


def test_the_gradient_of_a_tree_is_that_of_finite_differences():
    structure = FunnelStructure(4, parents=[2, 0, None, 2])
    logits = torch.randn(4, 4, dtype=torch.float64, requires_grad=True)
    y = torch.randint(0, 2, (4, 4)).double()
    torch.autograd.gradcheck(lambda z: structure.row_losses(z, y), logits)


def test_a_chain_may_be_written_out(dtype):
    written, plain = FunnelStructure(3, parents=[None, 0, 1]), FunnelStructure(3)
    assert written.parents == plain.parents == (None, 0, 1)
    logits = 10 * torch.randn(4, 20, 3, dtype=dtype)
    assert torch.equal(written.combine(logits), plain.combine(logits))
    assert torch.equal(
        written.cumulative_logits(logits[0]), plain.cumulative_logits(logits[0])
    )


def test_first_steps_alone_are_independent_tasks(dtype):
    funnel = FunnelStructure(3, parents=[None] * 3)
    plain = IndependentStructure([2] * 3)
    logits, y = torch.randn(20, 3, dtype=dtype), torch.ones(20, 3, dtype=dtype)
    assert_close(funnel.row_losses(logits, y), plain.row_losses(logits, y).double())


def test_a_tree_of_no_rows_and_of_one(dtype):
    structure = FunnelStructure(3, parents=[None, 0, 0])
    for n_rows in (0, 1):
        logits = torch.zeros(n_rows, 3, dtype=dtype)
        assert structure.row_losses(logits, logits).shape == (n_rows, 3)


@pytest.mark.parametrize("parents", [None, (None, 0, 0)])
def test_probabilities_can_be_exported(parents):
    """Without a cumulative logsumexp, which ONNX does not know."""

    class Answer(torch.nn.Module):
        structure = FunnelStructure(3, parents)

        def forward(self, logits):
            return torch.stack(self.structure.log_proba(logits), 1)

    shapes = ({0: torch.export.Dim.DYNAMIC},)
    example = (torch.randn(4, 3),)
    program = torch.export.export(Answer(), example, dynamic_shapes=shapes)
    logits = torch.randn(7, 3)
    assert_close(program.module()(logits), Answer()(logits).double())
    assert "logcumsumexp" not in str(program.graph)


def test_a_tree_survives_pickle():
    structure = pickle.loads(pickle.dumps(FunnelStructure(3, parents=[None, 0, 0])))
    logits = torch.randn(5, 3)
    expected = FunnelStructure(3, parents=[None, 0, 0]).cumulative_logits(logits)
    assert torch.equal(structure.cumulative_logits(logits), expected)


@pytest.mark.parametrize(
    ("parents", "circle"),
    [([0], [0, 0]), ([1, 0, None], [0, 1, 0]), ([None, 2, 3, 2], [2, 3, 2])],
)
def test_a_circle_is_named(parents, circle):
    named = " -> ".join(map(str, circle))
    with pytest.raises(ValueError, match=rf"back to itself; found {named}\. Drop"):
        FunnelStructure(len(parents), parents)


@pytest.mark.parametrize("parent", [3, -1, "click"])
def test_an_unknown_step_is_named(parent):
    with pytest.raises(ValueError, match=rf"0 to 2, or None; found {parent!r} for st"):
        FunnelStructure(3, parents=[None, 0, parent])


def test_every_step_needs_a_parent_or_none():
    with pytest.raises(ValueError, match="each of the 3 steps; found 2"):
        FunnelStructure(3, parents=[None, 0])

import math

import pytest
import torch
from sklearn.metrics import mean_gamma_deviance, mean_poisson_deviance

from sk_mtl.losses import (
    AbsoluteErrorOutput,
    ClassOutput,
    GammaOutput,
    HuberOutput,
    IndependentStructure,
    PoissonOutput,
    SquaredErrorOutput,
    ZILNOutput,
)
from sk_mtl.losses._outputs._numerics import steady_exp
from tests.losses._asserts import assert_close, gradient

LN2 = math.log(2)
ALL = [
    SquaredErrorOutput(),
    AbsoluteErrorOutput(),
    HuberOutput(2.0),
    PoissonOutput(),
    GammaOutput(),
    ZILNOutput(),
]


@pytest.mark.parametrize(
    ("output", "losses", "answers"),
    [
        (SquaredErrorOutput(), [4.0, 0.25], [3.0, 0.5]),
        (AbsoluteErrorOutput(), [2.0, 0.5], [3.0, 0.5]),
        (HuberOutput(1.0), [1.5, 0.125], [3.0, 0.5]),
    ],
)
def test_errors_by_hand(output, losses, answers, dtype):
    heads = torch.tensor([[[3.0]], [[0.5]]], dtype=dtype)
    y = torch.tensor([[1.0], [0.0]], dtype=dtype)
    assert_close(output.row_losses(heads, y).squeeze(1), losses)
    assert_close(output.answers(heads).flatten(), answers)


def test_deviances_by_hand(dtype):
    heads = torch.full((1, 1, 1), LN2, dtype=dtype)
    y = torch.full((1, 1), 3.0, dtype=dtype)
    assert_close(PoissonOutput().row_losses(heads, y), [[3 * math.log(1.5) - 1]])
    assert_close(GammaOutput().row_losses(heads, y), [[0.5 - math.log(1.5)]])
    assert_close(PoissonOutput().answers(heads), [[[2.0]]])


def test_deviances_are_twice_the_losses_as_of_scikit_learn():
    heads = torch.randn(50, 1, 1, dtype=torch.float64)
    mean = heads.exp().flatten().numpy()
    counts = torch.poisson(2 * torch.ones(50, 1, dtype=torch.float64))
    amounts = torch.rand(50, 1, dtype=torch.float64) + 0.1
    poisson = PoissonOutput().row_losses(heads, counts).mean().item()
    gamma = GammaOutput().row_losses(heads, amounts).mean().item()
    expected = mean_poisson_deviance(counts.numpy()[:, 0], mean)
    assert 2 * poisson == pytest.approx(expected)
    assert 2 * gamma == pytest.approx(mean_gamma_deviance(amounts.numpy()[:, 0], mean))


def test_only_a_density_can_lose_less_than_nothing():
    negative = [type(output) for output in ALL if output.may_be_negative]
    assert negative == [ZILNOutput]
    y = torch.tensor([[0.01]])
    certain = torch.tensor([[[9.0, math.log(0.01), -9.0]]])
    assert ZILNOutput().row_losses(certain, y).item() < 0
    assert IndependentStructure([2, ZILNOutput()]).may_be_negative
    assert not IndependentStructure([2, GammaOutput()]).may_be_negative


@pytest.mark.parametrize("output", [PoissonOutput(), ZILNOutput()])
def test_zero_is_a_count_and_gradients_stay_finite(output):
    heads = torch.randn(3, 1, output.width, dtype=torch.float64)
    y = torch.zeros(3, 1, dtype=torch.float64)
    assert bool(output.row_losses(heads, y).isfinite().all())
    assert bool(gradient(lambda z: output.row_losses(z, y), heads).isfinite().all())


@pytest.mark.parametrize("output", [PoissonOutput(), GammaOutput()])
def test_the_mean_is_where_the_loss_is_least(output):
    y = torch.tensor([[1.0], [2.0], [6.0]], dtype=torch.float64)
    heads = torch.full((3, 1, 1), math.log(3), dtype=torch.float64)
    assert gradient(lambda z: output.row_losses(z, y), heads).sum().abs() < 1e-12


def _sigma(value):
    """Return the logit of a spread, through softplus and its floor."""
    return math.log(math.expm1(value - 1e-3))


def test_ziln_by_hand(dtype):
    heads = torch.tensor([[[0.0, 1.0, _sigma(0.5)]]] * 2, dtype=dtype)
    y = torch.tensor([[0.0], [math.e]], dtype=dtype)
    amount = 1 + math.log(0.5) + 0.5 * math.log(2 * math.pi)
    assert_close(ZILNOutput().row_losses(heads, y), [[LN2], [LN2 + amount]])
    mean, chance = ZILNOutput().answers(heads)[0, 0]
    assert_close(mean, 0.5 * math.exp(1 + 0.125))
    assert_close(chance, -LN2)


def test_the_likeliest_ziln_has_the_mean_of_what_was_drawn():
    """Fitted to 200,000 draws of known chance, location and spread."""
    torch.manual_seed(0)
    n, chance, mu, sigma = 200_000, 0.3, 0.7, 0.6
    positive = torch.rand(n, dtype=torch.float64) < chance
    y = positive * torch.exp(mu + sigma * torch.randn(n, dtype=torch.float64))
    heads = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([heads], max_iter=100)

    def loss():
        optimizer.zero_grad()
        rows = heads.expand(n, 1, 3)
        value = ZILNOutput().row_losses(rows, y.unsqueeze(1)).mean()
        value.backward()
        return value

    optimizer.step(loss)
    mean, log_chance = ZILNOutput().answers(heads.detach().view(1, 1, 3)).flatten()
    assert mean.item() == pytest.approx(chance * math.exp(mu + sigma**2 / 2), rel=0.01)
    assert log_chance.exp().item() == pytest.approx(chance, rel=0.01)


def test_zeros_have_a_gradient_too(dtype):
    heads = torch.randn(4, 1, 3, dtype=dtype)
    y = torch.tensor([[0.0], [0.0], [1e-3], [1e6]], dtype=dtype)
    grad = gradient(lambda z: ZILNOutput().row_losses(z, y), heads)
    assert bool(grad.isfinite().all())
    assert not grad[:2, :, 1:].any()


@pytest.mark.parametrize("output", ALL, ids=lambda output: type(output).__name__)
def test_members_are_averaged_in_what_they_answer(output):
    heads = torch.randn(3, 20, 2, output.width, dtype=torch.float64)
    joined = output.answers(output.combine(heads))
    each = torch.stack([output.answers(one) for one in heads])
    assert_close(joined[..., 0], each[..., 0].mean(0))
    if output.width == 3:
        assert_close(joined[..., 1].exp(), each[..., 1].exp().mean(0))


def test_mixed_outputs_stand_side_by_side():
    outputs = [ClassOutput(3), ZILNOutput(), SquaredErrorOutput(), SquaredErrorOutput()]
    structure = IndependentStructure(outputs)
    assert structure.head_widths == (3, 3, 1, 1)
    logits, y = torch.randn(5, 8), torch.tensor([[2.0, 0.0, 1.0, -1.0]] * 5)
    losses, answers = structure.row_losses(logits, y), structure.answers(logits)
    for k, (output, part) in enumerate(zip(outputs, logits.split([3, 3, 1, 1], 1))):
        heads = part.unsqueeze(1)
        assert_close(losses[:, [k]], output.row_losses(heads, y[:, [k]]).double())
        assert_close(answers[k], output.answers(heads)[:, 0].double())
    members = torch.randn(2, 5, 8)
    assert structure.combine(members).shape == (5, 8)


FAR = [-1e30, -1e5, -71.0, 71.0, 1e5, 1e30]


@pytest.mark.parametrize("output", [PoissonOutput(), GammaOutput()])
def test_means_are_positive_and_finite_for_every_logit(output, dtype):
    heads = torch.tensor([*FAR, -70.0, 69.0], dtype=dtype).view(-1, 1, 1)
    low, high = math.exp(-70), math.exp(70)
    expected = [low, low, low, high, high, high, low, math.exp(69)]
    torch.testing.assert_close(
        output.answers(heads).flatten(), torch.tensor(expected, dtype=dtype)
    )


@pytest.mark.parametrize("output", [PoissonOutput(), GammaOutput()])
@pytest.mark.parametrize("logit", FAR)
def test_losses_of_far_logits_are_finite_and_lead_back(output, logit, dtype):
    y = torch.full((1, 1), 2.0, dtype=dtype)
    heads = torch.full((1, 1, 1), logit, dtype=dtype, requires_grad=True)
    loss = output.row_losses(heads, y)
    assert bool(loss.isfinite())
    (slope,) = torch.autograd.grad(loss.sum(), heads)
    assert bool(slope.isfinite())
    assert slope.sign().item() == math.copysign(1, logit)


def test_the_steady_exponential_bends_smoothly_at_its_end():
    z = torch.tensor([0.5, 70 - 1e-4, 70 + 1e-4], dtype=torch.float64)
    z.requires_grad_()
    values = steady_exp(z)
    assert torch.equal(values[:2], z[:2].exp())
    (slopes,) = torch.autograd.grad(values.sum(), z)
    torch.testing.assert_close(slopes, z.exp().detach(), rtol=1e-3, atol=0)


@pytest.mark.parametrize("scale", [1e3, 1e10, 1e30])
def test_zero_inflated_answers_are_finite_for_every_logit(scale, dtype):
    signs = torch.cartesian_prod(*[torch.tensor([-1.0, 1.0])] * 3).to(dtype)
    heads = (signs * scale).unsqueeze(1).requires_grad_()
    output = ZILNOutput()
    mean, chance = output.answers(heads).squeeze(1).unbind(1)
    assert bool(mean.isfinite().all())
    assert mean.max().item() == pytest.approx(math.exp(70))
    assert bool((chance <= 0).all())
    members = torch.stack([heads, heads.flip(0)])
    assert bool(output.combine(members).isfinite().all())

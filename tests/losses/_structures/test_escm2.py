"""Risks are compared with what they estimate, the error had every row been clicked.

Their means are exact and not simulated: each kind of row stands there once for every
outcome of click and conversion, with the outcome's probability as its weight.
"""

import math
import pickle

import pytest
import torch
import torch.nn.functional as F

from sk_mtl.losses import ClassOutput, ESCM2Structure, FunnelStructure, TaskLoss
from tests.losses._asserts import assert_close, assert_rows_sum_to_one, gradient

# True propensities and conversion rates of four kinds of rows, and what is predicted.
PROPENSITY = torch.tensor([0.9, 0.5, 0.2, 0.1], dtype=torch.float64)
RATE = torch.tensor([0.7, 0.1, 0.4, 0.8], dtype=torch.float64)
PREDICTED = torch.tensor([0.6, 0.3, 0.3, 0.2], dtype=torch.float64)
OFF = torch.tensor([0.5, 0.6, 0.3, 0.3], dtype=torch.float64)


def _world(propensity, imputation):
    """Return logits, labels and weights of all outcomes, with given predictions."""
    kinds = torch.logit(torch.stack([propensity, PREDICTED, imputation], 1))
    logits, y, weight = [], [], []
    for click, conversion in ((0, 0), (1, 0), (1, 1)):
        chance = PROPENSITY if click else 1 - PROPENSITY
        if click:
            chance = chance * (RATE if conversion else 1 - RATE)
        logits.append(kinds)
        y.append(torch.tensor([[click, conversion]], dtype=torch.float64).expand(4, 2))
        weight.append(chance.unsqueeze(1).expand(4, 2))
    return torch.cat(logits), torch.cat(y), torch.cat(weight)


def _risk(variant, name, propensity, imputation, *, clip=0.01):
    """Return a part's mean over the outcomes, and its gradient by kind of row."""
    structure = ESCM2Structure(
        variant,
        propensity_clip=clip,
        counterfactual_weight=1.0,
        imputation_weight=1.0,
    )
    logits, y, weight = _world(propensity, imputation)
    logits = logits[:, : len(structure.head_widths)]

    def part(z):
        # The mean is over 12 outcomes of 4 kinds of rows.
        return 3 * structure.auxiliary_losses(z, y, weight)[name]

    return part(logits), gradient(part, logits).unflatten(0, (3, 4)).sum(0)


def _truth():
    """Return the error had every row been clicked, and its gradient in the logit."""
    error = F.binary_cross_entropy(PREDICTED, RATE)
    return error, (PREDICTED - RATE) / 4


@pytest.mark.parametrize(
    ("variant", "propensity", "imputation"),
    [
        ("ipw", PROPENSITY, OFF),
        ("dr", PROPENSITY, OFF),
        ("dr", OFF, RATE),
        ("dr", PROPENSITY, RATE),
    ],
)
def test_risk_and_gradient_are_unbiased(variant, propensity, imputation):
    risk, slope = _risk(variant, "counterfactual", propensity, imputation)
    error, error_slope = _truth()
    assert_close(risk, error)
    assert_close(slope[:, 1], error_slope)


@pytest.mark.parametrize(
    ("variant", "propensity", "clip"),
    [("ipw", OFF, 0.01), ("dr", OFF, 0.01), ("ipw", PROPENSITY, 0.4)],
)
def test_they_are_biased_where_nothing_is_right(variant, propensity, clip):
    risk, slope = _risk(variant, "counterfactual", propensity, OFF, clip=clip)
    error, error_slope = _truth()
    assert abs(risk - error) > 0.01
    assert (slope[:, 1] - error_slope).abs().max() > 0.01


def test_a_right_imputation_makes_up_for_what_is_clipped():
    risk, slope = _risk("dr", "counterfactual", PROPENSITY, RATE, clip=0.4)
    error, error_slope = _truth()
    assert_close(risk, error)
    assert_close(slope[:, 1], error_slope)


def test_errors_of_clicked_rows_alone_are_biased():
    """With clip 1 every clicked row counts 1, as when unclicked rows are dropped."""
    risk, _ = _risk("ipw", "counterfactual", PROPENSITY, OFF, clip=1.0)
    error = F.binary_cross_entropy(PREDICTED, RATE, reduction="none")
    assert_close(risk, (PROPENSITY * error).mean())
    assert abs(risk / PROPENSITY.mean() - error.mean()) > 0.01


@pytest.mark.parametrize("propensity", [PROPENSITY, OFF])
def test_the_imputation_is_taught_the_true_rate(propensity):
    _, slope = _risk("dr", "imputation", propensity, RATE)
    assert_close(slope, torch.zeros(4, 3))
    _, slope = _risk("dr", "imputation", propensity, OFF)
    assert bool((slope[:, 2].sign() == (OFF - RATE).sign()).all())


@pytest.mark.parametrize(
    ("variant", "name", "taught"),
    [
        ("ipw", "counterfactual", 1),
        ("dr", "counterfactual", 1),
        ("dr", "imputation", 2),
    ],
)
def test_each_part_teaches_its_own_head_only(variant, name, taught):
    _, slope = _risk(variant, name, OFF, OFF)
    moved = slope.abs().amax(0) > 0
    assert moved.tolist() == [k == taught for k in range(slope.shape[1])]


def test_doubly_robust_by_hand(dtype):
    """Propensity 1/4, rates 1/2 and 3/4 (imputed), one clicked row of two.

    Both rows expect the error ln 2, whatever the imputed rate, since the predicted one
    is 1/2. So the correction is zero, too, and at logit ln 3 it is not.
    """
    structure = ESCM2Structure("dr", counterfactual_weight=2.0, imputation_weight=3.0)
    y = torch.tensor([[1.0, 1.0], [0.0, 0.0]], dtype=dtype)
    ln3, weight = math.log(3), torch.ones(2, 2, dtype=dtype)
    logits = torch.tensor([[-ln3, 0.0, ln3]] * 2, dtype=dtype)
    parts = structure.auxiliary_losses(logits, y, weight)
    assert_close(parts["counterfactual"], 2 * math.log(2))
    assert parts["imputation"] == 0
    # The error is ln 4/3; the expected one 3/4 ln 4/3 + 1/4 ln 4, more by ln(3) / 4.
    logits[:, 1] = ln3
    parts = structure.auxiliary_losses(logits, y, weight)
    expected = 0.75 * math.log(4 / 3) + 0.25 * math.log(4)
    assert_close(parts["counterfactual"], 2 * (2 * expected - 4 * ln3 / 4) / 2)
    assert_close(parts["imputation"], 3 * 4 * (ln3 / 4) ** 2 / 2)


def test_no_row_weighs_more_than_the_clip_allows(dtype):
    structure = ESCM2Structure("ipw", propensity_clip=0.2)
    logits = torch.tensor([[-50.0, 0.0], [0.0, 0.0]], dtype=dtype)
    assert_close(structure.propensities(logits), [[0.2], [0.5]])
    y = torch.tensor([[1.0, 1.0], [1.0, 0.0]], dtype=dtype)
    parts = structure.auxiliary_losses(logits, y, torch.ones_like(y))
    assert_close(parts["counterfactual"], 0.5 * (5 + 2) * math.log(2) / 2)


@pytest.mark.parametrize("variant", ["ipw", "dr"])
def test_a_row_counts_where_both_labels_are_known(variant, dtype):
    structure = ESCM2Structure(variant)
    logits = torch.randn(4, len(structure.head_widths), dtype=dtype)
    y = torch.tensor([[1.0, 1.0], [1.0, 0.0], [0.0, 0.0], [1.0, 0.0]], dtype=dtype)
    weight = torch.tensor([[1.0, 2.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]], dtype=dtype)

    def risk(z):
        return sum(structure.auxiliary_losses(z, y, weight).values())

    moved = gradient(risk, logits).abs().amax(1) > 0
    assert moved.tolist() == [True, False, False, True]
    rows = [
        sum(
            structure.auxiliary_losses(
                logits[[k]], y[[k]], torch.ones(1, 2, dtype=dtype)
            ).values()
        )
        for k in (0, 3)
    ]
    assert_close(risk(logits), (2 * rows[0] + rows[1]).double() / 4)


@pytest.mark.parametrize("variant", ["ipw", "dr"])
def test_it_answers_as_a_funnel(variant, dtype):
    structure, funnel = ESCM2Structure(variant), FunnelStructure(2)
    logits = torch.randn(3, 20, len(structure.head_widths), dtype=dtype)
    one, two = logits[0], logits[0][:, :2]
    y = torch.randint(0, 2, (20, 2)).cummin(1).values.to(dtype)
    assert torch.equal(structure.row_losses(one, y), funnel.row_losses(two, y))
    for method in ("log_proba", "conditional_log_proba"):
        ours = getattr(structure, method)(one)
        theirs = getattr(funnel, method)(two)
        assert all(map(torch.equal, ours, theirs))
        assert len(ours) == 2
    combined = structure.combine(logits)
    assert combined.shape == one.shape
    assert_rows_sum_to_one(structure.log_proba(combined))
    assert torch.equal(combined[:, :2], funnel.combine(logits[..., :2]))
    if variant == "dr":
        mean = torch.sigmoid(logits[..., 2]).mean(0)
        assert_close(torch.sigmoid(combined[:, 2]), mean.double())


def test_heads_are_not_tasks():
    ipw, dr = ESCM2Structure("ipw"), ESCM2Structure("dr")
    assert (ipw.n_tasks, ipw.head_widths, ipw.head_tasks) == (2, (1, 1), (0, 1))
    assert (dr.n_tasks, dr.head_widths, dr.head_tasks) == (2, (1, 1, 1), (0, 1, 1))
    assert ipw.auxiliary_names == ("counterfactual",)
    assert dr.auxiliary_names == ("counterfactual", "imputation")


@pytest.mark.parametrize("variant", ["ipw", "dr"])
def test_losses_and_gradients_are_finite_at_extreme_logits(variant, dtype):
    values = torch.tensor([-200.0, -40.0, 0.0, 40.0, 200.0], dtype=dtype)
    structure = ESCM2Structure(variant)
    logits = torch.cartesian_prod(*[values] * len(structure.head_widths))
    loss = TaskLoss(structure, torch.ones(2), torch.ones(2)).to(dtype)
    for y in ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0)):
        y = torch.tensor([y], dtype=dtype).expand(len(logits), 2)
        assert bool(loss(logits, y).isfinite())
        assert bool(gradient(lambda z, y=y: loss(z, y), logits).isfinite().all())


def test_members_are_trained_as_they_would_be_alone(dtype):
    loss = TaskLoss(
        ESCM2Structure("dr"), torch.tensor([1.0, 0.5]), torch.tensor([1.0, 3.0])
    ).to(dtype)
    logits, weight = torch.randn(3, 6, 3, dtype=dtype), torch.rand(6, 2, dtype=dtype)
    y = torch.randint(0, 2, (6, 2)).cummin(1).values.to(dtype)
    each = sum(loss(one, y, weight) for one in logits)
    assert_close(loss(logits, y, weight), each.double(), 1e-5)


def test_how_extreme_weights_are_by_hand(dtype):
    """Clicked rows weigh 10, 2 and 2: (14)^2 / 108 rows; two of five are clipped."""
    structure = ESCM2Structure(propensity_clip=0.1)
    propensity = torch.tensor([0.05, 0.5, 0.5, 0.01, 0.3], dtype=dtype)
    logits = torch.stack([torch.logit(propensity), torch.zeros(5, dtype=dtype)], 1)
    y = torch.tensor([[1.0, 0], [1, 1], [1, 0], [0, 0], [0, 0]], dtype=dtype)
    summary = structure.weight_summary(logits, y)
    expected = {
        "steps": 1,
        "clipped_share": 0.4,
        "clicked_rows": 3,
        "effective_rows": 196 / 108,
    }
    assert {k: pytest.approx([v]) for k, v in expected.items()} == summary
    none = structure.weight_summary(logits, torch.zeros_like(y))
    assert none["clicked_rows"] == none["effective_rows"] == [0]


@pytest.mark.parametrize("variant", ["ipw", "dr"])
def test_in_a_tree_each_branch_has_the_risk_of_a_pair(variant):
    tree = ESCM2Structure(variant, n_steps=3, parents=[None, 0, 0])
    pair = ESCM2Structure(variant)
    assert tree.head_tasks == (0, 1, 2) + ((1, 2) if variant == "dr" else ())
    logits = torch.randn(50, 5, dtype=torch.float64)
    click = torch.rand(50) < 0.5
    y = torch.stack([click, click & (logits[:, 1] > 0), click & (logits[:, 2] > 0)], 1)
    y, weight = y.double(), torch.rand(50, 3, dtype=torch.float64)
    whole = tree.auxiliary_losses(logits[:, : len(tree.head_widths)], y, weight)
    heads = {1: [0, 1, 3], 2: [0, 2, 4]}
    parts = [
        pair.auxiliary_losses(
            logits[:, columns[: len(pair.head_widths)]],
            y[:, [0, step]],
            weight[:, [0, step]],
        )
        for step, columns in heads.items()
    ]
    for name, value in whole.items():
        assert_close(value, sum(part[name] for part in parts))


def test_the_tasks_may_have_another_form_of_loss():
    output = ClassOutput(2, focal_gamma=2.0)
    structure, plain = ESCM2Structure(output=output), ESCM2Structure()
    logits, y = (
        torch.randn(5, 2),
        torch.tensor([[1.0, 1], [1, 0], [0, 0]] + [[1, 0]] * 2),
    )
    funnel = FunnelStructure(2, output=output)
    assert_close(structure.row_losses(logits, y), funnel.row_losses(logits, y))
    weight = torch.ones_like(y)
    assert structure.auxiliary_losses(logits, y, weight) == plain.auxiliary_losses(
        logits, y, weight
    )


def test_it_survives_pickle():
    structure = pickle.loads(pickle.dumps(ESCM2Structure("dr", propensity_clip=0.1)))
    assert (structure.variant, structure.propensity_clip) == ("dr", 0.1)
    assert structure.head_widths == (1, 1, 1)


def test_an_unknown_variant_is_refused():
    with pytest.raises(ValueError, match=r"one of \['ipw', 'dr'\]; found 'ips'"):
        ESCM2Structure("ips")


@pytest.mark.parametrize("clip", [0.0, -1.0, 1.5])
def test_a_clip_must_be_a_probability(clip):
    with pytest.raises(ValueError, match=f"greater than 0 and at most 1; found {clip}"):
        ESCM2Structure(propensity_clip=clip)

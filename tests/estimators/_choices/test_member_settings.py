"""Settings that are drawn for each member."""

import numpy as np
import pytest
from numpy.random import RandomState
from scipy.stats import loguniform

from sk_mtl.estimators._choices._member_settings import draw_member_settings
from tests.estimators.common import refuse


def draw(member_params, n_members=400):
    return draw_member_settings(member_params, n_members, 0.01, RandomState(0))


def test_a_pair_is_drawn_by_its_logarithm():
    drawn = draw({"lr": (1e-4, 1e-2), "weight_decay": (1e-3, 1e-1)})
    for name, low in (("lr", 1e-4), ("weight_decay", 1e-3)):
        assert ((drawn[name] >= low) & (drawn[name] <= 100 * low)).all()
        # Half are below the geometric mean.
        assert 0.4 < (drawn[name] < 10 * low).mean() < 0.6


def test_dropout_is_drawn_uniformly():
    dropout = draw({"dropout": (0.0, 0.4)})["dropout"]
    assert 0 <= dropout.min() < 0.02
    assert 0.38 < dropout.max() <= 0.4
    assert abs(dropout.mean() - 0.2) < 0.02


def test_lists_and_distributions():
    drawn = draw({"lr": [0.1, 0.2], "weight_decay": loguniform(1e-3, 1e-2)})
    assert set(drawn["lr"]) == {0.1, 0.2}
    assert ((drawn["weight_decay"] >= 1e-3) & (drawn["weight_decay"] <= 1e-2)).all()
    again = draw({"lr": [0.1, 0.2], "weight_decay": loguniform(1e-3, 1e-2)})
    for name, values in drawn.items():
        np.testing.assert_array_equal(values, again[name])


def test_automatic_ranges_follow_the_rate():
    drawn = draw("auto")
    assert list(drawn) == ["lr", "weight_decay", "dropout"]
    assert 0.0025 <= drawn["lr"].min() < drawn["lr"].max() <= 0.02


@pytest.mark.parametrize("found", ["n_bins", "batch_size", "embedding_dim"])
def test_a_parameter_that_cannot_differ(found):
    refuse(
        lambda: draw({"lr": (0.1, 0.2), found: [1, 2]}),
        "member_params must be keyed by parameters that can differ between members, "
        f"['lr', 'weight_decay', 'dropout']; found [{found!r}]. Parameters that change "
        "the shape of the network, its inputs or its batches are equal for all "
        "members: set them on the estimator.",
    )


@pytest.mark.parametrize(
    ("member_params", "message"),
    [
        (
            {"lr": 0.1},
            "member_params['lr'] must be a pair (low, high), a list of values",
        ),
        (
            {"lr": []},
            "member_params['lr'] must be a pair (low, high), a list of values",
        ),
        ({"lr": (0, 0.1)}, "member_params['lr'] must be a pair with 0 < low <= high"),
        ({"lr": (0.2, 0.1)}, "member_params['lr'] must be a pair with 0 < low <= high"),
        (
            {"dropout": (-0.1, 0.1)},
            "member_params['dropout'] must be a pair with 0 <= ",
        ),
        (
            {"dropout": [1.0]},
            "member_params['dropout'] must give values in [0, 1); found",
        ),
        ({"lr": [-1]}, "member_params['lr'] must give values above 0; found -1"),
        (
            {"weight_decay": [-1]},
            "member_params['weight_decay'] must give values at leas",
        ),
        (
            {},
            "member_params must be keyed by parameters that can differ between members",
        ),
    ],
    ids=str,
)
def test_values_that_cannot_be_drawn(member_params, message):
    with pytest.raises(ValueError) as caught:
        draw(member_params)
    assert str(caught.value).startswith(message)

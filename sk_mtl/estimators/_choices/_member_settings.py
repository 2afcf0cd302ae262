"""Settings that differ between the members of an ensemble, drawn for each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.random import RandomState

from sk_mtl.estimators._shared_parameters import SharedParameters
from sk_mtl.estimators._training._optimizers import takes_decay

#: The parameters that can differ between members.
MEMBER_PARAMS = ("lr", "weight_decay", "dropout")


def draw_settings(wanted: SharedParameters) -> dict[str, np.ndarray]:
    """Return the settings of each member by torch's seed; none if all are equal.

    Raise if the members of an ensemble cannot have settings of their own.
    """
    if wanted.member_params is None:
        return {}
    if wanted.n_members == 1 or wanted.member_sharing != "none":
        raise ValueError(
            "member_params needs at least two members with member_sharing='none'; "
            f"found n_members={wanted.n_members} and "
            f"member_sharing={wanted.member_sharing!r}. Set n_members=16 and "
            "member_sharing='none', or member_params=None."
        )
    # Without a draw from torch's generator, the network starts as without settings.
    rng = RandomState(torch.initial_seed() % 2**32)
    settings = draw_member_settings(
        wanted.member_params, wanted.n_members, wanted.lr, rng
    )
    if "weight_decay" in settings and not takes_decay(wanted.optimizer):
        if not isinstance(wanted.member_params, str):
            raise ValueError(
                "member_params must not name weight_decay where the optimizer has "
                f"none; found {wanted.optimizer.__name__}. Leave weight_decay out."
            )
        del settings["weight_decay"]
    return settings


def draw_member_settings(
    member_params: str | Mapping[str, Any],
    n_members: int,
    lr: float,
    rng: RandomState,
) -> dict[str, np.ndarray]:
    """Return the values of each member, by the names of parameters.

    Parameters
    ----------
    member_params : "auto" or mapping
        By the name of a parameter: a pair (low, high), a list of values, or a
        distribution with the method `rvs`.

    n_members : int

    lr : float
        The learning rate around which ``"auto"`` draws.

    rng : RandomState

    Examples
    --------
    >>> from numpy.random import RandomState
    >>> from sk_mtl.estimators._choices._member_settings import draw_member_settings
    >>> drawn = draw_member_settings({"dropout": [0.2]}, 3, 0.008, RandomState(0))
    >>> drawn["dropout"].tolist()
    [0.2, 0.2, 0.2]
    """
    if isinstance(member_params, str):
        member_params = {
            "lr": (lr / 4, lr * 2),
            "weight_decay": (1e-4, 0.1),
            "dropout": (0.0, 0.3),
        }
    wrong = [name for name in member_params if name not in MEMBER_PARAMS]
    if wrong or not member_params:
        raise ValueError(
            "member_params must be keyed by parameters that can differ between "
            f"members, {list(MEMBER_PARAMS)}; found {wrong or 'none'}. Parameters that "
            "change the shape of the network, its inputs or its batches are equal for "
            "all members: set them on the estimator."
        )
    return {
        name: _draw(name, given, n_members, rng)
        for name, given in member_params.items()
    }


def _draw(name: str, given, n_members: int, rng: RandomState) -> np.ndarray:
    if hasattr(given, "rvs"):
        drawn = given.rvs(size=n_members, random_state=rng)
    elif isinstance(given, tuple) and len(given) == 2:
        low, high = _bounds(name, given)
        drawn = rng.uniform(low, high, n_members)
        drawn = drawn if name == "dropout" else np.exp(drawn)
    elif isinstance(given, list) and given:
        drawn = np.array(given)[rng.randint(len(given), size=n_members)]
    else:
        raise ValueError(
            f"member_params[{name!r}] must be a pair (low, high), a list of values or "
            f"a distribution with the method rvs; found {given!r}. Give for instance "
            "(0.001, 0.01)."
        )
    return _checked(name, drawn)


def _bounds(name: str, given: tuple) -> tuple[float, float]:
    """Return the bounds of a uniform draw: of the value, or of its logarithm."""
    low, high = given
    lowest = 0.0 if name == "dropout" else np.nextafter(0, 1)
    if not lowest <= low <= high:
        kind = "0 <= low" if name == "dropout" else "0 < low"
        raise ValueError(
            f"member_params[{name!r}] must be a pair with {kind} <= high; found "
            f"{given!r}. Correct the pair, or give a list of values."
        )
    return (low, high) if name == "dropout" else (np.log(low), np.log(high))


def _checked(name: str, drawn) -> np.ndarray:
    drawn = np.asarray(drawn, dtype=float)
    fits = drawn > 0 if name == "lr" else drawn >= 0
    fits &= drawn < (1 if name == "dropout" else np.inf)
    if not fits.all():
        must = {
            "lr": "above 0",
            "weight_decay": "at least 0",
            "dropout": "in [0, 1)",
        }[name]
        raise ValueError(
            f"member_params[{name!r}] must give values {must}; found "
            f"{drawn[~fits][0]:g}. Give others."
        )
    return drawn

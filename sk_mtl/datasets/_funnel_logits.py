"""From a log of impressions to the true logit of every step, up to its intercept."""

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit, logit as log_odds

from sk_mtl.datasets._funnel_world import N_LATENT, noisy_projection

# Standard deviation of a step's own logit over the rows.
SPREAD = 1.6
# How sharply attention picks the earlier items that resemble the one that is shown.
SHARPNESS = 5.0
MAX_NEWTON_STEPS = 50
# Weight of each part in the own logit of the first step and of every later step. The
# slot on the page counts for being noticed and no longer afterwards.
WEIGHTS = {
    "affinity": (0.8, 0.8),
    "match": (1.6, 0.3),
    "mood": (0.7, 0.35),
    "user": (0.4, 0.5),
    "item": (0.5, 0.5),
    "price": (0.3, 0.6),
    "discount": (0.1, 0.4),
    "position": (0.4, 0.0),
    "freshness": (0.3, 0.1),
    "hour": (0.3, 0.3),
}


def step_logits(users, items, log, n_steps, click_rate, selection_strength, rng):
    """Return a list of arrays of shape (n_samples,), one per step, without intercepts.

    The selection strength changes the first step only.
    """
    shared = _shared_parts(users, items, log)
    own = []
    for step in range(n_steps):
        parts = shared | _step_parts(users, items, log, rng)
        weighted = [WEIGHTS[name][min(step, 1)] * parts[name] for name in WEIGHTS]
        own.append(standardised(sum(weighted)))
    first, later = own[0], own[1:]
    if not later:
        return [SPREAD * first]
    unrelated = _unrelated(SPREAD * first, later, click_rate)
    first = unrelated + selection_strength * standardised(sum(later))
    return [first, *(SPREAD * logit for logit in later)]


def _shared_parts(users, items, log):
    """Return the parts that are the same function of the log in every step."""
    parts = {
        "price": -((np.log(log.price) - users.budget[log.user]) ** 2),
        "discount": np.sqrt(log.discount),
        "position": 1 / np.log2(1 + log.position),
        "freshness": np.exp(-log.item_age / 10),
    }
    parts = {name: standardised(part) for name, part in parts.items()}
    return parts | {"match": _match(items.kind, log)}


def _step_parts(users, items, log, rng):
    """Return the parts in which every step has latent directions of its own."""
    importance = rng.standard_normal(N_LATENT)
    appeal = items.kind @ rng.standard_normal(N_LATENT)
    user_level = noisy_projection(users.taste, rng)
    item_level = noisy_projection(items.kind * np.sqrt(N_LATENT), rng)
    peak = rng.uniform(0, 24)
    taste, kind = users.taste[log.user], items.kind[log.item]
    parts = {
        "affinity": np.einsum("nd,nd,d->n", taste, kind, importance),
        "user": user_level[log.user],
        "item": item_level[log.item],
        "hour": np.cos(2 * np.pi * (log.hour - peak) / 24),
    }
    parts = {name: standardised(part) for name, part in parts.items()}
    return parts | {"mood": _mood(appeal, log)}


def _match(kind, log):
    """Return the attention of the shown item over the earlier ones."""
    shown = kind[log.item]
    total, weight = np.zeros((2, len(shown)))
    for earlier in log.earlier.T:
        likeness = np.einsum("nd,nd->n", shown, kind[earlier])
        attention = np.where(earlier >= 0, np.exp(SHARPNESS * likeness), 0.0)
        total += attention * likeness
        weight += attention
    return _mean_where_known(total, weight)


def _mood(appeal, log):
    """Return the mean appeal of the earlier items, independent of the item shown."""
    known = log.earlier >= 0
    return _mean_where_known((appeal[log.earlier] * known).sum(1), known.sum(1))


def _mean_where_known(total, weight):
    """Standardise over the rows with a history; the others get the mean, zero."""
    known = weight > 0
    mean = np.zeros(len(total))
    mean[known] = standardised(total[known] / weight[known])
    return mean


def _unrelated(first, later, rate):
    """Return `first` plus cubic polynomials of the later logits, unrelated to them.

    The polynomials are those for which the probability of the first step, at its given
    mean, is uncorrelated with the first three powers of every later logit. (Taking a
    least-squares fit away makes the logits uncorrelated, but not the probabilities:
    rows of high conversion rate would still be clicked a little less often.) This is
    a logistic regression with `first` as its offset, solved by Newton's method.
    """
    powers = [logit**k for logit in later for k in (1, 2, 3)]
    basis = np.column_stack([np.ones_like(first), *powers])
    first = SPREAD * standardised(first - basis @ np.linalg.lstsq(basis, first)[0])
    logit = first + intercept(first, rate)
    for _ in range(MAX_NEWTON_STEPS):
        p = expit(logit)
        curvature = basis.T @ (basis * (p * (1 - p))[:, None])
        step = np.linalg.lstsq(curvature, basis.T @ (rate - p))[0]
        logit = logit + basis @ step
        if np.abs(step).max() < 1e-10:
            break
    return logit


def intercept(logit, rate):
    """Return the intercept at which the mean probability equals the rate."""
    low, high = log_odds(rate) - logit.max(), log_odds(rate) - logit.min()
    # At the ends all probabilities lie on one side of the rate. Widening them keeps
    # rounding from putting the root outside when all logits are equal.
    return brentq(lambda b: expit(logit + b).mean() - rate, low - 1, high + 1)


def standardised(values):
    """Scale to mean zero and variance one; zeros where all values are equal."""
    if values.size == 0:
        return values
    deviation = values - values.mean()
    scale = deviation.std()
    return deviation / scale if scale > 1e-12 else np.zeros_like(deviation)

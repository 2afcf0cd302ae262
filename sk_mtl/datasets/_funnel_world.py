"""Users, items and the log of what was shown to whom, for `make_conversion_funnel`."""

from dataclasses import dataclass

import numpy as np
from scipy.special import softmax

N_LATENT = 8
N_DAYS = 30
N_SLOTS = 10
AGE_GROUPS = ("18-24", "25-34", "35-44", "45-54", "55-64", "65+")
COUNTRIES = ("AT", "BR", "CA", "DE", "FR", "IN", "JP", "MX", "SE", "US")
CATEGORIES = (
    "books",
    "clothing",
    "electronics",
    "garden",
    "groceries",
    "music",
    "sports",
    "toys",
)
BRANDS = tuple(f"brand_{number:02d}" for number in range(20))


@dataclass(frozen=True)
class Users:
    """Users: hidden taste and budget, and the codes that are shown."""

    taste: np.ndarray  # (n_users, N_LATENT)
    activity: np.ndarray  # (n_users,), shares of the log
    budget: np.ndarray  # (n_users,), logarithm of the preferred price
    age_group: np.ndarray  # (n_users,), code into AGE_GROUPS
    country: np.ndarray  # (n_users,), code into COUNTRIES


@dataclass(frozen=True)
class Items:
    """Items: hidden kind and popularity, and the codes that are shown."""

    kind: np.ndarray  # (n_items, N_LATENT), rows of length one
    centre: np.ndarray  # (n_categories, N_LATENT), rows of length one
    popularity: np.ndarray  # (n_items,)
    price: np.ndarray  # (n_items,)
    published: np.ndarray  # (n_items,), in days; the log begins on day 0
    category: np.ndarray  # (n_items,), code into CATEGORIES
    brand: np.ndarray  # (n_items,), code into BRANDS


@dataclass(frozen=True)
class Log:
    """One row per impression, in the order of time."""

    user: np.ndarray  # (n_samples,)
    item: np.ndarray  # (n_samples,)
    earlier: np.ndarray  # (n_samples, sequence_length), oldest first, -1 is padding
    hour: np.ndarray  # (n_samples,), 0 to 23
    item_age: np.ndarray  # (n_samples,), in days
    position: np.ndarray  # (n_samples,), slot on the page from 1
    discount: np.ndarray  # (n_samples,), share of the item's price
    price: np.ndarray  # (n_samples,), after the discount


def draw_users(n_users, rng):
    taste = rng.standard_normal((n_users, N_LATENT))
    activity = rng.lognormal(sigma=0.7, size=n_users)
    seniority = noisy_projection(taste, rng)
    return Users(
        taste=taste,
        activity=activity / activity.sum(),
        budget=3.0 + 0.5 * seniority,
        age_group=np.searchsorted([-1.0, -0.4, 0.2, 0.8, 1.4], seniority),
        country=_noisy_argmax(taste, len(COUNTRIES), rng),
    )


def draw_items(n_items, rng):
    centre = _unit(rng.standard_normal((min(len(CATEGORIES), n_items), N_LATENT)))
    category = rng.randint(len(centre), size=n_items)
    own = rng.standard_normal((n_items, N_LATENT)) / np.sqrt(N_LATENT)
    kind = _unit(centre[category] + 0.3 * own)
    return Items(
        kind=kind,
        centre=centre,
        popularity=rng.lognormal(sigma=0.7, size=n_items),
        price=np.exp(3.0 + 0.6 * rng.standard_normal(n_items)),
        published=-rng.exponential(scale=20.0, size=n_items),
        category=category,
        brand=_noisy_argmax(3.0 * kind, len(BRANDS), rng),
    )


def draw_log(n_samples, users, items, sequence_length, rng):
    user = rng.choice(len(users.activity), size=n_samples, p=users.activity)
    item = _shown_items(user, users, items, rng)
    day = _times(n_samples, rng)
    on_sale = rng.random_sample(n_samples) < 0.3
    discount = on_sale * rng.choice([0.1, 0.2, 0.3, 0.5], size=n_samples)
    return Log(
        user=user,
        item=item,
        earlier=earlier_items(user, item, sequence_length),
        hour=np.floor(day % 1 * 24).astype(np.int64),
        item_age=day - items.published[item],
        position=rng.randint(1, N_SLOTS + 1, size=n_samples),
        discount=discount,
        price=(items.price[item] * (1 - discount)).round(2),
    )


def earlier_items(user, item, length):
    """Return the user's last items before each row, oldest first, padded with -1."""
    by_user = np.argsort(user, kind="stable")
    sorted_user, sorted_item = user[by_user], item[by_user]
    # How many rows the same user has before this one.
    n_before = np.arange(len(user)) - np.searchsorted(sorted_user, sorted_user)
    earlier = np.full((len(user), length), -1)
    for lag in range(1, length + 1):
        rows = np.flatnonzero(n_before >= lag)
        earlier[by_user[rows], length - lag] = sorted_item[rows - lag]
    return earlier


def noisy_projection(vectors, rng):
    """Return one number per row: a random direction explains 64 % of its variance."""
    direction = _unit(rng.standard_normal((1, vectors.shape[1])))[0]
    return 0.8 * vectors @ direction + 0.6 * rng.standard_normal(len(vectors))


def _shown_items(user, users, items, rng):
    """Draw a category by the user's taste, then an item of it by popularity."""
    n_users, n_categories = len(users.activity), len(items.centre)
    share = np.cumsum(softmax(users.taste @ items.centre.T, axis=1), axis=1)
    # Adding the user's number makes one increasing array of all users' shares, in
    # which a single search finds the category of every row.
    ladder = (share + np.arange(n_users)[:, None]).ravel()
    draw = user + rng.random_sample(len(user))
    category = np.searchsorted(ladder, draw) - user * n_categories
    category = np.clip(category, 0, n_categories - 1)

    by_category = np.argsort(items.category, kind="stable")
    total = np.concatenate([[0.0], np.cumsum(items.popularity[by_category])])
    ends = np.cumsum(np.bincount(items.category, minlength=n_categories))
    low, high = total[np.concatenate([[0], ends[:-1]])][category], total[ends][category]
    draw = low + rng.random_sample(len(user)) * (high - low)
    place = np.searchsorted(total, draw, side="right") - 1
    return by_category[np.minimum(place, len(by_category) - 1)]


def _times(n_samples, rng):
    """Return increasing days since the log began, with most rows in the evening."""
    busy = 1.0 - 0.8 * np.cos(2 * np.pi * (np.arange(24) - 6) / 24)
    hour = rng.choice(24, size=n_samples, p=busy / busy.sum())
    hour = hour + rng.random_sample(n_samples)
    return np.sort(rng.randint(N_DAYS, size=n_samples) + hour / 24)


def _noisy_argmax(vectors, n_values, rng):
    scores = vectors @ rng.standard_normal((vectors.shape[1], n_values)) / 2
    return (scores + rng.gumbel(size=scores.shape)).argmax(axis=1)


def _unit(vectors):
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

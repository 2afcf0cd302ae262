"""Tables of one difficulty each, drawn anew for every seed.

Every table has many rows to score beside those to fit, so that a difference of two
models is not the draw of the scored rows. Census rows are of the training files.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial

import numpy as np
import pandas as pd
from _suite import SuiteTable, Task
from scipy.special import expit

from sk_mtl.datasets import (
    load_adult,
    load_census_income,
    make_conversion_funnel,
)

N_SHOPS = 300
MISSING_SHARE = 0.3


@dataclass(frozen=True)
class HardTable:
    """Rows to fit and rows to score.

    Attributes
    ----------
    table : SuiteTable
        All rows. Of a funnel the last column of y is, in rows to score, whether the row
        would convert if it were clicked.

    train, test : ndarray of int
        Positions of the rows to fit and to score.

    rates : ndarray of shape (n_rows,) or None
        Of a funnel the true conversion rates of all rows.
    """

    table: SuiteTable
    train: np.ndarray
    test: np.ndarray
    rates: np.ndarray | None = None


def _make(name: str, X: pd.DataFrame, y: pd.DataFrame, n_fit: int, rates=None):
    """Return a table of classes, of which the first rows are fitted."""
    tasks = tuple(Task(column, "binary") for column in y)
    X, y = X.reset_index(drop=True), y.reset_index(drop=True)
    table = SuiteTable(name, tasks, X, y, "random")
    return HardTable(table, np.arange(n_fit), np.arange(n_fit, len(X)), rates)


def draw_missing(with_meaning: bool, seed: int, n_fit: int = 8_000) -> HardTable:
    """Return Adult without 30 % of its cells.

    At random each cell has the same chance. With meaning the upper half of a number,
    and every second category, are missing eleven times as often as the others.
    """
    rng = np.random.default_rng(seed)
    X, y = _read_adult()
    rows = rng.permutation(len(X))
    X, y = X.iloc[rows], y.iloc[rows]
    chance = np.full(X.shape, MISSING_SHARE)
    if with_meaning:
        for k, (_, column) in enumerate(X.items()):
            if isinstance(column.dtype, pd.CategoricalDtype):
                often = column.cat.codes % 2 == 0
            else:
                often = column > column.median()
            weight = np.where(often, 11.0, 1.0)
            chance[:, k] = np.clip(MISSING_SHARE * weight / weight.mean(), 0, 0.95)
    X = X.mask(rng.random(X.shape) < chance)
    return _make("missing", X, y, n_fit)


def draw_rare(
    share: float, seed: int, n_fit: int = 20_000, n_score: int = 60_000
) -> HardTable:
    """Return Census-Income (KDD) with few rows of a large income."""
    rng = np.random.default_rng(seed)
    X, y = _read_census()
    is_rare = y["income"].to_numpy() == y["income"].unique().max()
    rare = rng.permutation(np.flatnonzero(is_rare))
    common = rng.permutation(np.flatnonzero(~is_rare))
    chosen, start = [], 0
    for n in (n_fit, n_score):
        n_rare = round(share * n)
        part = np.concatenate(
            [
                rare[round(share * start) :][:n_rare],
                common[start:][: n - n_rare],
            ]
        )
        chosen.append(rng.permutation(part))
        start += n
    rows = np.concatenate(chosen)
    return _make("rare", X.iloc[rows], y.iloc[rows], n_fit)


def draw_wide(
    seed: int,
    n_numbers: int = 1_000,
    n_informative: int = 30,
    n_fit: int = 3_000,
    n_score: int = 5_000,
) -> HardTable:
    """Return two related tasks of many numbers, of which few say something."""
    rng = np.random.default_rng(seed)
    z = rng.standard_normal((n_fit + n_score, n_numbers))
    informative = z[:, rng.permutation(n_numbers)[:n_informative]]
    shared = _sum_of_curves(informative, rng)
    logits = [shared + 0.5 * _sum_of_curves(informative, rng) for _ in range(2)]
    X = pd.DataFrame(z.astype("float32")).add_prefix("number_")
    return _make("wide", X, _labels(np.column_stack(logits), rng), n_fit)


def draw_tasks(
    n_tasks: int, seed: int, n_fit: int = 3_000, n_score: int = 5_000
) -> HardTable:
    """Return tasks that are mixtures of the same six curved sums, and of their own."""
    rng = np.random.default_rng(seed)
    n_rows = n_fit + n_score
    z, X = _draw_columns(n_rows, 15, (4, 12), rng)
    common = np.column_stack([_sum_of_curves(z, rng) for _ in range(6)])
    weights = rng.standard_normal((6, n_tasks)) / np.sqrt(6)
    own = np.column_stack([_sum_of_curves(z, rng) for _ in range(n_tasks)])
    logits = common @ weights + 0.5 * own + rng.normal(-1, 1, n_tasks)
    return _make("tasks", X, _labels(logits, rng), n_fit)


def draw_funnel(seed: int, n_fit: int = 30_000, n_score: int = 30_000) -> HardTable:
    """Return impressions of 300 shops, of which a fifth is clicked.

    Numbers act along curves, shops of few impressions are many, and rows that are
    clicked more often convert more often.
    """
    rng = np.random.default_rng(seed)
    n_rows = n_fit + n_score
    z, X = _draw_columns(n_rows, 8, (3, 7), rng)
    popularity = 1 / np.arange(1, N_SHOPS + 1) ** 0.7
    shop = rng.choice(N_SHOPS, n_rows, p=popularity / popularity.sum())
    X["shop"] = pd.Categorical(shop)
    click = 0.8 * _sum_of_curves(z, rng) + 0.6 * rng.standard_normal(N_SHOPS)[shop]
    convert = 0.7 * _sum_of_curves(z, rng) + 0.6 * rng.standard_normal(N_SHOPS)[shop]
    convert += 0.6 * click
    rates = expit(convert - np.quantile(convert, 0.85))
    clicked = rng.random(n_rows) < expit(click - np.quantile(click, 0.85))
    converts = rng.random(n_rows) < rates
    in_fit = np.arange(n_rows) < n_fit
    y = pd.DataFrame(
        {"click": clicked, "conversion": np.where(in_fit, clicked & converts, converts)}
    )
    return _make("funnel", X, y.astype("int64"), n_fit, rates)


def draw_log(seed: int, n_fit: int = 30_000, n_score: int = 30_000) -> HardTable:
    """Return users and items of `make_conversion_funnel`, without their histories."""
    X, y, truth = make_conversion_funnel(n_fit + n_score, random_state=seed)
    rates = truth["conversion_rate"].to_numpy()
    drawn = np.random.default_rng(seed).random(len(y)) < rates
    drawn[:n_fit] = y["conversion"][:n_fit]
    y = y.assign(conversion=drawn.astype("int64"))
    return _make("log", X.drop(columns="history"), y, n_fit, rates)


def _draw_columns(n_rows: int, n_numbers: int, sizes, rng):
    """Return numbers behind the columns, and the columns.

    Every second number is shown on a logarithmic scale; categories, one column per
    entry of `sizes`, are intervals of a number in an order that says nothing.
    """
    z = rng.standard_normal((n_rows, n_numbers + len(sizes)))
    X = {}
    for k in range(n_numbers):
        X[f"number_{k}"] = np.exp(z[:, k]) if k % 2 else z[:, k]
    for size, column in zip(sizes, z.T[n_numbers:], strict=True):
        edges = np.quantile(column, np.linspace(0, 1, size + 1)[1:-1])
        X[f"kind_{size}"] = pd.Categorical(
            rng.permutation(size)[edges.searchsorted(column)]
        )
    return z, pd.DataFrame(X)


_SHAPES: tuple[Callable, ...] = (
    lambda z, at: z > at,
    lambda z, at: -((z - at) ** 2),
    lambda z, at: np.sin(2 * (z - at)),
    lambda z, at: np.maximum(z - at, 0),
    lambda z, at: np.exp(-4 * (z - at) ** 2),
)


def _sum_of_curves(z: np.ndarray, rng) -> np.ndarray:
    """Return a sum with variance 1 of a curve per column, and of some products."""
    curves = np.column_stack(
        [
            _standardised(_SHAPES[rng.integers(len(_SHAPES))](column, at))
            for column, at in zip(z.T, rng.uniform(-1, 1, z.shape[1]), strict=True)
        ]
    )
    total = curves @ rng.standard_normal(curves.shape[1])
    pairs = rng.permutation(curves.shape[1])[: curves.shape[1] // 4 * 2].reshape(2, -1)
    products = (curves[:, pairs[0]] * curves[:, pairs[1]]).sum(axis=1)
    return _standardised(_standardised(total) + 0.5 * _standardised(products))


def _standardised(values: np.ndarray) -> np.ndarray:
    values = values - np.mean(values)
    return values / max(values.std(), 1e-12)


def _labels(logits: np.ndarray, rng) -> pd.DataFrame:
    drawn = rng.random(logits.shape) < expit(1.5 * logits)
    return pd.DataFrame(drawn.astype("int64")).add_prefix("task_")


@cache
def _read_adult():
    return load_adult(return_X_y=True)


@cache
def _read_census():
    return load_census_income(return_X_y=True)


DRAWS: dict[str, Callable[[int], HardTable]] = {
    "30 % missing at random": partial(draw_missing, False),
    "30 % missing with meaning": partial(draw_missing, True),
    "1 % positive": partial(draw_rare, 0.01),
    "0.3 % positive": partial(draw_rare, 0.003),
    "1,000 numbers": draw_wide,
    "5 tasks": partial(draw_tasks, 5),
    "20 tasks": partial(draw_tasks, 20),
    "60 tasks": partial(draw_tasks, 60),
    "funnel of 300 shops": draw_funnel,
    "funnel of users and items": draw_log,
}

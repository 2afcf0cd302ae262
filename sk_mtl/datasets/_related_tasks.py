"""The synthetic tasks of the MMoE paper, with a chosen correlation."""

from numbers import Integral, Real

import numpy as np
import pandas as pd
from sklearn.utils import check_random_state

from sk_mtl._sklearn_compat import Interval, StrOptions, validate_params

N_WAVES = 4


@validate_params(
    {
        "n_samples": [Interval(Integral, 1, None, closed="left")],
        "n_features": [Interval(Integral, 1, None, closed="left")],
        "n_tasks": [Interval(Integral, 1, None, closed="left")],
        "correlation": [Interval(Real, -1, 1, closed="both")],
        "task_type": [StrOptions({"regression", "classification"})],
        "noise": [Interval(Real, 0, None, closed="left")],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def make_related_tasks(
    n_samples=10_000,
    n_features=20,
    *,
    n_tasks=2,
    correlation=0.5,
    task_type="regression",
    noise=0.1,
    random_state=None,
):
    r"""Draw tasks that are as closely related as one asks for.

    These are the synthetic data of section 3.2 of the paper on multi-gate
    mixture-of-experts (MMoE) [1]_, for any number of tasks. Task :math:`k` is the same
    curve along a direction :math:`w_k` of its own,

    .. math::

        y_k = w_k^\top x + \sum_{i=1}^{4} \sin(\alpha_i w_k^\top x + \beta_i)
              + \varepsilon_k, \qquad x \sim N(0, I),

    and every two directions have the cosine `correlation`, :math:`\rho`. They are built
    from orthogonal unit vectors :math:`u_1, u_2, \dots`, in random directions. With
    two tasks, :math:`w_1 = u_1` and :math:`w_2 = \rho u_1 + \sqrt{1 - \rho^2}\, u_2`,
    as in the paper. The paper leaves the curve open. Here :math:`\alpha_i` is uniform
    between 1 and 4 and :math:`\beta_i` is 0 or :math:`\pi`: the curve is then an odd
    function, for which the correlation of the labels has the sign of :math:`\rho` and
    grows with it from -1 to 1.

    Parameters
    ----------
    n_samples : int, default=10_000
        Number of rows.
    n_features : int, default=20
        Number of features, at least `n_tasks`. More features make the directions
        harder to find.
    n_tasks : int, default=2
        Number of tasks.
    correlation : float, default=0.5
        The cosine between every two directions: 1 makes the tasks equal up to their
        noise, 0 unrelated, negative ones opposed. At least ``-1 / (n_tasks - 1)``,
        since more than two directions cannot all be opposite. The correlation of the
        *labels* has its sign and is smaller, because the curve is not a line.
    task_type : {"regression", "classification"}, default="regression"
        Whether y holds the values or, as 0 and 1, whether a value lies above its
        task's median.
    noise : float, default=0.1
        Standard deviation of :math:`\varepsilon_k`, which is independent for every
        task. The default is the paper's.
    random_state : int, RandomState instance or None, default=None
        Pass an int for the same data every time. The features and the curve do not
        depend on `correlation`.

    Returns
    -------
    X : DataFrame of shape (n_samples, n_features)
        Standard normal features `feature_0`, `feature_1`, ...
    y : DataFrame of shape (n_samples, n_tasks)
        Columns `task_0`, `task_1`, ...: float for regression, integer for
        classification.

    See Also
    --------
    make_conversion_funnel : Tasks that are steps of a funnel.

    References
    ----------
    .. [1] J. Ma, Z. Zhao, X. Yi, J. Chen, L. Hong and E. H. Chi (2018). Modeling task
       relationships in multi-task learning with multi-gate mixture-of-experts. KDD.

    Examples
    --------
    Labels of tasks along similar directions correlate:

    >>> from sk_mtl.datasets import make_related_tasks
    >>> X, y = make_related_tasks(correlation=0.9, random_state=0)
    >>> bool(y["task_0"].corr(y["task_1"]) > 0.5)
    True

    Three unrelated yes-or-no tasks:

    >>> X, y = make_related_tasks(
    ...     n_tasks=3, correlation=0, task_type="classification", random_state=0
    ... )
    >>> y.mean().to_dict()
    {'task_0': 0.5, 'task_1': 0.5, 'task_2': 0.5}
    """
    _check_directions(n_features, n_tasks, correlation)
    rng = check_random_state(random_state)
    x = rng.standard_normal((n_samples, n_features))
    frequencies = rng.uniform(1, 4, size=N_WAVES)
    phases = np.pi * rng.randint(2, size=N_WAVES)
    base = np.linalg.qr(rng.standard_normal((n_features, n_tasks)))[0]
    along = x @ base @ _mixing(n_tasks, correlation).T
    waves = np.sin(along[:, :, None] * frequencies + phases).sum(axis=2)
    y = along + waves + noise * rng.standard_normal(along.shape)
    if task_type == "classification":
        y = (y > np.median(y, axis=0)).astype(np.int64)
    return (
        pd.DataFrame(x, columns=[f"feature_{i}" for i in range(n_features)]),
        pd.DataFrame(y, columns=[f"task_{k}" for k in range(n_tasks)]),
    )


def _check_directions(n_features, n_tasks, correlation):
    if n_features < n_tasks:
        raise ValueError(
            f"n_features must be at least n_tasks, {n_tasks}, to hold that many "
            f"directions; found {n_features}. Ask for more features or fewer tasks."
        )
    lowest = -1 / max(n_tasks - 1, 1)
    if correlation < lowest - 1e-12:
        raise ValueError(
            f"correlation must be at least -1 / (n_tasks - 1) = {lowest:.4g} for "
            f"{n_tasks} tasks, which cannot all be more opposed than that; found "
            f"{correlation}. Raise it or ask for fewer tasks."
        )


def _mixing(n_tasks, correlation):
    """Return the lower triangular matrix of unit rows with the given cosine.

    It is the Cholesky factor of the matrix of cosines, which is singular at the ends
    of the range of `correlation`. There only a detour over its root is safe.
    """
    cosines = np.full((n_tasks, n_tasks), float(correlation))
    np.fill_diagonal(cosines, 1.0)
    values, vectors = np.linalg.eigh(cosines)
    root = vectors * np.sqrt(np.clip(values, 0, None)) @ vectors.T
    upper = np.linalg.qr(root)[1]
    return upper.T * np.where(np.diag(upper) < 0, -1.0, 1.0)

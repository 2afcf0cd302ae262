"""Sub-network routing."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Real
from typing import ClassVar

import sk_mtl.nn as nn
from sk_mtl._sklearn_compat import Interval, StrOptions
from sk_mtl.estimators._choices._wiring_choice import WiringChoice
from sk_mtl.estimators._classifier import MultiTaskClassifier
from sk_mtl.estimators._constraints import COUNT, LAYER_SIZES
from sk_mtl.estimators._documentation import share_documentation
from sk_mtl.estimators._regressor import MultiTaskRegressor


@share_documentation
@dataclass(kw_only=True, eq=False, repr=False)
class SNR(WiringChoice):
    """Sub-network routing (SNR): learnt connections between small networks.

    The shared layers are divided into `n_subnetworks` small ones side by side. Between
    two levels a gate ``z_ij``, which is learnt and can be exactly 0 or 1, decides
    whether sub-network i of the upper level reads sub-network j of the lower one:

    ``v_i = sum_j z_ij * u_j``  or  ``v_i = sum_j z_ij * W_ij u_j``,

    and above the last level the tasks' towers take the place of i. Related tasks thus
    learn to use the same sub-networks. The expected number of open gates times
    `l0_penalty` is added to the loss.

    Parameters
    ----------
    n_subnetworks : int, default=4
        Number of sub-networks at each level. More let tasks differ more and take
        proportionally more time.

    subnetwork_hidden_sizes : int or tuple of int, default=(64, 64)
        Width of the sub-networks of each level, at least one level.

    transfer : {"average", "transform"}, default="average"
        Whether a connection passes a result on unchanged, or multiplies it by its own
        matrix, which is more flexible and slower.

    l0_penalty : float, default=0.0001
        Penalty of an open gate in the loss. Larger leaves fewer connections; 0 adds no
        penalty.

    References
    ----------
    Ma, J. et al. (2019). SNR: Sub-Network Routing for Flexible Parameter Sharing in
    Multi-Task Learning. AAAI. https://doi.org/10.1609/aaai.v33i01.3301216

    Louizos, C., Welling, M. and Kingma, D. P. (2018). Learning Sparse Neural Networks
    through L0 Regularization. ICLR.
    """

    wiring_class = nn.SNR
    _wiring_name = "snr"
    _parameter_constraints: ClassVar[dict] = {
        "n_subnetworks": COUNT,
        "subnetwork_hidden_sizes": LAYER_SIZES,
        "transfer": [StrOptions({"average", "transform"})],
        "l0_penalty": [Interval(Real, 0, None, closed="left")],
    }

    n_subnetworks: int = 4
    subnetwork_hidden_sizes: int | tuple[int, ...] = (64, 64)
    transfer: str = "average"
    l0_penalty: float = 1e-4


@share_documentation
@dataclass(kw_only=True, eq=False, repr=False)
class SNRClassifier(SNR, MultiTaskClassifier):
    """Sub-network routing (SNR) for classes of several tasks.

    See Also
    --------
    MMOEClassifier : Gates that depend on the row.

    Examples
    --------
    Matrices on the connections.

    >>> from sk_mtl import SNRClassifier
    >>> from sk_mtl.datasets import load_adult
    >>> X, y = load_adult(return_X_y=True)
    >>> X, y = X[:500], y[:500]
    >>> model = SNRClassifier(transfer="transform", max_epochs=3).fit(X, y)
    >>> [proba.shape for proba in model.predict_proba(X)]
    [(500, 2), (500, 2)]
    """


@share_documentation
@dataclass(kw_only=True, eq=False, repr=False)
class SNRRegressor(SNR, MultiTaskRegressor):
    """Sub-network routing (SNR) for several numbers.

    See Also
    --------
    SNRClassifier : The same for classes.

    Examples
    --------
    Two numbers of the same rows, predicted in their own units.

    >>> from sk_mtl import SNRRegressor
    >>> from sk_mtl.datasets import make_related_tasks
    >>> X, y = make_related_tasks(500, random_state=0)
    >>> model = SNRRegressor(transfer="transform", max_epochs=3).fit(X, y)
    >>> model.predict(X).shape
    (500, 2)
    """

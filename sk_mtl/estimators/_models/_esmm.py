"""The entire space multi-task model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import sk_mtl.nn as nn
from sk_mtl.estimators._choices._wiring_choice import WiringChoice
from sk_mtl.estimators._classifier import MultiTaskClassifier
from sk_mtl.estimators._documentation import share_documentation
from sk_mtl.estimators._shared_parameters import TowerSizes


@share_documentation
@dataclass(kw_only=True, eq=False, repr=False)
class ESMM(WiringChoice):
    """Towers on a shared embedding."""

    wiring_class = nn.ESMM
    _wiring_name = "esmm"


@share_documentation
@dataclass(kw_only=True, eq=False, repr=False)
class ESMMClassifier(ESMM, MultiTaskClassifier):
    """Entire space multi-task model (ESMM): steps of a funnel on a shared embedding.

    A conversion can be observed only after a click. A model of the conversion rate
    (CVR) that learns from clicked rows alone has few rows, and they differ from the
    rows on which it is used: sample selection bias. ESMM trains on all impressions
    instead. One tower estimates the click-through rate (CTR), one the CVR, both read
    the same embeddings, and the losses are of outcomes observed on every row:

    ``pCTCVR = pCTR * pCVR``,  ``loss = loss(click, pCTR) + loss(conversion, pCTCVR)``.

    The columns of `y` are the steps in their order, any number of them: column k holds
    whether step k was reached. `predict_proba` predicts these columns (click, click and
    conversion), `predict_conditional_proba` the rates of the steps (CTR, CVR).

    With ``structure="independent"`` the same network, a shared embedding with one
    tower per task, learns tasks that do not build on each other.

    Parameters
    ----------
    tower_hidden_sizes : int, tuple of int, list or dict, default=(64, 32)
        Widths of the hidden layers of the towers: a number or a flat tuple for all
        steps, a list of these with one per step, or a dict by name. The towers are all
        hidden layers of the network, since the steps share only the embeddings.

    structure : {"funnel", "independent"} or dict, default="funnel"
        Meaning of the columns of `y`. ``"funnel"``: column k holds whether step k was
        reached, which requires step k - 1. A dict is a funnel that is not a chain, such
        as ``{"buy": "click", "like": "click"}``. ``"independent"``: each column is a
        task of its own.

    Attributes
    ----------
    classes_ : list of ndarray, or ndarray
        The two sorted classes of each step. The positive class, which means "reached",
        is the larger one unless `pos_label` names it.

    See Also
    --------
    MMOEClassifier : Experts shared by all tasks, mixed by one gate per task.

    References
    ----------
    Ma, X. et al. (2018). Entire Space Multi-Task Model: An Effective Approach for
    Estimating Post-Click Conversion Rate. SIGIR.
    https://doi.org/10.1145/3209978.3210104

    Examples
    --------
    Conversion rates of all impressions, though only clicked ones can convert.

    >>> from sk_mtl import ESMMClassifier
    >>> from sk_mtl.datasets import make_conversion_funnel
    >>> X, y, truth = make_conversion_funnel(n_samples=1000, random_state=0)
    >>> X = X.drop(columns="history")
    >>> model = ESMMClassifier(max_epochs=3, random_state=0).fit(X, y)
    >>> ctr, cvr = model.predict_conditional_proba(X)
    >>> click, conversion = model.predict_proba(X)
    >>> bool((abs(conversion[:, 1] - ctr[:, 1] * cvr[:, 1]) < 1e-6).all())
    True
    """

    tower_hidden_sizes: TowerSizes = (64, 32)
    structure: str | Mapping = "funnel"

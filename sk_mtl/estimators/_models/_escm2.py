"""The entire-space counterfactual multi-task model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Real
from typing import ClassVar

import torch

from sk_mtl._sklearn_compat import Interval, StrOptions
from sk_mtl._warnings import warn_user
from sk_mtl.estimators._class_structures import (
    check_binary,
    check_structure,
    step_parents,
)
from sk_mtl.estimators._classifier import MultiTaskClassifier
from sk_mtl.estimators._documentation import share_documentation
from sk_mtl.estimators._models._esmm import ESMM
from sk_mtl.estimators._shared_parameters import TowerSizes
from sk_mtl.estimators._targets._targets import Targets
from sk_mtl.exceptions import PropensityWarning
from sk_mtl.losses import ESCM2Structure, Structure

# A mean over rows is unreliable if a tenth of the rows determines it, and hardly
# weighted at all if most weights are clipped to the same value.
_LEAST_EFFECTIVE = 0.1
_MOST_CLIPPED = 0.5
_ROWS_LOOKED_AT = 65_536


@share_documentation
@dataclass(kw_only=True, eq=False, repr=False)
class ESCM2Classifier(ESMM, MultiTaskClassifier):
    """Counterfactual conversion rates (ESCM2): as if all rows had been clicked.

    ESMM's losses do not contain the conversion rate itself, only click times
    conversion; its rates are biased if clicks and conversions are related in ways that
    X does not explain. Here the same network (a shared embedding, one tower for the
    click-through rate and one for the conversion rate) also minimises an estimate of
    the error that the conversion rate would have if every impression had been clicked:

    ``ipw``: clicked rows, each weighted by the inverse of its predicted click
    probability (propensity);

    ``dr``: doubly robust, a third tower (imputation) estimates the rate of every row
    and thus its error, and the clicked rows correct the estimate; unbiased if either
    the propensities or the estimated errors are right.

    The columns of `y` are click and conversion, or any number of steps, each reached
    only through the one before.

    Parameters
    ----------
    variant : {"ipw", "dr"}, default="ipw"
        How rows without a click are accounted for.

    propensity_clip : float, default=0.05
        Smallest propensity, in (0, 1]: its inverse is the largest weight of a row.
        A smaller value removes more of the bias and gives a few rows more influence.
        `fit` warns about extreme weights.

    counterfactual_weight : float, default=0.5
        Weight of the counterfactual error relative to ESMM's losses.

    imputation_weight : float, default=0.5
        Weight of the imputation tower's loss (``variant="dr"`` only).

    tower_hidden_sizes : int, tuple of int, list or dict, default=(64, 32)
        Widths of the hidden layers of the towers: a number or a flat tuple for all
        steps, a list of these with one per step, or a dict by name. The imputation
        tower has the sizes of the conversion tower.

    structure : {"funnel"} or dict, default="funnel"
        Meaning of the columns of `y`. ``"funnel"``: each is a step that is reached only
        through the one before it. A dict is a funnel that is not a chain, such as
        ``{"buy": "click", "like": "click"}``.

    See Also
    --------
    ESMMClassifier : The same without the counterfactual error.

    References
    ----------
    Wang, H. et al. (2022). ESCM2: Entire Space Counterfactual Multi-Task Model for
    Post-Click Conversion Rate Estimation. SIGIR.
    https://doi.org/10.1145/3477495.3531972

    Examples
    --------
    Conversion rates of all impressions.

    >>> from sk_mtl import ESCM2Classifier
    >>> from sk_mtl.datasets import make_conversion_funnel
    >>> X, y, _ = make_conversion_funnel(n_samples=1000, random_state=0)
    >>> model = ESCM2Classifier(variant="dr", max_epochs=3, random_state=0).fit(X, y)
    >>> ctr, cvr = model.predict_conditional_proba(X)
    >>> ctr.shape, cvr.shape
    ((1000, 2), (1000, 2))
    """

    _parameter_constraints: ClassVar[dict] = {
        "variant": [StrOptions({"ipw", "dr"})],
        "propensity_clip": [Interval(Real, 0, 1, closed="right")],
        "counterfactual_weight": [Interval(Real, 0, None, closed="left")],
        "imputation_weight": [Interval(Real, 0, None, closed="left")],
    }

    variant: str = "ipw"
    propensity_clip: float = 0.05
    counterfactual_weight: float = 0.5
    imputation_weight: float = 0.5
    tower_hidden_sizes: TowerSizes = (64, 32)
    _structures: ClassVar[tuple[str, ...]] = ("funnel",)

    structure: str | Mapping = "funnel"

    def _make_structure(self, targets: Targets) -> Structure:
        check_structure(self.structure, self._structures, targets.task_names)
        check_binary(targets, "Use another classifier, with structure='independent'.")
        return ESCM2Structure(
            self.variant,
            n_steps=targets.n_tasks,
            parents=step_parents(self.structure, targets.task_names),
            output=targets.outputs,
            propensity_clip=self.propensity_clip,
            counterfactual_weight=self.counterfactual_weight,
            imputation_weight=self.imputation_weight,
        )

    def _warn_after_training(self, module, structure, targets, rows) -> None:
        table = rows.first(_ROWS_LOOKED_AT)
        with torch.inference_mode():
            logits = module(*table.inputs)
        found = structure.weight_summary(logits, table.y)
        names, parents = targets.task_names, structure.parents
        for step, clipped, reached, effective in zip(*found.values(), strict=True):
            name = names[parents[step]]
            if clipped > _MOST_CLIPPED:
                warn_user(
                    f"propensity_clip must be below most probabilities of {name!r}; "
                    f"found that it clips {clipped:.0%} of them, with propensity_clip="
                    f"{self.propensity_clip}, so that most rows have the same weight "
                    "and little bias is removed. Lower propensity_clip.",
                    PropensityWarning,
                )
            if effective < _LEAST_EFFECTIVE * reached:
                warn_user(
                    "Inverse probabilities must not be extreme; found that the "
                    f"{reached:.0f} rows that reached {name!r} amount to "
                    f"{effective:.0f} of equal weight, with propensity_clip="
                    f"{self.propensity_clip}. Raise propensity_clip.",
                    PropensityWarning,
                )

"""Adaptive information transfer between steps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Real
from typing import ClassVar

from sk_mtl._relations import chain_of
from sk_mtl._sklearn_compat import Interval
from sk_mtl.estimators._class_structures import check_binary, step_parents
from sk_mtl.estimators._classifier import MultiTaskClassifier
from sk_mtl.estimators._documentation import share_documentation
from sk_mtl.estimators._models._shared_bottom import SharedBottom
from sk_mtl.estimators._targets._targets import Targets
from sk_mtl.losses import SequentialStructure, Structure
from sk_mtl.nn import TransferTowers


@share_documentation
@dataclass(kw_only=True, eq=False, repr=False)
class AITM(SharedBottom):
    """Adaptive information transfer (AITM): each step learns from the one before.

    The columns of `y` are consecutive steps, such as click, application and purchase,
    each with fewer positive labels than the one before. The tower of step t computes
    ``q_t``, and the step before passes on ``p_t``; attention decides row by row how
    much of each to use:

    ``z_t = w_p * h(p_t) + w_q * h(q_t)``,  ``w = softmax(<h2(u), h3(u)> / sqrt(d))``,

    Step t is predicted from ``z_t``, which is also passed on to the next step. In the
    paper the towers read the embeddings; here they read a bottom that all steps share.

    Parameters
    ----------
    transfer : bool, default=True
        Whether each step passes its result on: to the next column, or to the steps that
        build on it if `structure` is a dict. Without transfer the network is a shared
        bottom.

    References
    ----------
    Xi, D. et al. (2021). Modeling the Sequential Dependence among Audience Multi-step
    Conversions with Multi-task Learning in Targeted Display Advertising. KDD.
    https://doi.org/10.1145/3447548.3467071
    """

    _wiring_name = "aitm"
    _parameter_constraints: ClassVar[dict] = {"transfer": ["boolean"]}

    transfer: bool = True

    def make_wiring(self, in_width, task_names, **layers):
        """Return the torch module of a shared bottom."""
        bottom = SharedBottom(bottom_hidden_sizes=self.bottom_hidden_sizes)
        return bottom.make_wiring(in_width, task_names, **layers)

    def make_towers(self, in_width, hidden_sizes, head_widths, task_names, **layers):
        """Return towers that read each other's rows."""
        return TransferTowers(
            in_width,
            hidden_sizes,
            head_widths,
            transfer=self.transfer,
            # Only classifiers have a structure.
            parents=step_parents(getattr(self, "structure", None), task_names),
            **layers,
        )


@share_documentation
@dataclass(kw_only=True, eq=False, repr=False)
class AITMClassifier(AITM, MultiTaskClassifier):
    """Adaptive information transfer (AITM) for consecutive steps.

    Parameters
    ----------
    structure : {"sequential", "funnel", "independent"} or dict, default="sequential"
        Meaning of the columns of `y`. ``"sequential"``: column k holds whether step k
        was reached; each step has its own probability, and the calibrator is added to
        the loss. ``"funnel"``: the probability of step k is the product of the
        conditional probabilities up to k; a dict such as
        ``{"buy": "click", "like": "click"}`` is a funnel that is not a chain.
        ``"independent"``: tasks that do not build on each other.

    calibrator_weight : float, default=0.6
        Weight of the calibrator in the loss of ``"sequential"``: the penalty for
        predicting a later step as likelier than the one before. Larger leaves fewer
        such rows.

    See Also
    --------
    ESMMClassifier : Steps whose probabilities are products.
    DBMTLClassifier : Relations of any acyclic form.

    Examples
    --------
    Two steps, the second seldom reached.

    >>> from sk_mtl import AITMClassifier
    >>> from sk_mtl.datasets import make_conversion_funnel
    >>> X, y, _ = make_conversion_funnel(n_samples=1000, random_state=0)
    >>> model = AITMClassifier(max_epochs=3, random_state=0)
    >>> click, conversion = model.fit(X, y).predict_proba(X)
    >>> click.shape, conversion.shape
    ((1000, 2), (1000, 2))
    """

    _parameter_constraints: ClassVar[dict] = {
        "calibrator_weight": [Interval(Real, 0, None, closed="left")],
    }

    _structures: ClassVar[tuple[str, ...]] = ("sequential", "independent", "funnel")

    structure: str | Mapping = "sequential"
    calibrator_weight: float = 0.6

    def _make_structure(self, targets: Targets) -> Structure:
        if not self._is_sequential():
            return super()._make_structure(targets)
        check_binary(targets)
        return SequentialStructure(
            targets.n_tasks,
            calibrator_weight=self.calibrator_weight,
            output=targets.outputs,
        )

    def _step_parents(self, targets: Targets) -> list[tuple[int, ...]] | None:
        if self._is_sequential():
            check_binary(targets)
            return chain_of(targets.task_names)
        return super()._step_parents(targets)

    def _is_sequential(self) -> bool:
        return isinstance(self.structure, str) and self.structure == "sequential"

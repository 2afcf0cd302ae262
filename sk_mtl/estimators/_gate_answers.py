"""The weights with which each task uses each expert."""

from __future__ import annotations

import numpy as np
from sklearn.utils.metaestimators import available_if
from torch import Tensor, nn

from sk_mtl.nn import Encoded, MixtureWiring, MultiTaskNetwork, Wiring
from sk_mtl.preprocessing import FeatureArrays


def _mixes_experts(estimator: GateAnswers) -> bool:
    """Return True if the wiring mixes experts; raise otherwise."""
    wiring = _wiring_class(estimator)
    if not issubclass(wiring, MixtureWiring):
        raise AttributeError(
            "predict_gates and expert_names_ need a wiring that mixes experts; found "
            f"{wiring.__name__}. Use one of the models with experts, such as "
            "MMOEClassifier or wiring='mmoe'."
        )
    return True


def _wiring_class(estimator: GateAnswers) -> type[Wiring]:
    """Return the class of the trained wiring, or of the one that `fit` would train."""
    if "net_" in vars(estimator):
        return type(_wiring_of(estimator.net_.module_))
    try:
        return estimator._model().wiring_class
    except ValueError as error:
        # A wiring that fit refuses has no gates.
        raise AttributeError(str(error)) from error


def _wiring_of(module: nn.Module) -> MixtureWiring:
    """Return the wiring of a network, or of the members of an ensemble."""
    return getattr(module, "network", module).wiring


class GateAnswers:
    """Mixin of estimators: the weights of experts, if the wiring has experts."""

    @available_if(_mixes_experts)
    def predict_gates(self, X) -> np.ndarray | list[np.ndarray]:
        """Return how each task mixes the experts, row by row.

        The weights multiply the experts' results; an expert that a task cannot read has
        the weight 0. `expert_names_` names the experts.

        ===================== ========================================= ================
        model                 weights                                   sum over experts
        ===================== ========================================= ================
        OMoE, MMoE            of the task's gate; of OMoE the same for  1 (`DSelectK`:
                              all tasks                                 at most 1)
        CGC, PLE, STEM        of the task's gate                        1
        AdaTT                 of the task's gate, and the native        any number
                              weights, which may be negative, added
        HoME                  of gate and self gate, added              2 (a single own
                                                                        expert: 1 to 2)
        SNR                   of the connections that the task's tower  0 to
                              reads, the same for all rows              n_subnetworks
        cross-stitch          of the task's row in the unit behind      any number; 1 at
                              each layer, the same for all rows         the start
        ===================== ========================================= ================

        Parameters
        ----------
        X : {DataFrame, array-like} of shape (n_samples, n_features)

        Returns
        -------
        gates : ndarray of shape (n_samples, n_tasks, n_experts), or list of ndarray
            A list, lowest level first, for models with several levels of experts
            (AdaTT, HoME, PLE, cross-stitch). Gates that belong to no task are left
            out: the gates of shared experts at the next level, and the lower levels of
            SNR. Several members have unrelated experts, and the shape is
            (n_samples, n_members, n_tasks, n_experts).
        """

        def gates(network: MultiTaskNetwork, encoded: Encoded) -> list[Tensor]:
            return network.wiring.gate_weights(encoded)

        network = self.predictor_

        def of_chunk(arrays: FeatureArrays) -> list[np.ndarray]:
            return network.evaluate(lambda net, *x: net.each(gates, *x), arrays)

        return _only_level(network.map_arrays(X, of_chunk))

    @property
    def expert_names_(self) -> list[str] | list[list[str]]:
        """The names of the experts, in the order of the last axis of `predict_gates`.

        A list of lists where `predict_gates` returns a list. Experts of a task have
        names such as ``"income_0"``, shared experts ``"shared_0"``, and experts of a
        group of `HoMEClassifier` ``"group_0_0"``.
        """
        _mixes_experts(self)
        network = self.predictor_
        wiring = _wiring_of(network.module)
        return _only_level(wiring.expert_names(network.task_names))


def _only_level(levels: list) -> list | np.ndarray:
    return levels[0] if len(levels) == 1 else levels

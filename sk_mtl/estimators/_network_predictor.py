"""How a trained network answers: chunk by chunk, without changing anything."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from torch import Tensor

from sk_mtl.estimators._rows._inputs import check_X
from sk_mtl.preprocessing import FeatureArrays

# Rows that are encoded and predicted at a time: the memory that a prediction needs
# beside its answer does not grow with the number of rows.
_PREDICTION_CHUNK = 65_536


class NetworkPredictor:
    """Maps raw rows to arrays; mixed into a trained `NetworkTrainer`."""

    def _map_logits(self, X, function: Callable[[Tensor], list[Tensor]]):
        """Return arrays computed from the logits.

        In double precision, then rounded: a vectorised single-precision exponential
        differs in its last digit with the place of a row in the batch. Logits may do
        so, too, on some processors, by less than 1e-6.
        """

        def from_arrays(arrays: FeatureArrays) -> list[np.ndarray]:
            logits = self.net_.logits(arrays)
            _refuse_not_finite(logits)
            results = function(logits.double())
            return [tensor.to(logits.dtype).numpy() for tensor in results]

        return self._map_chunks(X, from_arrays)

    def _map_network(
        self, X, function: Callable[..., list[Tensor]]
    ) -> list[np.ndarray]:
        """Return the arrays that a function makes of the network and its inputs."""

        def from_arrays(arrays: FeatureArrays) -> list[np.ndarray]:
            results = self.net_.evaluate(function, arrays)
            for each in results:
                _refuse_not_finite(each)
            return [each.numpy() for each in results]

        return self._map_chunks(X, from_arrays)

    def _map_chunks(self, X, function: Callable[[FeatureArrays], list[np.ndarray]]):
        """Return arrays computed from the encoded rows, chunk by chunk."""
        X = check_X(self, X, reset=False)
        if len(X) <= _PREDICTION_CHUNK:
            # A slice of all rows of a data frame costs as much as to encode one row.
            return function(self._encode(X))
        parts = []
        for start in range(0, len(X), _PREDICTION_CHUNK):
            rows = slice(start, start + _PREDICTION_CHUNK)
            chunk = X.iloc[rows] if hasattr(X, "iloc") else X[rows]
            parts.append(function(self._encode(chunk)))
        return [np.concatenate(arrays) for arrays in zip(*parts, strict=True)]


def _refuse_not_finite(results: Tensor) -> None:
    """Raise where the network overflows: large numbers that no step has scaled."""
    if not bool(results.isfinite().all()):
        n_wrong = int((~results.isfinite().flatten(1).all(1)).sum())
        raise ValueError(
            "The network must make finite numbers of every row; found NaN or infinity "
            f"for {n_wrong} of {len(results)} rows. Scale the columns of numbers in "
            "the preprocessor, and look for huge numbers in these rows."
        )

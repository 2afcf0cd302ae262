"""Numeric columns of the training rows, from which embeddings are made."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from torch import Tensor


@dataclass(frozen=True)
class NumericColumns:
    """The numeric columns that are embedded, and where their numbers were missing.

    Parameters
    ----------
    numeric : Tensor of shape (n_samples, n_numeric)
        All numeric columns of the training rows.
    positions : sequence of int
        The positions of the columns to embed.
    indicators : mapping of int to int, default={}
        By the position of a column, the position of the column that is 1 where the
        number was missing. Such rows do not influence the edges of bins, and have a
        separate bin.
    """

    numeric: Tensor
    positions: Sequence[int]
    indicators: Mapping[int, int] = field(default_factory=dict)

    @property
    def values(self) -> Tensor:
        """The columns to embed, (n_samples, n_numbers)."""
        return self.numeric[:, list(self.positions)]

    def observed(self) -> list[np.ndarray]:
        """Return each column's numbers without those that were missing."""
        return [self._observed(position) for position in self.positions]

    def _observed(self, position: int) -> np.ndarray:
        values = self.numeric[:, position]
        if position in self.indicators:
            values = values[self.numeric[:, self.indicators[position]] != 1]
        return values.detach().cpu().numpy()

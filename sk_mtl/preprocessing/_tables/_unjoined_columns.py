"""Arrays of the same rows, each of its own type, that count as one table."""

import numpy as np


class UnjoinedColumns:
    """Arrays of the same rows that count as one table, side by side.

    Parameters
    ----------
    parts : list of ndarray of shape (n_samples, n_columns)

    Attributes
    ----------
    shape : tuple of int
        Number of rows, and of columns of all parts together.
    """

    def __init__(self, parts):
        self.parts = parts
        self._ends = np.cumsum([part.shape[1] for part in parts])
        self.shape = (len(parts[0]), int(self._ends[-1]))

    def take(self, where):
        """Return columns as one array, without a copy where one part holds them.

        Parameters
        ----------
        where : slice or ndarray of int
            Positions in increasing order.

        Returns
        -------
        columns : ndarray of shape (n_samples, n_columns)
        """
        positions = np.arange(self.shape[1])[where]
        owners = np.searchsorted(self._ends, positions, side="right")
        columns = []
        for i in np.unique(owners):
            part = self.parts[i]
            own = positions[owners == i] - (self._ends[i] - part.shape[1])
            adjacent = own[-1] - own[0] == len(own) - 1
            columns.append(part[:, slice(own[0], own[-1] + 1) if adjacent else own])
        return columns[0] if len(columns) == 1 else np.hstack(columns)

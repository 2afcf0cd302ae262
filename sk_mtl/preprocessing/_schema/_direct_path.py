"""The steps of a fitted ColumnTransformer, applied without joining their outputs."""

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer

from sk_mtl.preprocessing._encoders._category_encoder import FEW_ROWS, CategoryEncoder
from sk_mtl.preprocessing._numeric._numeric_scaler import NumericScaler
from sk_mtl.preprocessing._schema._output_columns import as_slice, take_columns
from sk_mtl.preprocessing._tabular_preprocessor import TabularPreprocessor


def direct_path(preprocessor, blocks):
    """Return the direct path through a fitted preprocessor, None where there is none.

    There is one through a ColumnTransformer (not a user's subclass, which may do other
    things) without weights, whose columns are lists of names or positions, or masks.
    """
    is_known = type(preprocessor) in (ColumnTransformer, TabularPreprocessor)
    if not is_known or preprocessor.transformer_weights:
        return None
    steps = []
    for index, (name, _, columns) in enumerate(preprocessor.transformers_):
        where = preprocessor.output_indices_[name]
        reads = [
            (i, as_slice(block.positions - where.start))
            for i, block in enumerate(blocks)
            if where.start <= block.positions[0] < where.stop
        ]
        if reads:
            positions = _input_positions(preprocessor, columns)
            if positions is None:
                return None
            steps.append((index, positions, reads))
    names = getattr(preprocessor, "feature_names_in_", None)
    return DirectPath(preprocessor.n_features_in_, names, steps)


def _input_positions(preprocessor, columns):
    """Return positions of a step's input columns, None for one column or a slice."""
    columns = np.asarray(columns)
    if columns.ndim != 1:
        return None
    if columns.dtype.kind in "biu":
        return np.arange(preprocessor.n_features_in_)[columns]
    return pd.Index(preprocessor.feature_names_in_).get_indexer(columns)


class DirectPath:
    """Apply each step to its columns and hand its output to the blocks that read it.

    `ColumnTransformer.transform` costs ten milliseconds for any number of rows, and
    joins integer codes and floats in one array of floats. Both are avoided here. The
    steps themselves are the fitted ones, so the values are the same.

    Parameters
    ----------
    n_features : int
        Number of columns of the training table.
    names : array of str or None
        Their names.
    steps : list of (int, ndarray, list)
        Index of a step, positions of its input columns, and the blocks that read its
        output: the index of each and its columns in the step's output.
    """

    def __init__(self, n_features, names, steps):
        self.n_features = n_features
        self.columns = None if names is None else pd.Index(names)
        self.steps = steps

    def takes(self, X):
        """Return whether X has exactly the columns of the training table."""
        if isinstance(X, pd.DataFrame):
            return self.columns is not None and self.columns.equals(X.columns)
        return (
            type(X) is np.ndarray
            and self.columns is None
            and X.ndim == 2
            and X.shape[1] == self.n_features
        )

    def read(self, preprocessor, X):
        """Yield the index of each block and its columns.

        Parameters
        ----------
        preprocessor : fitted ColumnTransformer
        X : data frame or array of shape (n_samples, n_features)
            Table that `takes` accepts.

        Yields
        ------
        block : int
            Index of the block.
        columns : array or data frame of shape (n_samples, n_columns)
            What the block's `read` takes.
        """
        for index, inputs, reads in self.steps:
            Z = _apply(preprocessor.transformers_[index][1], X, inputs)
            for block, where in reads:
                yield block, take_columns(Z, where)


def _apply(step, X, inputs):
    """Return the result of a step for the columns at some positions."""
    # A subclass may transform in another way.
    if 0 < len(X) <= FEW_ROWS and type(step) in (CategoryEncoder, NumericScaler):
        Z = step._transform_rows(_rows(X, inputs.tolist()))
        if Z is not None:
            return Z
    chosen = (
        X[:, as_slice(inputs)] if isinstance(X, np.ndarray) else X.take(inputs, axis=1)
    )
    return chosen if step == "passthrough" else step.transform(chosen)


def _rows(X, inputs):
    """Return the values of a few rows, which is faster than a frame of columns."""
    if isinstance(X, np.ndarray):
        return [[row[j] for j in inputs] for row in X]
    cells = X.iat
    return [[cells[i, j] for j in inputs] for i in range(len(X))]

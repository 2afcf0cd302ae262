"""Which columns of a preprocessor's output are categories and which are numbers."""

import copy
from typing import NamedTuple

import numpy as np
import pandas as pd

from sk_mtl.preprocessing._direct_path import direct_path
from sk_mtl.preprocessing._read_blocks import (
    as_slice,
    feature_names,
    read_blocks,
    take_columns,
)


class FeatureArrays(NamedTuple):
    """The arrays that a network is fed with, rows in the order of the table.

    Attributes
    ----------
    codes : ndarray of shape (n_samples, n_categorical), dtype int32
        Local codes, 0 for unknown; C-contiguous.
    numeric : ndarray of shape (n_samples, n_numeric), dtype float32 or float64
        Numbers, all of them finite; C-contiguous.
    """

    codes: np.ndarray
    numeric: np.ndarray


class FeatureSchema:
    """Which output columns of a fitted preprocessor are categories, which are numbers.

    A network embeds categories and takes numbers as they are, but the output of a
    preprocessor is one array. The schema is read off the fitted preprocessor:

    - The columns of a :class:`CategoryEncoder` or of scikit-learn's `OrdinalEncoder`
      are categories, also when the encoder is the last step of a pipeline or stands in
      a nested ColumnTransformer.
    - Output columns that still hold labels (dtype `category` or text in a data frame,
      text in an array of objects) are categories, too; their vocabulary is learned
      from the training rows.
    - All other columns are numbers: scaled, one-hot, passed through. Sparse output is
      made dense.

    In every column of categories the code 0 means unknown and the known categories are
    1, 2 and so on. A missing value has a code of its own, the last one, where the
    encoder saw it in training and writes it differently from unknown; else it is 0.

    Use :meth:`from_preprocessor` to build one.

    Attributes
    ----------
    categorical_names : list of str
        Names of the columns of categories.
    cardinalities : list of int
        Number of codes of each, the unknown one included.
    numeric_names : list of str
        Names of the columns of numbers.
    n_categorical : int
        Number of columns of categories.
    n_numeric : int
        Number of columns of numbers.
    n_outputs : int
        Number of output columns of the preprocessor.
    embedding_dims : list of int or None
        Width of each category's embedding, once :meth:`with_embedding_dims` set them.

    Examples
    --------
    The table of features is the schema's text form.

    >>> import pandas as pd
    >>> from sk_mtl.preprocessing import FeatureSchema, make_tabular_preprocessor
    >>> X = pd.DataFrame({"town": ["Oslo", "Rome", "Oslo"], "age": [30, 40, 50]})
    >>> preprocessor = make_tabular_preprocessor(X)
    >>> schema = FeatureSchema.from_preprocessor(
    ...     preprocessor, preprocessor.fit_transform(X)
    ... )
    >>> schema.with_embedding_dims([4])
    FeatureSchema: 1 categorical, 1 numeric
    feature        kind  cardinality  width
        age     numeric         <NA>      1
       town categorical            3      4

    It turns raw rows into a network's arrays; an unseen town has the code 0.

    >>> schema.transform(preprocessor, pd.DataFrame({"town": ["Bonn"], "age": [40]}))
    FeatureArrays(codes=array([[0]], dtype=int32),
                  numeric=array([[0.]], dtype=float32))
    """

    def __init__(self, blocks, n_outputs, direct=None):
        self.n_outputs = n_outputs
        self.embedding_dims = None
        self._blocks = blocks
        self._direct = direct
        self._columns = [as_slice(block.positions) for block in blocks]
        self._targets = []
        self.categorical_names, self.cardinalities, self.numeric_names = [], [], []
        for block in blocks:
            names = self.numeric_names
            if block.kind == "categorical":
                names = self.categorical_names
                self.cardinalities += [int(count) for count in block.cardinalities]
            self._targets.append(slice(len(names), len(names) + len(block.names)))
            names += block.names
        self.n_categorical = len(self.categorical_names)
        self.n_numeric = len(self.numeric_names)

    @classmethod
    def from_preprocessor(cls, preprocessor, transformed):
        """Read the schema off a fitted preprocessor.

        Parameters
        ----------
        preprocessor : fitted transformer, "passthrough" or None
            ColumnTransformer, Pipeline or any transformer.
        transformed : array, sparse matrix or data frame of shape (n_samples, n_outputs)
            What it made of the training rows.

        Returns
        -------
        schema : FeatureSchema
            The schema of its output.
        """
        shape = getattr(transformed, "shape", ())
        if len(shape) != 2 or shape[1] == 0:
            raise ValueError(
                "The preprocessor must return a table with at least one column; found "
                f"the shape {shape}; let one of its steps keep a column."
            )
        names = feature_names(preprocessor, transformed)
        blocks = read_blocks(preprocessor, transformed, names)
        direct = direct_path(preprocessor, blocks)
        return cls(blocks, transformed.shape[1], direct)

    def with_embedding_dims(self, embedding_dims):
        """Return a copy that knows the widths of the embeddings.

        Parameters
        ----------
        embedding_dims : list of int
            One width per column of categories.

        Returns
        -------
        schema : FeatureSchema
            The copy.
        """
        if len(embedding_dims) != self.n_categorical:
            raise ValueError(
                "`embedding_dims` must have one entry per column of categories; found "
                f"{len(embedding_dims)} for {self.n_categorical} columns."
            )
        schema = copy.copy(self)
        schema.embedding_dims = [int(width) for width in embedding_dims]
        return schema

    def split(self, transformed, dtype=np.float32):
        """Split the preprocessor's output into codes and numbers.

        Parameters
        ----------
        transformed : array, sparse matrix or data frame of shape (n_samples, n_outputs)
            Output of the preprocessor that the schema was read off.
        dtype : {np.float32, np.float64}, default=np.float32
            Type of the numbers.

        Returns
        -------
        arrays : FeatureArrays
            Codes and numbers.
        """
        if transformed.shape[1] != self.n_outputs:
            raise ValueError(
                f"The preprocessor must return {self.n_outputs} columns, as in "
                f"training; found {transformed.shape[1]}; transform the rows with the "
                "preprocessor that the schema was read off."
            )
        columns = (take_columns(transformed, where) for where in self._columns)
        return self._arrays(transformed.shape[0], enumerate(columns), dtype)

    def transform(self, preprocessor, X, dtype=np.float32):
        """Transform raw rows into codes and numbers.

        The result is that of `split(preprocessor.transform(X))`. The steps of a plain
        ColumnTransformer are applied one by one, which is faster and keeps large codes
        out of arrays of floats.

        Parameters
        ----------
        preprocessor : fitted transformer, "passthrough" or None
            The preprocessor that the schema was read off.
        X : data frame or array of shape (n_samples, n_features)
            Raw rows.
        dtype : {np.float32, np.float64}, default=np.float32
            Type of the numbers.

        Returns
        -------
        arrays : FeatureArrays
            Codes and numbers.
        """
        if self._direct is not None and self._direct.takes(X):
            columns = self._direct.read(preprocessor, X)
            return self._arrays(X.shape[0], columns, dtype)
        if preprocessor is None or preprocessor == "passthrough":
            return self.split(X, dtype)
        return self.split(preprocessor.transform(X), dtype)

    def frame(self):
        """Return the features as a table.

        Returns
        -------
        frame : DataFrame
            Columns `feature`, `kind`, `cardinality` (missing for numbers) and `width`
            (missing for embeddings whose width is not set), in the order of the
            preprocessor's output.
        """
        rows, position = [], []
        dims = iter(self.embedding_dims or [pd.NA] * self.n_categorical)
        for block in self._blocks:
            cardinalities = getattr(block, "cardinalities", [pd.NA] * len(block.names))
            for name, cardinality in zip(block.names, cardinalities, strict=True):
                width = next(dims) if block.kind == "categorical" else 1
                rows.append((name, block.kind, cardinality, width))
            position.extend(block.positions)
        columns = ["feature", "kind", "cardinality", "width"]
        frame = pd.DataFrame(rows, columns=columns)
        frame = frame.astype({"cardinality": "Int64", "width": "Int64"})
        return frame.iloc[np.argsort(position)].reset_index(drop=True)

    def __repr__(self):
        counts = f"{self.n_categorical} categorical, {self.n_numeric} numeric"
        table = self.frame().to_string(index=False, max_rows=20)
        return f"FeatureSchema: {counts}\n{table}"

    def _arrays(self, n_samples, columns, dtype):
        """Arrays filled with what each block reads from its columns."""
        codes = np.empty((n_samples, self.n_categorical), dtype=np.int32)
        numeric = np.empty((n_samples, self.n_numeric), dtype=dtype)
        with np.errstate(over="ignore"):
            for i, block_columns in columns:
                block = self._blocks[i]
                target = codes if block.kind == "categorical" else numeric
                target[:, self._targets[i]] = block.read(block_columns)
        self._refuse_not_finite(numeric)
        return FeatureArrays(codes, numeric)

    def _refuse_not_finite(self, numeric):
        finite = np.isfinite(numeric)
        if not finite.all():
            row, column = np.argwhere(~finite)[0]
            raise ValueError(
                f"Column {self.numeric_names[column]!r} must be finite after the "
                f"preprocessor; found {numeric[row, column]} in row {row} "
                f"({numeric.dtype}); impute missing values in the preprocessor (such "
                "as SimpleImputer in front of the scaler), and replace or rescale "
                "infinite and huge ones."
            )

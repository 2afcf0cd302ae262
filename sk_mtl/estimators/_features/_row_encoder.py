"""From checked rows to the arrays that a network reads."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from sk_mtl.estimators._features._fit_preprocessor import fit_preprocessor
from sk_mtl.estimators._features._huge_numbers import refuse_numbers_behind
from sk_mtl.estimators._rows._labelled_rows import LabelledRows
from sk_mtl.estimators._rows._leaks import warn_about_leaks
from sk_mtl.estimators._shared_parameters import SharedParameters
from sk_mtl.estimators._targets._targets import Targets
from sk_mtl.estimators._training._precision import DTYPES
from sk_mtl.preprocessing import FeatureArrays, FeatureSchema
from sk_mtl.preprocessing._schema._merged_integers import warn_of_merged_integers


@dataclass(frozen=True)
class RowEncoder:
    """A preprocessor fitted on the training rows, and the reader of its columns.

    Attributes
    ----------
    preprocessor : transformer
        From checked columns to encoded ones.

    schema : FeatureSchema
        Which of these are categories, sequences and numbers.

    dtype : numpy.dtype
        The type of numbers.
    """

    preprocessor: Any
    schema: FeatureSchema
    dtype: np.dtype

    def encode(self, X) -> FeatureArrays:
        """Return the arrays of a checked table."""
        try:
            return self.schema.transform(self.preprocessor, X, dtype=self.dtype)
        except (ValueError, OverflowError) as error:
            refuse_numbers_behind(error, X)
            raise

    def described(self, schema: FeatureSchema) -> RowEncoder:
        """Return the encoder with a schema that also describes the network's input."""
        return replace(self, schema=schema)


def fit_row_encoder(
    parameters: SharedParameters, rows: LabelledRows, targets: Targets
) -> tuple[RowEncoder, FeatureArrays]:
    """Return an encoder that is fitted on training rows, and their arrays."""
    double = DTYPES[parameters.precision] == torch.float64
    dtype = np.dtype("float64" if double else "float32")
    preprocessor, schema, arrays = fit_preprocessor(
        parameters, rows.X, rows.codes, targets.columns, dtype
    )
    warn_of_merged_integers(schema, rows.X, arrays)
    if parameters.check_leaks:
        names = schema.categorical_names + schema.numeric_names
        warn_about_leaks(arrays, names, rows.codes, targets.columns)
    return RowEncoder(preprocessor, schema, dtype), arrays

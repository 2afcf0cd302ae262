"""Codes that a transformer of another library writes."""

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.preprocessing import OrdinalEncoder, StandardScaler

from sk_mtl.exceptions import ColumnWarning
from sk_mtl.preprocessing import CategoryEncoder, FeatureSchema, SequenceEncoder
from sk_mtl.preprocessing._schema._opaque_codes import fitted_encoders

RNG = np.random.default_rng(0)
N = 60
X = pd.DataFrame(
    {
        "n": RNG.normal(size=N),
        "c": RNG.choice(list("abcdef"), N),
        "d": RNG.choice(list("xyz"), N),
        "h": [RNG.integers(0, 9, 3).tolist() for _ in range(N)],
    }
)


class Vectorizer(TransformerMixin, BaseEstimator):
    """Fits an encoder per column, as vectorizers of whole tables do."""

    def __init__(self, encoder, output="frame"):
        self.encoder = encoder
        self.output = output

    def fit(self, X, y=None):
        self.steps_ = {
            name: [type(self.encoder)(**self.encoder.get_params()).fit(X[[name]])]
            for name in X.columns
            if name != "n"
        }
        return self

    def transform(self, X):
        parts = [X[["n"]]] if "n" in X else []
        for name, (step,) in self.steps_.items():
            codes = self.change(np.asarray(step.transform(X[[name]])))
            names = [str(each) for each in step.get_feature_names_out()]
            parts.append(pd.DataFrame(codes, columns=names, index=X.index))
        table = pd.concat(parts, axis=1)
        return table if self.output == "frame" else table.to_numpy()

    def change(self, codes):
        return codes


class Changing(Vectorizer):
    def change(self, codes):
        return codes * 2


class Numbered(TransformerMixin, BaseEstimator):
    """Writes codes without an encoder that could be read."""

    def fit(self, X, y=None):
        self.codes_ = {
            name: {v: i for i, v in enumerate(sorted(set(X[name])))} for name in X
        }
        return self

    def transform(self, X):
        return pd.DataFrame({name: X[name].map(self.codes_[name]) for name in X})


class Lengths(Numbered):
    def transform(self, X):
        return pd.DataFrame({name: X[name].str.len() for name in X})


class Numbers(Numbered):
    def transform(self, X):
        return pd.DataFrame({name: X[name].astype(float) for name in X})


def read(preprocessor, table):
    encoded = preprocessor.fit_transform(table)
    return FeatureSchema.from_preprocessor(preprocessor, encoded, table)


@pytest.mark.parametrize("output", ["frame", "array"])
@pytest.mark.parametrize(
    "encoder",
    [
        CategoryEncoder(),
        OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1),
    ],
    ids=["CategoryEncoder", "OrdinalEncoder"],
)
def test_codes_of_encoders_inside_stay_codes(encoder, output):
    table = X[["n", "c", "d"]]
    vectorizer = Vectorizer(encoder, output)
    schema = read(vectorizer, table)
    assert schema.categorical_names == ["c", "d"]
    assert schema.n_numeric == 1
    codes = schema.transform(vectorizer, table).codes
    expected = CategoryEncoder().fit_transform(table[["c", "d"]])
    np.testing.assert_array_equal(codes, expected)
    unseen = schema.transform(vectorizer, table[:1].assign(c="new")).codes
    assert unseen[0, 0] == 0


def test_sequences_of_encoders_inside_stay_sequences():
    table = X[["n", "h"]]
    schema = read(Vectorizer(SequenceEncoder(max_length=4)), table)
    assert (schema.sequence_names, schema.numeric_names) == (["h"], ["n"])


def test_a_vectorizer_as_a_step():
    preprocessor = ColumnTransformer(
        [
            ("v", Vectorizer(CategoryEncoder()), ["c", "d"]),
            ("n", StandardScaler(), ["n"]),
        ]
    )
    schema = read(preprocessor, X[["n", "c", "d"]])
    assert (schema.categorical_names, schema.numeric_names) == (["c", "d"], ["n"])


def test_codes_that_the_transformer_changes_are_named():
    message = "Changing does not hand on the codes of 'c' as they are"
    with pytest.warns(ColumnWarning, match=message):
        schema = read(Changing(CategoryEncoder()), X[["n", "c"]])
    assert schema.categorical_names == []


def test_whole_numbers_made_of_labels_are_named():
    message = (
        "Numbered makes whole numbers of 'c', 'd', which count as quantities. If they "
        "are codes, give these columns to a CategoryEncoder in a ColumnTransformer"
    )
    with pytest.warns(ColumnWarning, match=message):
        read(Numbered(), X[["c", "d"]])
    table = X[["c", "d"]].astype("category")
    step = ColumnTransformer([("s", Numbered(), ["c", "d"])])
    with pytest.warns(ColumnWarning, match="makes whole numbers of 'c', 'd'"):
        read(step, table)


@pytest.mark.parametrize(
    "case",
    [
        (Numbers(), pd.DataFrame({"c": RNG.integers(0, 99, N).astype(str)})),
        (Numbered(), pd.DataFrame({"k": RNG.integers(0, 9, N)})),
        (Numbered(), X[["d"]].replace("z", "x")),
        (ColumnTransformer([("t", CountVectorizer(analyzer="char"), "c")]), X[["c"]]),
    ],
    ids=["numbers as text", "numbers", "a flag", "counts"],
)
def test_numbers_that_are_no_codes_pass(case):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read(*case)


def test_only_fitted_encoders_are_found():
    vectorizer = Vectorizer(CategoryEncoder())
    assert fitted_encoders(vectorizer) == []
    vectorizer.fit(X[["c", "d"]])
    assert len(fitted_encoders(vectorizer)) == 2
    vectorizer.itself_ = vectorizer
    assert len(fitted_encoders([vectorizer, vectorizer])) == 2

"""Columns of one encoder that share a vocabulary."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from sk_mtl.preprocessing import CategoryEncoder, FeatureSchema, SequenceEncoder
from tests.preprocessing._schemas import columns, fit

TOWNS = pd.DataFrame(
    {
        "home": ["Oslo", "Rome", "Oslo", None],
        "work": ["Bonn", "Rome", "Kyiv", "Rome"],
        "name": ["Ann", "Bob", "Cid", "Rome"],
    }
)
GROUP = [["home", "work"]]


def test_equal_values_have_equal_codes():
    """Bonn, Kyiv, Oslo and Rome are 1 to 4, a missing home is 5."""
    for share in (GROUP, [(1, 0)], (["home", 1],)):
        encoder = CategoryEncoder(share=share)
        codes = encoder.fit_transform(TOWNS)
        assert codes.tolist() == [[3, 1, 1], [4, 4, 2], [3, 2, 3], [5, 4, 4]]
        assert encoder.cardinalities_ == [6, 6, 5]
        np.testing.assert_array_equal(encoder.transform(TOWNS), codes)
        new = TOWNS.assign(home="Kyiv", work="Oslo")
        assert encoder.transform(new)[:, :2].tolist() == [[2, 3]] * 4
        assert encoder.inverse_transform(codes)[:3, 1].tolist() == [*TOWNS["work"][:3]]
    assert clone(encoder).share == (["home", 1],)


def test_what_is_rare_in_a_column_stays_rare_there():
    """Oslo and Rome are kept by one column each: 1 and 2; all others are rare: 3."""
    encoder = CategoryEncoder(share=GROUP, min_frequency=2, missing="unknown")
    assert encoder.fit_transform(TOWNS)[:, :2].tolist() == [
        [1, 3],
        [3, 2],
        [1, 3],
        [0, 2],
    ]


def test_sequences_share():
    X = pd.DataFrame({"seen": [["b"], ["a", "c"], []], "bought": [["c"], [], None]})
    encoder = SequenceEncoder(share=[["seen", "bought"]], max_length=2)
    codes = encoder.fit_transform(X)
    assert codes.tolist() == [[2, -1, 3, -1], [1, 3, -1, -1], [-1] * 4]
    np.testing.assert_array_equal(encoder.transform(X), codes)
    assert encoder.cardinalities_ == [4, 4]


def test_a_schema_shares_what_an_encoder_was_told_to():
    X = TOWNS.assign(last=[["Rome"], ["Paris"], [], []])
    preprocessor = columns(
        ("cat", CategoryEncoder(share=GROUP), ["name", "home", "work"]),
        ("seq", SequenceEncoder(), ["last"]),
    )
    schema, _ = fit(preprocessor, X)
    assert schema.embedded_names == ["name", "home", "work", "last"]
    assert schema.vocabularies == [0, 1, 1, 2]
    wider, shared = schema.share_vocabularies(preprocessor, [["last", "work"]])
    assert wider.vocabularies == [0, 1, 1, 1]
    paris = X.assign(home="Paris", work="Paris")
    assert wider.transform(shared, paris).codes[0, 1:].tolist() == [4, 4]
    constant, _ = fit(preprocessor, X.assign(home="Rome"))
    assert constant.vocabularies == [0, 1, 2]


def test_codes_that_come_encoded_mean_the_same():
    """In a pipeline an estimator reads the codes as values."""
    codes = CategoryEncoder(share=GROUP).fit_transform(TOWNS)
    encoder = CategoryEncoder()
    schema = FeatureSchema.from_preprocessor(encoder, encoder.fit_transform(codes))
    schema, encoder = schema.share_vocabularies(encoder, [["x0", "x1"]])
    home, work = schema.transform(encoder, codes).codes[:, :2].T
    assert home[1] == work[1] == work[3] != home[0]


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (["home", "work"], r"lists of columns; found 'home'\. Write \[\['home', \."),
        ([["home"]], r"two columns or more in a group; found \['home'\]\. Add the"),
        ([["home", "work"], ["name", 1]], "one group only; found 1 in two. Join"),
        ([["home", "wrok"]], r"'name'\]; found 'wrok'\. Did you mean 'work'\?"),
        (
            [["home", "history"]],
            r"found 'history'\. Columns of different encoders share",
        ),
        ([[0, 3]], r"positions from 0 to 2; found 3\. The encoder has 3 columns\."),
        ("home", "'share' parameter"),
    ],
)
def test_wrong_groups_are_refused(share, text):
    with pytest.raises(ValueError, match=text):
        CategoryEncoder(share=share).fit(TOWNS)


def test_a_dtype_must_hold_the_common_codes():
    X = pd.DataFrame({"a": range(100), "b": range(100, 200)})
    with pytest.raises(
        ValueError, match="'a': codes up to 200 are required; dtype=int8"
    ):
        CategoryEncoder(share=[["a", "b"]], dtype=np.int8).fit(X)

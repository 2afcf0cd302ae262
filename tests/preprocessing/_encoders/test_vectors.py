import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from sk_mtl import MMOEClassifier
from sk_mtl.preprocessing import SequenceEncoder, make_tabular_preprocessor
from tests.preprocessing._sample_tables import import_polars

VECTORS = [[0.25, -1.0, 3.0], [1.0, 2.0, 0.5], [0.0, 0.0, 1.0]]


def frame(rows, dtype=object):
    return pd.DataFrame({"v": pd.Series(rows, dtype=dtype)})


TABLES = {
    "lists": lambda: frame(VECTORS),
    "tuples": lambda: frame([tuple(row) for row in VECTORS]),
    "arrays": lambda: frame([np.array(row) for row in VECTORS]),
    "half precision": lambda: frame([np.array(row, np.float16) for row in VECTORS]),
    "with a gap": lambda: frame([*VECTORS, None]),
    "arrow": lambda: frame(VECTORS, pd.ArrowDtype(pa.list_(pa.float32()))),
    "arrow, fixed": lambda: frame(VECTORS, pd.ArrowDtype(pa.list_(pa.float64(), 3))),
    "pyarrow": lambda: pa.table({"v": VECTORS}),
    "polars": lambda: import_polars().DataFrame({"v": VECTORS}),
    "integers too": lambda: frame([[1, 2], [3, 0.5]]),
}


@pytest.mark.parametrize("make", TABLES.values(), ids=TABLES)
def test_vectors_are_refused_by_name(make):
    X = make()
    match = r"Column 'v': sequences of categories.*found the fraction 0\.\d+, as in vec"
    with pytest.raises(TypeError, match=match):
        SequenceEncoder().fit(X)
    with pytest.raises(TypeError, match=match):
        make_tabular_preprocessor(X).fit(X)


def test_estimators_refuse_vectors_and_take_what_the_message_makes_of_them():
    n = 60
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"v": list(rng.random((n, 3))), "price": rng.random(n)})
    y = (X["price"] > 0.5).astype(int)
    model = MMOEClassifier(max_epochs=1)
    with pytest.raises(TypeError) as caught:
        model.fit(X, y)
    assert str(caught.value).endswith(
        ", as in vectors of numbers. Spread them over one column per element: "
        "X = X.join(pd.DataFrame(X.pop('v').tolist(), index=X.index)"
        ".add_prefix('v_'))."
    )
    X = X.join(pd.DataFrame(X.pop("v").tolist(), index=X.index).add_prefix("v_"))
    assert model.fit(X, y).schema_.numeric_names == ["price", "v_0", "v_1", "v_2"]


def test_missing_vectors_become_missing_numbers():
    X = frame([*VECTORS, None]).assign(price=1.0)
    with pytest.raises(TypeError) as caught:
        make_tabular_preprocessor(X).fit(X)
    assert str(caught.value).endswith(
        "per element: v = X.pop('v').dropna(); X = X.join(pd.DataFrame(v.tolist(), "
        "index=v.index).add_prefix('v_'))."
    )
    v = X.pop("v").dropna()
    X = X.join(pd.DataFrame(v.tolist(), index=v.index).add_prefix("v_"))
    assert list(X) == ["price", "v_0", "v_1", "v_2"]
    assert X.iloc[3, 1:].isna().all()


def test_fractions_of_varying_number_have_a_remedy_of_their_own():
    with pytest.raises(TypeError, match="such as its mean and its length"):
        SequenceEncoder().fit(frame([[9.5, 3.0], [1.25]]))


@pytest.mark.parametrize(
    "rows",
    [
        [[1.0, 2.0], [3.0, 1.0]],
        [[1.0, np.nan], [3.0]],
        [np.array([1.0, np.nan]), np.array([2.0])],
        [[1, 2], [3.0]],
        [["0.5", "1.5"], ["0.5"]],
    ],
    ids=["floats", "a missing item", "arrays", "integers too", "text"],
)
def test_whole_numbers_and_labels_are_categories(rows):
    assert SequenceEncoder(max_length=2).fit(frame(rows)).cardinalities_[0] >= 3


def test_a_column_of_vectors_is_refused_after_training_too():
    encoder = SequenceEncoder(max_length=2).fit(frame([[1.0, 2.0]]))
    with pytest.raises(TypeError, match=r"found the fraction 1\.5"):
        encoder.transform(frame([[1.5, 2.0]] * 5))


def test_a_fraction_after_training_is_an_unseen_item():
    encoder = SequenceEncoder(max_length=2).fit(frame([[1.0, 2.0]]))
    assert encoder.transform(frame([[1.5, 2.0]])).tolist() == [[0, 2]]
    codes = encoder.transform(frame([[1.0, 2.0]] * 9 + [[1.5, 2.5]]))
    assert codes[-1].tolist() == [0, 0]

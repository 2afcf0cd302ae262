import datetime
import os
import pickle
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.utils.estimator_checks import check_estimator

from sk_mtl.exceptions import ColumnWarning
from sk_mtl.preprocessing import HashingEncoder
from tests.preprocessing._sample_tables import column

MASK = 2**64 - 1
MANY = 2**31 - 1  # So many buckets that equal codes mean equal hashes.


def codes_of(X, n_buckets=MANY, **parameters):
    """Codes of the only column."""
    encoder = HashingEncoder(n_buckets, **parameters)
    return encoder.fit_transform(X)[:, 0].tolist()


# The definition of the hash of numbers, written with Python's own integers.


def mix(x):
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & MASK
    return x ^ (x >> 31)


def bucket(number, n_buckets, seed):
    key = mix((seed + 1) * 0x9E3779B97F4A7C15 & MASK)
    return 1 + mix(number ^ key) % n_buckets


@pytest.mark.parametrize("seed", [0, 1, 2**32 - 1])
def test_integers_are_hashed_as_defined(seed):
    values = [0, 1, 2, 2**53 + 1, 2**63, 2**64 - 1]
    codes = codes_of(np.array(values, dtype=np.uint64)[:, None], 97, seed=seed)
    assert codes == [bucket(value, 97, seed) for value in values]
    (code,) = codes_of(np.array([[-3]]), 97, seed=seed)
    assert code == bucket(mix(2**64 - 3), 97, seed)


FOX = "The quick brown fox jumps over the lazy dog"

# Published values of MurmurHash3_x86_32 (Wikipedia, and its implementations' tests).
MURMUR = [
    ("", 0, 0),
    ("", 1, 0x514E28B7),
    ("", 2**32 - 1, 0x81F16F39),
    ("test", 0, 0xBA6BD213),
    ("test", 0x9747B28C, 0x704B81DC),
    ("hello", 0, 0x248BFA47),
    ("Hello, world!", 0, 0xC0363E43),
    ("Hello, world!", 0x9747B28C, 0x24884CBA),
    (FOX, 0, 0x2E4FF723),
    (FOX, 0x9747B28C, 0x2FA826CD),
]


@pytest.mark.parametrize(("text", "seed", "value"), MURMUR)
def test_text_is_hashed_by_murmurhash3(text, seed, value):
    for X in (column([text]), column([text.encode()])):
        for n_buckets in (2**32, 97):
            codes = codes_of(X, n_buckets, seed=seed, dtype=np.int64)
            assert codes == [1 + value % n_buckets]


KNOWN = {
    "integers": [768129, 163376, 807872, 714808, 290746, 542820],
    "large": [206137, 656088, 503864],
    "floats": [199282, 693962, 406815],
    "text": [1, 84851, 401060, 551496, 619459],
    "bytes": [84851, 775246],
    "seed 1": [495529, 153800],
}


def test_known_codes():
    # These numbers are in the files of trained models: they never change.
    assert codes_of(np.arange(-2, 4)[:, None], 10**6) == KNOWN["integers"]
    assert codes_of(column([2**53 + 1, 2**63, 10**30]), 10**6) == KNOWN["large"]
    assert codes_of(column([0.5, -0.25, 1e300]), 10**6) == KNOWN["floats"]
    assert codes_of(column(["", "a", "user-1", "é", "日本"]), 10**6) == KNOWN["text"]
    assert codes_of(column([b"a", b"\xff"]), 10**6) == KNOWN["bytes"]
    assert codes_of(column(["a", "b"]), 10**6, seed=1) == KNOWN["seed 1"]


SCRIPT = """
import pandas as pd
from sk_mtl.preprocessing import HashingEncoder
X = pd.DataFrame({"text": ["ann", "bob", None], "id": [2**53 + 1, 2, -1]})
print(HashingEncoder(1000, seed=3).transform(X).tolist())
"""


def test_another_process_with_another_hash_of_python_gives_the_same_codes():
    X = pd.DataFrame({"text": ["ann", "bob", None], "id": [2**53 + 1, 2, -1]})
    expected = HashingEncoder(1000, seed=3).transform(X).tolist()
    for python_seed in ("1", "2"):
        run = subprocess.run(
            [sys.executable, "-c", SCRIPT],
            env={**os.environ, "PYTHONHASHSEED": python_seed},
            capture_output=True,
            text=True,
            check=True,
        )
        assert run.stdout.strip() == str(expected)


# Equal values have equal codes, in every container.

NUMBERS = [3, 250, 3, 0]
INTEGER_TYPES = ["int16", "uint8", "uint64", "float32", "float64", "UInt8", "category"]


@pytest.mark.parametrize("dtype", INTEGER_TYPES)
def test_equal_numbers_have_equal_codes(dtype):
    expected = codes_of(np.array(NUMBERS)[:, None])
    assert codes_of(column(NUMBERS, dtype)) == expected
    if not dtype.startswith(("int", "uint")):
        assert codes_of(column([*NUMBERS, None], dtype)) == [*expected, 0]


def test_numbers_of_several_types_in_one_column():
    X = column([1, 1.0, True, np.int8(1), np.float32(1), -0.0, 0, False])
    assert codes_of(X) == codes_of(np.array([[1], [1], [1], [1], [1], [0], [0], [0]]))
    assert codes_of(column([True, False, None], "boolean"))[:2] == codes_of(X)[4:6]
    assert codes_of(np.array([[True], [False]])) == codes_of(X)[4:6]
    fractions = np.array([0.5, 1.5], dtype=np.float32)
    assert codes_of(column([0.5, 1.5, 1])) == codes_of(fractions[:, None]) + [
        codes_of(X)[0]
    ]


def test_large_numbers():
    low, high = codes_of(column([2**53 + 1, 2**53 + 2], np.int64))
    assert low != high
    assert codes_of(column([2**53 + 1, None, 2**53 + 2], "Int64")) == [low, 0, high]
    assert codes_of(column([2**53 + 1, None, 2**53 + 2])) == [low, 0, high]
    assert codes_of(np.array([[2**53 + 2.0]])) == [high]
    edges = [2**63 - 1, 2**63, 2**64 - 1, 2**64, 10**30, -1, -(2**63), -(2**63) - 1]
    assert len(set(codes_of(column(edges)))) == len(edges)
    for value in edges[:3]:
        assert codes_of(column([value], np.uint64)) == codes_of(column([value]))
    for value in (2.0**63, 2.0**64, 1e30, -(2.0**63), -1e30):
        assert codes_of(column([value])) == codes_of(column([int(value)]))


def test_bytes_and_unusual_text():
    assert codes_of(column([b"ann", b"\xff", b""])) == [
        codes_of(column(["ann"]))[0],
        *codes_of(column([b"\xff", b""])),
    ]
    assert codes_of(column(["ann", "\ud800"]))[0] == codes_of(column(["ann"]))[0]
    # One by one: pandas before 3 confuses such texts when it looks for distinct ones.
    unusual = ["\ud800", "\ud801", "a\0", "a", "\0a"]
    assert len({codes_of(column([text]))[0] for text in unusual}) == 5


def test_zero_is_the_code_of_missing_values_only():
    X = column(["a", None, np.nan, pd.NA, pd.NaT])
    assert codes_of(X, 2)[1:] == [0, 0, 0, 0]
    for values in (np.arange(1000), [str(i) for i in range(1000)]):
        assert set(codes_of(column(values), 7)) == set(range(1, 8))
    for dtype in (object, float, "Int64", "category"):
        assert codes_of(column([None, None], dtype)) == [0, 0]


# How many values share a bucket.


def share_of_colliding(codes):
    counts = np.bincount(codes)
    return counts[counts > 1].sum() / len(codes)


VALUES = {
    "consecutive integers": np.arange(2000),
    "multiples of the number of buckets": 4096 * np.arange(2000),
    "random integers": np.random.default_rng(0).integers(0, 2**63, 2000),
    "negative integers": -np.arange(2000),
    "fractions": np.arange(2000) / 2000 + 1 / 4000,
    "short text": np.array([f"{i}" for i in range(2000)], dtype=object),
    "long text": np.array([f"user number {i}" for i in range(2000)], dtype=object),
}


@pytest.mark.parametrize("kind", VALUES)
def test_the_share_of_values_that_share_a_bucket_is_the_documented_one(kind):
    X, n = VALUES[kind][:, None], 4096
    shares = [share_of_colliding(codes_of(X, n, seed=seed)) for seed in range(40)]
    expected = 1 - (1 - 1 / n) ** (len(X) - 1)
    error = np.std(shares, ddof=1) / np.sqrt(len(shares))
    assert abs(np.mean(shares) - expected) < 4 * error
    # Random buckets vary as much: a hash that spread values evenly would not.
    rng = np.random.default_rng(1)
    random = [share_of_colliding(rng.integers(1, n + 1, len(X))) for _ in range(40)]
    assert 0.5 < np.std(shares) / np.std(random) < 2


def test_numbers_of_the_docstring():
    for n, share in ((1000, 0.63), (10_000, 0.1), (100_000, 0.01)):
        assert 1 - (1 - 1 / n) ** 999 == pytest.approx(share, rel=0.06)


@pytest.mark.parametrize("kind", ["consecutive integers", "long text"])
def test_other_seeds_let_other_values_collide(kind):
    X = VALUES[kind][:, None]
    n = 4096
    pairs = []
    for seed in (0, 1):
        codes = np.array(codes_of(X, n, seed=seed))
        same = np.triu(codes[:, None] == codes, k=1)
        pairs.append(set(zip(*np.nonzero(same))))
    assert min(map(len, pairs)) > 300
    # Of about 490 pairs, each collides again with a probability of 1 in 4096.
    assert len(pairs[0] & pairs[1]) <= 3


# What the encoder refuses.


def test_text_beside_numbers():
    message = (
        "Column 'c': values of one kind are required; found a number and text. Convert "
        "the column to one type: a number and the text that spells it get different "
        "codes."
    )
    with pytest.raises(TypeError, match=message):
        HashingEncoder(9).transform(column([1, "1"]))
    with pytest.raises(TypeError, match="found bytes and text"):
        HashingEncoder(9).transform(column(["a", b"a"]))


@pytest.mark.parametrize(
    ("values", "dtype", "message"),
    [
        (pd.to_datetime(["2024-01-01"]), "category", "found a Timestamp: .* to text"),
        ([pd.Interval(0, 1)], "category", "found a Interval: .* Convert the column to"),
        ([(1, 2)], object, "one value per row is required; found a tuple"),
        ([[1, 2]], object, "one value per row .*. Encode sequences with Seq"),
        ([{"a": 1}], object, "must be a string or a number; found a dict"),
    ],
)
def test_values_without_a_hash(values, dtype, message):
    with pytest.raises(TypeError, match=f"Column 'c': .*{message}"):
        HashingEncoder(9).fit(column(values, dtype))


def test_infinity_and_times():
    with pytest.raises(ValueError, match=r"'c': finite or .* contains infinity"):
        HashingEncoder(9).fit(pd.DataFrame({"c": [1.0, np.inf]}))
    with pytest.raises(TypeError, match=r"'c': text, numbers or .*Take month"):
        HashingEncoder(9).fit(column([1], "datetime64[ns]"))


def test_a_value_of_another_type_than_in_training_is_a_new_one():
    encoder = HashingEncoder(99).fit(column([1, 2]))
    guest = encoder.transform(column(["guest"])).tolist()
    assert guest == HashingEncoder(99).transform(column(["guest"])).tolist()
    mixed = encoder.transform(column(["guest", 1, b"guest", 1.0, True], object))
    one = encoder.transform(column([1])).tolist()
    assert mixed.tolist() == [*guest, *one, *guest, *one, *one]
    # A date has no hash that is kept for years.
    times = [pd.Timestamp("2024-01-01"), datetime.date(2024, 1, 1), pd.Interval(0, 1)]
    assert not encoder.transform(column(times, object)).any()
    assert not encoder.transform(column([1, 2], "datetime64[ns]")).any()


def test_a_column_in_which_all_rows_are_of_another_type_draws_a_warning():
    encoder = HashingEncoder(9).fit(column([1, 2]))
    with pytest.warns(ColumnWarning, match=r"'c' must hold a number .*; found text in"):
        encoder.transform(column(["1"] * 10))
    encoder.transform(column(["1"] * 9))
    with pytest.warns(ColumnWarning, match="must hold text .*; found a number in"):
        HashingEncoder(9).fit(column(["1"])).transform(column([1] * 10, np.int64))
    assert encoder.transform(column([None])).tolist() == [[0]]
    # Nothing is known of a column without values, also after it has been used.
    empty = HashingEncoder(9).fit(column([None]))
    for values in (["1"], [1]):
        assert empty.transform(column(values)).min() > 0


@pytest.mark.parametrize("n_buckets", [1, 0, -5, 2.5, "9", None])
def test_too_few_buckets(n_buckets):
    message = (
        r"The 'n_buckets' parameter of HashingEncoder must be an int in the range "
        rf"\[2, 4294967296\]. Got {n_buckets!r} instead"
    )
    for method in ("fit", "fit_transform", "transform"):
        with pytest.raises(ValueError, match=message):
            getattr(HashingEncoder(n_buckets), method)([[1]])


def test_other_parameters_out_of_range():
    with pytest.raises(ValueError, match="'seed' parameter"):
        HashingEncoder(9, seed=-1).fit([[1]])
    with pytest.raises(ValueError, match="'seed' parameter"):
        HashingEncoder(9, seed=2**32).fit([[1]])
    message = "up to 128 are required; dtype=int8 holds at most 127 exactly. Choose a "
    with pytest.raises(ValueError, match=message + "wider dtype, or fewer buckets."):
        HashingEncoder(128, dtype=np.int8).fit([[1]])
    assert HashingEncoder(127, dtype=np.int8).fit_transform([[1]]).dtype == np.int8
    with pytest.raises(ValueError, match="dtype must be an integer or float type"):
        HashingEncoder(9, dtype=str).fit([[1]])


# The conventions of scikit-learn.


def test_it_needs_no_fit_and_keeps_no_state():
    X = pd.DataFrame({"a": ["x", None], "b": [1, 2]})
    encoder = HashingEncoder(1000)
    before = dict(vars(encoder))
    codes = encoder.transform(X)
    assert vars(encoder) == before
    np.testing.assert_array_equal(encoder.fit_transform(X), codes)
    np.testing.assert_array_equal(HashingEncoder(1000).fit(X).transform(X), codes)
    assert encoder.cardinalities_ == [1001, 1001]
    assert codes.dtype == np.int32
    assert codes.flags.f_contiguous
    other = HashingEncoder(1000).fit(X[["b", "a"]].iloc[::-1]).transform(X[["b", "a"]])
    np.testing.assert_array_equal(other[:, ::-1], codes)


def test_names_and_containers_of_the_output():
    X = pd.DataFrame({"a": ["x", None], "b": [1, 2]}, index=[5, 6])
    encoder = HashingEncoder(1000).set_output(transform="pandas").fit(X)
    frame = encoder.transform(X)
    assert frame.columns.tolist() == ["a", "b"]
    assert frame.index.tolist() == [5, 6]
    assert encoder.get_feature_names_out().tolist() == ["a", "b"]
    with pytest.raises(ValueError, match="feature names should match"):
        encoder.transform(X[["b", "a"]])
    with pytest.raises(ValueError, match=r"has 1 features, but .* is expecting 2"):
        HashingEncoder(9).fit([[1, 2]]).transform([[1]])


def test_inside_a_column_transformer():
    X = pd.DataFrame({"a": ["x", None], "n": [0.5, 1.5]})
    columns = ColumnTransformer(
        [("num", "passthrough", ["n"]), ("hash", HashingEncoder(50), ["a"])]
    )
    expected = np.column_stack([X["n"], HashingEncoder(50).transform(X[["a"]])])
    np.testing.assert_array_equal(columns.fit_transform(X), expected)


def test_pickle_and_clone():
    X = pd.DataFrame({"a": ["x", None], "b": [1, 2]})
    encoder = HashingEncoder(1000, seed=4, dtype=np.int64).fit(X)
    copy = pickle.loads(pickle.dumps(encoder))
    np.testing.assert_array_equal(copy.transform(X), encoder.transform(X))
    assert clone(encoder).get_params() == encoder.get_params()


def test_every_check_of_scikit_learn_passes():
    results = check_estimator(HashingEncoder(64), on_skip=None)
    status = pd.Series([result["status"] for result in results]).value_counts()
    assert status["passed"] >= 43
    assert set(status.index) <= {"passed", "skipped"}

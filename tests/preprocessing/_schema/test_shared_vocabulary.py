import numpy as np
import pandas as pd
import pytest

from sk_mtl.preprocessing import CategoryEncoder
from sk_mtl.preprocessing._schema._code_columns import code_columns
from sk_mtl.preprocessing._schema._shared_vocabulary import (
    HashedVocabulary,
    merge_groups,
    unite,
)
from tests.preprocessing._schemas import ordinal


def vocabulary(values, dtype=None, encoder=None):
    column = pd.DataFrame({"column": pd.Series(values, dtype=dtype)})
    encoder = CategoryEncoder() if encoder is None else encoder
    return code_columns(encoder.fit(column), 1)[0].vocabulary


def united(*vocabularies):
    names = [f"c{j}" for j in range(len(vocabularies))]
    cardinality, remaps = unite(vocabularies, names)
    shown = [None if remap is None else remap.tolist() for remap in remaps]
    assert all(remap is None or remap.dtype == np.int32 for remap in remaps)
    return cardinality, shown


def test_a_union_by_hand():
    """ant bee cat dog are 1 to 4; each remap begins with unknown, ends with padding."""
    first = vocabulary(["bee", "dog"])
    second = vocabulary(["cat", "ant", "dog"])
    assert united(first, second) == (5, [[0, 2, 4, -1], [0, 1, 3, 4, -1]])


def test_rare_and_missing_have_one_common_code_each():
    """bee and cat are kept by one of both, so 1, 2; rare is 3 and missing 4."""
    few = CategoryEncoder(min_frequency=2)
    first = vocabulary(["bee", "bee", "ant", "cat", None], encoder=few)
    second = vocabulary(["cat", "cat", "bee"], encoder=CategoryEncoder())
    third = vocabulary(["bee", None])
    assert first.codes.tolist() == [2, 1, 2]
    cardinality, remaps = united(first, second, third)
    assert cardinality == 5
    # unknown, bee, rare (ant and cat), missing, padding
    assert remaps[0] == [0, 1, 3, 4, -1]
    # bee and cat have the codes 1 and 2 already.
    assert remaps[1] is None
    assert remaps[2] == [0, 1, 4, -1]


def test_equal_vocabularies_need_no_remap():
    assert united(vocabulary([7, 5]), vocabulary([5, 7, 7])) == (3, [None, None])


def test_a_vocabulary_of_missing_values_alone_joins_any():
    empty = vocabulary([None, None], dtype=object)
    assert united(empty, vocabulary(["a"])) == (3, [[0, 2, -1], None])
    assert united(empty, vocabulary([1, 2])) == (4, [[0, 3, -1], None])


@pytest.mark.parametrize("dtypes", [("int8", "uint16"), ("bool", "int64")])
def test_integers_of_any_width_unite(dtypes):
    one, other = vocabulary([1, 0], dtypes[0]), vocabulary([3, 1], dtypes[1])
    assert united(one, other) == (4, [None, [0, 2, 3, -1]])


def test_large_integers_never_pass_through_floats():
    """NumPy would compare int64 with uint64 as float64, where all of these are one."""
    large = 2**63
    signed = vocabulary([large - 2, large - 1], "int64")
    unsigned = vocabulary([large - 1, large, large + 1], "uint64")
    assert united(signed, unsigned) == (5, [None, [0, 2, 3, 4, -1]])
    negative = vocabulary([-1, large - 1], "int64")
    assert united(negative, unsigned) == (5, [None, [0, 2, 3, 4, -1]])
    floats = vocabulary([2.0**53, 0.5], "float64")
    integers = vocabulary([2**53, 2**53 + 1], "int64")
    assert united(floats, integers) == (4, [None, [0, 2, 3, -1]])


def test_whole_floats_are_the_integers_they_hold():
    """A column of integers with gaps comes as floats."""
    floats = vocabulary([3.0, 1.0, np.nan], "float64")
    assert united(floats, vocabulary([2, 3])) == (5, [[0, 1, 3, 4, -1], [0, 2, 3, -1]])
    single = vocabulary([0.1], "float32")
    assert united(single, vocabulary([0.1], "float64"))[0] == 3


@pytest.mark.parametrize("dtypes", [("str", object), (object, "category")])
def test_text_unites_whatever_its_dtype(dtypes):
    one, other = vocabulary(["b", "a"], dtypes[0]), vocabulary(["c", "b"], dtypes[1])
    assert united(one, other) == (4, [None, [0, 2, 3, -1]])


def test_categories_of_an_ordinal_encoder_unite():
    """OrdinalEncoder numbers the given order, and codes None as it does any value."""
    given = ordinal(categories=[["dog", "bee"]])
    first = vocabulary(["dog", "bee"], encoder=given)
    rare = ordinal(min_frequency=2, encoded_missing_value=-2)
    second = vocabulary(["ant", "ant", "bee", "cat", np.nan], object, rare)
    third = vocabulary(["ant", None], object, ordinal())
    cardinality, remaps = united(first, second, third)
    # ant, bee, dog are 1, 2, 3; rare is 4; missing is 5.
    assert cardinality == 6
    assert remaps == [[0, 3, 2, -1], [0, 1, 4, 5, -1], [0, 1, 5, -1]]


def test_a_missing_value_written_as_unknown_stays_unknown():
    same = ordinal(encoded_missing_value=-1)
    first = vocabulary(["a", np.nan], object, same)
    assert united(first, vocabulary(["b"])) == (3, [None, [0, 2, -1]])


def test_text_and_numbers_do_not_unite():
    match = r"all text or all numbers; found a number in 'c0' and text in 'c1'. Convert"
    with pytest.raises(ValueError, match=match):
        united(vocabulary([1]), vocabulary(["1"]))


def test_hashed_columns_unite_with_their_like_only():
    one = HashedVocabulary(100, 0)
    assert united(one, HashedVocabulary(100, 0)) == (101, [None, None])
    for other, text in (
        (HashedVocabulary(50, 0), "'c1' \\(n_buckets=50, seed=0\\)"),
        (HashedVocabulary(100, 1), "'c1' \\(n_buckets=100, seed=1\\)"),
        (vocabulary(["a"]), "'c1' \\(not hashed\\)"),
    ):
        match = f"equal n_buckets and seed, or none; found 'c0'.*{text}"
        with pytest.raises(ValueError, match=match):
            united(one, other)


def test_groups_with_a_name_in_common_are_joined():
    groups = [["a", "b"], ["c", "d"], ["e", "b"], ["d", "a"], ["f", "g"]]
    assert [sorted(group) for group in merge_groups(groups)] == [
        ["a", "b", "c", "d", "e"],
        ["f", "g"],
    ]
    assert merge_groups([["a", "b", "a"]]) == [["a", "b"]]

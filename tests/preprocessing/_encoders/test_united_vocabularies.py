import copy

import numpy as np
import pandas as pd
import pytest

from sk_mtl.preprocessing import CategoryEncoder
from sk_mtl.preprocessing._encoders._united_vocabularies import recode, unite


def vocabulary(values, dtype=None, **kwargs):
    column = pd.DataFrame({"column": pd.Series(values, dtype=dtype)})
    return CategoryEncoder(**kwargs).fit(column)._vocabularies[0]


def united(*vocabularies):
    return unite(vocabularies, [f"c{j}" for j in range(len(vocabularies))])


def tables(*vocabularies):
    """Number of codes, and the table from the codes of each to the common ones."""
    new = united(*vocabularies)
    (cardinality,) = {vocabulary.cardinality for vocabulary in new}
    recoded = [recode(*pair) for pair in zip(vocabularies, new, strict=True)]
    assert all(table.dtype == np.int32 for table in recoded)
    return cardinality, [table.tolist() for table in recoded]


def test_a_union_by_hand():
    """ant bee cat dog are 1 to 4; a table begins with unknown, ends with padding."""
    first = vocabulary(["bee", "dog"])
    second = vocabulary(["cat", "ant", "dog"])
    assert tables(first, second) == (5, [[0, 2, 4, -1], [0, 1, 3, 4, -1]])
    for each in united(first, second):
        assert each.categories.tolist() == ["ant", "bee", "cat", "dog"]
        assert each.decoded.tolist() == [None, "ant", "bee", "cat", "dog"]
        assert [each.code_of(item) for item in ("ant", "dog", "eel")] == [1, 4, 0]


def test_rare_and_missing_have_one_common_code_each():
    """bee and cat are kept by one of both, so 1, 2; rare is 3 and missing 4."""
    first = vocabulary(["bee", "bee", "ant", "cat", None], min_frequency=2)
    second = vocabulary(["cat", "cat", "bee"])
    third = vocabulary(["bee", None])
    cardinality, recoded = tables(first, second, third)
    assert cardinality == 5
    # unknown, bee, rare (ant and cat), missing, padding
    assert recoded[0] == [0, 1, 3, 4, -1]
    assert recoded[1] == [0, 1, 2, -1]
    assert recoded[2] == [0, 1, 4, -1]
    # cat stays rare where it was; ant, which no column keeps, is rare in all.
    items = np.array(["ant", "bee", "cat"], dtype=object)
    codes = [each.codes_of(items).tolist() for each in united(first, second, third)]
    assert codes == [[3, 1, 3], [3, 1, 2], [3, 1, 2]]
    # The second column had no missing value, which stays unknown.
    assert [each.missing_code for each in united(first, second, third)] == [4, 0, 4]


def test_what_changes_nothing_is_the_same_object():
    one, other = vocabulary([7, 5]), vocabulary([5, 7, 7])
    assert united(one, other) == [one, other]
    wider = united(one, vocabulary([6]))
    assert united(*wider) == wider
    assert copy.deepcopy(one) is one, "a vocabulary never changes"


def test_a_vocabulary_of_missing_values_alone_joins_any():
    empty = vocabulary([None, None], dtype=object)
    assert tables(empty, vocabulary(["a"])) == (3, [[0, 2, -1], [0, 1, -1]])
    assert tables(empty, vocabulary([1, 2])) == (4, [[0, 3, -1], [0, 1, 2, -1]])


@pytest.mark.parametrize("dtypes", [("int8", "uint16"), ("bool", "int64")])
def test_integers_of_any_width_unite(dtypes):
    one, other = vocabulary([1, 0], dtypes[0]), vocabulary([3, 1], dtypes[1])
    assert tables(one, other) == (4, [[0, 1, 2, -1], [0, 2, 3, -1]])


def test_large_integers_never_pass_through_floats():
    """NumPy would compare int64 with uint64 as float64, where all of these are one."""
    large = 2**63
    signed = vocabulary([large - 2, large - 1], "int64")
    unsigned = vocabulary([large - 1, large, large + 1], "uint64")
    assert tables(signed, unsigned) == (5, [[0, 1, 2, -1], [0, 2, 3, 4, -1]])
    negative = vocabulary([-1, large - 1], "int64")
    assert tables(negative, unsigned) == (5, [[0, 1, 2, -1], [0, 2, 3, 4, -1]])
    floats = vocabulary([2.0**53, 0.5], "float64")
    integers = vocabulary([2**53, 2**53 + 1], "int64")
    assert tables(floats, integers) == (4, [[0, 1, 2, -1], [0, 2, 3, -1]])


def test_whole_floats_are_the_integers_they_hold():
    """A column of integers with gaps comes as floats."""
    floats = vocabulary([3.0, 1.0, np.nan], "float64")
    assert tables(floats, vocabulary([2, 3])) == (5, [[0, 1, 3, 4, -1], [0, 2, 3, -1]])
    single = vocabulary([0.1], "float32")
    assert tables(single, vocabulary([0.1], "float64"))[0] == 3


@pytest.mark.parametrize("dtypes", [("str", object), (object, "category")])
def test_text_unites_whatever_its_dtype(dtypes):
    one, other = vocabulary(["b", "a"], dtypes[0]), vocabulary(["c", "b"], dtypes[1])
    assert tables(one, other) == (4, [[0, 1, 2, -1], [0, 2, 3, -1]])


@pytest.mark.parametrize("kwargs", [{}, {"min_frequency": 2}])
def test_text_and_numbers_do_not_unite(kwargs):
    match = r"all text or all numbers; found a number in 'c0' and text in 'c1'. Convert"
    with pytest.raises(ValueError, match=match):
        united(vocabulary([1], **kwargs), vocabulary(["1"]))

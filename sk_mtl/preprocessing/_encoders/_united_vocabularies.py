"""One set of codes for the vocabularies of several columns."""

import numpy as np

from sk_mtl.preprocessing._encoders._vocabulary import Vocabulary, kind_of


def unite(vocabularies, names):
    """Return vocabularies with the same codes for the same categories.

    Code 0 is unknown. Then follow the categories that at least one column keeps, sorted
    by value, one code for the rare categories if a column has any, and one for the
    missing value if a column has it. A category that a column itself has among its
    rare ones stays rare there. A missing value stays unknown to a column that had none
    in training.

    Parameters
    ----------
    vocabularies : list of Vocabulary
    names : list of str
        Names of the columns, for errors.

    Returns
    -------
    united : list of Vocabulary
        One for each column; the same object where nothing changes.
    """
    _check_kinds(vocabularies, names)
    ranks, known = _ranks([vocabulary.known for vocabulary in vocabularies])
    is_kept = np.zeros(len(known), dtype=bool)
    for vocabulary, rank in zip(vocabularies, ranks, strict=True):
        is_kept[rank[~vocabulary.rare]] = True
    codes = np.where(is_kept, np.cumsum(is_kept), is_kept.sum() + 1)
    n_codes = 1 + is_kept.sum() + any(v.rare.any() for v in vocabularies)
    cardinality = int(n_codes + any(v.missing_code for v in vocabularies))
    common = Vocabulary.of(known, codes, ~is_kept, cardinality)
    united = []
    for vocabulary, rank in zip(vocabularies, ranks, strict=True):
        own = common
        if is_kept[rank[vocabulary.rare]].any():
            own = _with_rare(common, rank[vocabulary.rare])
        if vocabulary.missing_code:
            own = own.with_missing_code(int(n_codes))
        united.append(vocabulary if _equal(vocabulary, own) else own)
    return united


def recode(vocabulary, united):
    """Return the united code of each code, and -1 at the end, which a -1 reads.

    Parameters
    ----------
    vocabulary : Vocabulary
        The vocabulary of a column.
    united : Vocabulary
        What `unite` made of it.

    Returns
    -------
    table : ndarray of shape (cardinality + 1,), dtype int32
    """
    table = np.zeros(vocabulary.cardinality + 1, dtype=np.int32)
    table[vocabulary.codes] = united.codes_of(vocabulary.known)
    if vocabulary.missing_code:
        table[vocabulary.missing_code] = united.missing_code
    table[-1] = -1
    return table


def _with_rare(common, rank):
    """Return the vocabulary in which the categories at some positions are rare."""
    codes, rare = common.codes.copy(), common.rare.copy()
    codes[rank] = codes[~rare].max() + 1
    rare[rank] = True
    return Vocabulary.of(common.known, codes, rare, common.cardinality)


def _equal(one, other):
    return (
        one.cardinality == other.cardinality
        and one.missing_code == other.missing_code
        and len(one.known) == len(other.known)
        and np.array_equal(one.codes, other.codes)
    )


def _ranks(columns):
    """Return the position of each value among all distinct ones, and these, sorted."""
    values = np.concatenate(_comparable(columns))
    # Stable sorting runs through parts that are in order already, as these are.
    order = np.argsort(values, kind="stable")
    values = values[order]
    is_first = np.ones(len(values), dtype=bool)
    is_first[1:] = values[1:] != values[:-1]
    ranks = np.empty(len(values), dtype=np.int64)
    ranks[order] = np.cumsum(is_first) - 1
    ends = np.cumsum([len(column) for column in columns])
    return np.split(ranks, ends[:-1]), values[is_first]


def _check_kinds(vocabularies, names):
    """Refuse columns of which some hold text and others numbers."""
    found = {
        kind_of(type(value)): name
        for vocabulary, name in zip(vocabularies, names, strict=True)
        for value in vocabulary.known[:1]
    }
    if len(found) > 1:
        kinds = " and ".join(f"{kind} in {name!r}" for kind, name in found.items())
        raise ValueError(
            "Columns that share an embedding must hold values of one kind, all text or "
            f"all numbers; found {kinds}. Convert one column to the type of the other."
        )


def _comparable(columns):
    """Return the columns' values in one type that holds all of them exactly."""
    dtype = _common_dtype([column for column in columns if len(column)])
    return [_cast(column, dtype) for column in columns]


def _common_dtype(columns):
    """Return a type that holds all values exactly; object, if there is no other.

    NumPy's own promotion joins int64 and uint64, or integers and floats, in float64,
    which rounds integers from 2**53 on.
    """
    kinds = {column.dtype.kind for column in columns}
    if kinds <= set("f") or (len(kinds) == 1 and kinds <= set("bmM")):
        return np.result_type(*columns) if columns else np.dtype(object)
    if kinds <= set("biuf") and all(map(_is_whole, columns)):
        low = min(int(column.min()) for column in columns)
        high = max(int(column.max()) for column in columns)
        for dtype in (np.int64, np.uint64):
            if np.iinfo(dtype).min <= low and high <= np.iinfo(dtype).max:
                return np.dtype(dtype)
    return np.dtype(object)


def _is_whole(column):
    return column.dtype.kind != "f" or bool(np.all(column == np.floor(column)))


def _cast(column, dtype):
    if dtype.kind != "O" or column.dtype.kind == "O":
        return column.astype(dtype, copy=False)
    # Python's own numbers compare exactly with numbers of any other type.
    values = np.empty(len(column), dtype=object)
    values[:] = column.tolist()
    return values

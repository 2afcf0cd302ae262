"""Columns of an encoded table that share their vocabularies."""

import copy
import itertools

import numpy as np

from sk_mtl._close_names import did_you_mean
from sk_mtl._sklearn_compat import _safe_indexing
from sk_mtl.preprocessing._encoders._column_groups import distinct_groups
from sk_mtl.preprocessing._encoders._united_vocabularies import recode, unite
from sk_mtl.preprocessing._encoders._vocabulary import Vocabulary
from sk_mtl.preprocessing._encoders._vocabulary_encoder import VocabularyEncoder
from sk_mtl.preprocessing._schema._code_columns import CodeColumn
from sk_mtl.preprocessing._schema._fixed_vocabularies import (
    HashedVocabulary,
    OrdinalVocabulary,
    same_codes,
)
from sk_mtl.preprocessing._schema._opaque_codes import fitted_encoders

_REQUIRED = "Columns that share an embedding must be columns of categories or sequences"

# Training rows that show whether a step computes numbers from codes.
_N_PROBED = 256


def check_groups(groups, schema):
    """Return the groups as lists of names, without the columns that were dropped.

    Parameters
    ----------
    groups : list of list of str
    schema : FeatureSchema
    """
    checked = distinct_groups(groups, "Groups of columns that share an embedding")
    for name in itertools.chain(*checked):
        if name not in schema.dropped:
            _check_embedded(name, schema)
    kept = [[name for name in group if name not in schema.dropped] for group in checked]
    return [group for group in kept if len(group) > 1]


def merge_groups(groups):
    """Return groups of names, those with a name in common joined, in order.

    Parameters
    ----------
    groups : list of list of str
    """
    merged = []
    for group in groups:
        group = list(group)
        for other in [other for other in merged if set(other) & set(group)]:
            merged.remove(other)
            group = other + group
        merged.append(list(dict.fromkeys(group)))
    return merged


def declared_groups(columns, names):
    """Return the groups that encoders share by themselves.

    Parameters
    ----------
    columns : list of CodeColumn
    names : list of str
        Their names.
    """
    groups = {}
    for column, name in zip(columns, names, strict=True):
        for k, positions in enumerate(getattr(column.encoder, "_groups", ())):
            if column.position in positions:
                groups.setdefault((id(column.encoder), k), []).append(name)
    return [group for group in groups.values() if len(group) > 1]


def united_columns(columns, names, group):
    """Return columns with one vocabulary within a group.

    Parameters
    ----------
    columns : list of CodeColumn
        All columns of codes.
    names : list of str
        Their names.
    group : list of str
        Names of those that share.

    Returns
    -------
    columns : list of CodeColumn
        All columns. Columns with a larger vocabulary have a new encoder.
    """
    chosen = [columns[names.index(name)] for name in group]
    vocabularies = [column.vocabulary for column in chosen]
    if not all(isinstance(vocabulary, Vocabulary) for vocabulary in vocabularies):
        _check_same_codes(vocabularies, group)
        return columns
    united = {}
    for column, vocabulary in zip(chosen, unite(vocabularies, group), strict=True):
        if vocabulary is not column.vocabulary:
            _, own = united.setdefault(id(column.encoder), (column.encoder, {}))
            own[column.position] = vocabulary
    encoders = {
        key: encoder.with_vocabularies(own) for key, (encoder, own) in united.items()
    }
    return [
        CodeColumn.of(encoders[id(column.encoder)], column.position)
        if id(column.encoder) in encoders
        else column
        for column in columns
    ]


def replace_encoders(preprocessor, before, after):
    """Return a preprocessor with new encoders; the one that is given stays as it is.

    Parameters
    ----------
    preprocessor : fitted transformer, "passthrough" or None
    before, after : list of CodeColumn
        The same columns with the preprocessor's own encoders, and with the new ones.
    """
    encoders = {
        id(old.encoder): new.encoder
        for old, new in zip(before, after, strict=True)
        if old.encoder is not None
    }
    if all(key == id(encoder) for key, encoder in encoders.items()):
        return preprocessor
    # A deep copy takes what its memo holds instead of a copy. Encoders that stay the
    # same are in it, too, as they may be large.
    return copy.deepcopy(preprocessor, encoders)


def check_encoders(preprocessor, shared):
    """Refuse a preprocessor from before sharing, whose codes would be misread.

    Parameters
    ----------
    preprocessor : fitted transformer, "passthrough" or None
    shared : fitted transformer or None
        The preprocessor with new encoders; None where no encoder was replaced.
    """
    if shared is None or preprocessor is shared:
        return
    if _sizes(preprocessor) != _sizes(shared):
        raise ValueError(
            "`preprocessor` must be the one that `share_vocabularies` returned beside "
            "this schema; found encoders with other vocabularies, whose codes would be "
            "misread. Give the second of the two values that it returned."
        )


def _sizes(preprocessor):
    """Return the numbers of codes of each encoder that learnt vocabularies.

    One that was replaced knows more than before, so that its numbers are larger.
    """
    return [
        encoder.cardinalities_
        for encoder in fitted_encoders(preprocessor)
        if isinstance(encoder, VocabularyEncoder)
    ]


def recode_arrays(arrays, before, after):
    """Return arrays in the codes of united vocabularies.

    Parameters
    ----------
    arrays : FeatureArrays
    before, after : list of CodeColumn
        The columns that the arrays were read by, and those with united vocabularies:
        categories, then sequences.
    """
    codes, sequences = arrays.codes.copy(), list(arrays.sequences)
    for i, (old, new) in enumerate(zip(before, after, strict=True)):
        if old.vocabulary is new.vocabulary:
            continue
        table, j = recode(old.vocabulary, new.vocabulary), i - codes.shape[1]
        if j < 0:
            codes[:, i] = table[codes[:, i]]
        else:
            sequences[j] = table[sequences[j]]
    return arrays._replace(codes=codes, sequences=tuple(sequences))


def check_numbers(before, after, X):
    """Refuse encoders whose codes a later step of the preprocessor makes numbers of.

    Parameters
    ----------
    before, after : tuple of (FeatureSchema, fitted transformer)
        The schema and the preprocessor with the encoders as they were, and with the
        new ones. Their numbers must be the same.
    X : data frame or array of shape (n_samples, n_features)
        Training rows, of which a few are looked at.
    """
    rows = np.linspace(0, X.shape[0] - 1, min(_N_PROBED, X.shape[0])).astype(int)
    probed = _safe_indexing(X, np.unique(rows))
    schema, preprocessor = before
    numbers = schema.transform(preprocessor, probed).numeric
    try:
        new = after[0].transform(after[1], probed).numeric
    except ValueError as error:
        _refuse_numbers(f"a later step refuses the common ones ({error})", error)
    changed = np.flatnonzero((numbers != new).any(axis=0))
    if len(changed):
        names = ", ".join(repr(schema.numeric_names[j]) for j in changed[:3])
        _refuse_numbers(f"a later step computes {names} from them")


def _refuse_numbers(found, cause=None):
    raise ValueError(
        "Codes of columns that share an embedding must be read by the network alone; "
        f"found that {found}. Give that step the raw columns, such as in a "
        "ColumnTransformer."
    ) from cause


def number_tables(names, groups):
    """Return the number of each feature's set of codes, in order of appearance."""
    first = {name: group[0] for group in groups for name in group}
    numbers = {}
    return [numbers.setdefault(first.get(name, name), len(numbers)) for name in names]


def _check_same_codes(vocabularies, group):
    """Refuse vocabularies, some of which cannot learn, whose codes differ."""
    if all(same_codes(vocabularies[0], other) for other in vocabularies[1:]):
        return
    named = dict(zip(group, vocabularies, strict=True))
    if any(isinstance(vocabulary, HashedVocabulary) for vocabulary in vocabularies):
        found = ", ".join(f"{name!r} ({_hashing(v)})" for name, v in named.items())
        raise ValueError(
            "Columns that share an embedding must all be hashed, with equal n_buckets "
            f"and seed, or none; found {found}. Encode them alike."
        )
    fixed = [name for name, v in named.items() if isinstance(v, OrdinalVocabulary)]
    raise ValueError(
        f"Columns that share an embedding, {group}, must have one vocabulary; found "
        f"{fixed[0]!r}, whose OrdinalEncoder has categories of its own and cannot "
        "learn the others. Encode it by a CategoryEncoder, or give the "
        "encoders of all these columns equal categories."
    )


def _hashing(vocabulary):
    if not isinstance(vocabulary, HashedVocabulary):
        return "not hashed"
    return f"n_buckets={vocabulary.n_buckets}, seed={vocabulary.seed}"


def _check_embedded(name, schema):
    """Raise an error if a name is not that of an embedded feature."""
    names = schema.embedded_names
    if name in names:
        return
    if name in schema.numeric_names:
        raise ValueError(
            f"{_REQUIRED}; found {name!r}, which is numeric. Encode it as categories, "
            "for instance by a CategoryEncoder or with categorical_features."
        )
    shown = f"The embedded columns are {names}."
    remedy = did_you_mean(str(name), names) or (
        shown if len(names) <= 20 else "Correct the name."
    )
    raise ValueError(f"{_REQUIRED}; found {name!r}. {remedy}")

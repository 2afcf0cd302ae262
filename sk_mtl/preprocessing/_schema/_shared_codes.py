"""The codes of the embedded features: each its own, or one set for several."""

import copy
import difflib

from sk_mtl.preprocessing._schema._shared_vocabulary import (
    extended_remap,
    learn_from_each_other,
    merge_groups,
    unite,
)

_REQUIRED = "Columns that share an embedding must be columns of categories or sequences"


class Embeddings:
    """Which embedded features share one set of codes, and their common codes.

    Parameters
    ----------
    names : list of str
        Names of the features.
    vocabularies : list of vocabulary
        What the encoder of each knows of it.

    Attributes
    ----------
    cardinalities : list of int
        Number of codes of each feature.
    tables : list of int
        Number of the set of codes of each feature, counted in order of appearance.
    remaps : list of ndarray or None
        The common code of each local code of a feature, and -1 at the end; None where
        the local codes are the common ones.
    vocabularies : list of vocabulary
        What the encoder of each feature knows of it.
    """

    def __init__(self, names, vocabularies):
        self.names = names
        self.cardinalities = [vocabulary.cardinality for vocabulary in vocabularies]
        self.tables = list(range(len(names)))
        self.remaps = [None] * len(names)
        self.vocabularies = vocabularies
        self._groups = []

    def shared(self, groups):
        """Return a copy in which the features of each group share their codes.

        A group that has a feature in common with an earlier one is joined with it.

        Parameters
        ----------
        groups : list of list of str
        """
        shared = copy.copy(self)
        shared._groups = merge_groups(self._groups + groups)
        shared.cardinalities, shared.remaps = [*self.cardinalities], [*self.remaps]
        for group in shared._groups:
            if group not in self._groups:
                shared._unite(group)
        shared._number_tables()
        return shared

    def extended(self):
        """Return a copy in which each vocabulary knows those that it shares with."""
        extended = copy.copy(self)
        extended.vocabularies, extended.remaps = [*self.vocabularies], [*self.remaps]
        for group in self._groups:
            chosen = self._positions(group)
            learned = learn_from_each_other([self.vocabularies[i] for i in chosen])
            for i, (vocabulary, more) in zip(chosen, learned, strict=True):
                before = self.vocabularies[i].cardinality
                extended.vocabularies[i] = vocabulary
                extended.remaps[i] = extended_remap(self.remaps[i], before, more)
        return extended

    def _positions(self, group):
        return [self.names.index(name) for name in group]

    def _unite(self, group):
        chosen = self._positions(group)
        vocabularies = [self.vocabularies[i] for i in chosen]
        cardinality, remaps = unite(vocabularies, group)
        for i, remap in zip(chosen, remaps, strict=True):
            self.cardinalities[i], self.remaps[i] = cardinality, remap

    def _number_tables(self):
        first = {name: group[0] for group in self._groups for name in group}
        numbers = {}
        self.tables = [
            numbers.setdefault(first.get(name, name), len(numbers))
            for name in self.names
        ]


def check_groups(groups, schema):
    """Return the groups as lists of names, without the columns that were dropped.

    Parameters
    ----------
    groups : list of list of str
    schema : FeatureSchema
    """
    checked, seen = [], set()
    for group in groups:
        if isinstance(group, str):
            raise ValueError(
                "Groups of columns that share an embedding must be lists of names; "
                f"found {group!r}. Write [[{group!r}, ...]]."
            )
        names = list(dict.fromkeys(group))
        for name in names:
            if name in seen:
                raise ValueError(
                    "Columns that share an embedding must be in one group only; found "
                    f"{name!r} in two. Join the groups."
                )
            if name not in schema.dropped:
                _check_embedded(name, schema, _REQUIRED)
        if len(names) < 2:
            raise ValueError(
                "Columns that share an embedding must be two or more; found "
                f"{names}. Add the column that it shares with, or remove the group."
            )
        seen.update(names)
        checked.append([name for name in names if name not in schema.dropped])
    return [group for group in checked if len(group) > 1]


def groups_of_sequences(blocks, schema):
    """Return each sequence with the column that its encoder's `share_with` names.

    Parameters
    ----------
    blocks : list of block
    schema : FeatureSchema
    """
    groups = []
    for block in blocks:
        column = getattr(block, "share_with", None)
        if column is None:
            continue
        made = schema.names_of(column)
        if not made and (column in schema.input_names or column in schema.dropped):
            # It is constant in the training rows, and was left out.
            continue
        embedded = [name for name in made if name in schema.embedded_names]
        target = embedded[0] if len(embedded) == 1 else column
        (name,) = block.names
        _check_embedded(
            target,
            schema,
            f"share_with of {name!r} must name a column of categories or a sequence",
        )
        groups.append([name, target])
    return groups


def _check_embedded(name, schema, required):
    """Raise an error, which begins with what is required, if a name is not embedded."""
    names = schema.embedded_names
    if name in names:
        return
    if name in schema.numeric_names:
        raise ValueError(
            f"{required}; found {name!r}, which is numeric. Encode it as categories, "
            "for instance by a CategoryEncoder or with categorical_features."
        )
    close = difflib.get_close_matches(str(name), names)
    remedy = f"The embedded columns are {names}."
    if close:
        remedy = f"Did you mean {' or '.join(map(repr, close))}?"
    elif len(names) > 20:
        remedy = "Correct the name."
    raise ValueError(f"{required}; found {name!r}. {remedy}")

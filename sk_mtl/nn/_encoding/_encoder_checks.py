"""Checks of the settings of an encoder."""

from collections.abc import Sequence

from sk_mtl.nn._encoding._field_pooling import GROUP_POOLINGS
from sk_mtl.nn._encoding._fields import check_equal_widths
from sk_mtl.nn._encoding._sequence_pooling import SEQUENCE_POOLINGS

# Places of an interaction that reads fields, which must be of one width.
FIELD_PLACES = ("fields", "logits")


def check_columns(
    cardinalities: Sequence[int], n_numeric: int, embedding_dims: Sequence[int]
) -> None:
    """Raise unless there is a column and every embedded one has positive sizes."""
    if len(cardinalities) != len(embedding_dims):
        raise ValueError(
            "cardinalities and embedding_dims must have one entry per categorical "
            f"column and sequence; found {len(cardinalities)} cardinalities and "
            f"{len(embedding_dims)} widths. Give both for the same features."
        )
    if not len(cardinalities) and not n_numeric:
        raise ValueError(
            "FeatureEncoder needs at least one column; found 0 categorical and 0 "
            "numeric columns. Keep at least one feature."
        )
    if min([*cardinalities, *embedding_dims], default=1) < 1:
        raise ValueError(
            "cardinalities and embedding_dims must be at least 1; found "
            f"{list(cardinalities)} and {list(embedding_dims)}. Count the unknown "
            "code in the cardinality and give every column a width."
        )


def check_sequences(
    poolings: Sequence[str],
    targets: Sequence[int | None],
    vocabularies: Sequence[int],
) -> None:
    """Raise unless each sequence can be pooled as requested."""
    n_columns = len(vocabularies) - len(poolings)
    if n_columns < 0 or len(targets) != len(poolings):
        raise ValueError(
            "sequence_pooling and sequence_targets must have one entry per sequence, "
            f"of at most {len(vocabularies)} embedded features; found {len(poolings)} "
            f"and {len(targets)} entries. Give both for the same sequences."
        )
    for j, (pooling, target) in enumerate(zip(poolings, targets)):
        if pooling not in SEQUENCE_POOLINGS:
            raise ValueError(
                f"sequence_pooling must hold names of {list(SEQUENCE_POOLINGS)}; found "
                f"{pooling!r}. Choose one of these names."
            )
        if pooling == "target_attention":
            _check_target(j, target, n_columns, vocabularies)


def _check_target(
    j: int, target: int | None, n_columns: int, vocabularies: Sequence[int]
) -> None:
    if target is None or not 0 <= target < n_columns:
        raise ValueError(
            f"Sequence {j} with target attention needs the position of a categorical "
            f"column, from 0 to {n_columns - 1}, in sequence_targets; found {target}. "
            "Name the column of the item in question."
        )
    if vocabularies[target] != vocabularies[n_columns + j]:
        raise ValueError(
            f"Sequence {j} and its target, column {target}, must be of one vocabulary; "
            f"found vocabularies {vocabularies[n_columns + j]} and "
            f"{vocabularies[target]}. Give both the same number."
        )


def check_interaction(
    place: str | None, n_heads: int, field_widths: Sequence[int]
) -> None:
    """Raise unless the fields and the logits allow an interaction in this place."""
    if place is None or place == "input":
        return
    what = f"interaction_place={place!r}"
    if place not in FIELD_PLACES:
        raise ValueError(
            "interaction_place must be 'input', 'fields' or 'logits'; found "
            f"{place!r}. Choose one of these names."
        )
    if place == "logits":
        _check_heads(what, n_heads)
    if not len(field_widths):
        raise ValueError(
            f"{what} needs embedded fields; found none. Embed the numeric columns, or "
            "use interaction_place='input'."
        )
    check_equal_widths(range(len(field_widths)), field_widths, what)


def check_wide(n_heads: int, n_embedded: int) -> None:
    """Raise unless there are categories and logits for a linear term."""
    _check_heads("wide=True", n_heads)
    if not n_embedded:
        raise ValueError(
            "wide=True needs categorical columns or sequences; found none. Leave "
            "it out."
        )


def _check_heads(what: str, n_heads: int) -> None:
    if n_heads < 1:
        raise ValueError(
            f"{what} adds terms to the logits and needs their number; found "
            f"n_heads={n_heads}. Give the sum of the heads' widths."
        )


def check_group_pooling(group_pooling: str) -> None:
    """Raise unless the name is known."""
    if group_pooling not in GROUP_POOLINGS:
        raise ValueError(
            f"group_pooling must be one of {list(GROUP_POOLINGS)}; found "
            f"{group_pooling!r}. Choose one of these names."
        )

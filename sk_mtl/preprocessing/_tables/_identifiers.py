"""Columns of identifiers, recognised by their names."""

import re
from decimal import Decimal

import numpy as np

from sk_mtl._frames import is_decimal_type

_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_THINGS = {
    *("user", "item", "product", "customer", "client", "account", "student"),
    *("member", "visitor", "session", "device", "order", "query", "article"),
    *("post", "video", "movie", "song", "track", "store", "shop", "ad", "campaign"),
    *("row", "person", "patient", "employee", "transaction", "request", "event"),
    *("category", "brand", "author", "artist", "book", "listing", "host", "cookie"),
    *("impression", "creative", "advertiser", "publisher", "seller", "merchant"),
}
_IDENTIFIER_WORDS = {
    *("id", "ids", "uid", "guid", "uuid", "pid", "cid", "sid", "oid"),
    *("identifier", "key", "code", "hash", "zipcode", "postcode"),
    # Written as one word; a bare ending "id" would also fit `bid`, `paid` and `valid`.
    *(f"{thing}id" for thing in _THINGS),
}


def is_named_identifier(name):
    """Return whether a column is named as identifiers are: `userId`, or `id_user`."""
    words = words_of(name)
    if not words:
        return False
    return words[-1] in _IDENTIFIER_WORDS or (words[0] == "id" and words[1] in _THINGS)


def words_of(name):
    """Return the words of a column's name in lower case."""
    return [word.lower() for word in _WORDS.findall(name)]


def holds_whole_numbers(column):
    """Return whether all numbers of a column are whole, as integers or as floats.

    Where a value is missing, pandas makes floats of integers.

    Parameters
    ----------
    column : Series
        Column of numbers of any type.
    """
    if column.dtype.kind in "iu":
        return True
    if column.dtype.kind == "f":
        values = column.to_numpy(dtype=np.float64, na_value=np.nan)
        return bool((np.isnan(values) | (np.floor(values) == values)).all())
    if is_decimal_type(column.dtype) or column.dtype.kind == "O":
        present = column.dropna()
        return all(
            isinstance(v, Decimal) and v == v.to_integral_value() for v in present
        )
    return False


def count_values(column):
    """Return the number of distinct values of a column, 0 where they have no hash.

    Parameters
    ----------
    column : Series
    """
    try:
        return column.nunique()
    except TypeError:
        # The encoder has an error for such values, which names the column.
        return 0

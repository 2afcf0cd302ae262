"""Numbers that are held as text, and the call of pandas that reads them."""

import re

from sk_mtl.preprocessing._tables._identifiers import words_of

# How numbers are written, and what makes of each text one that pandas reads.
_SPELLINGS = [
    (re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?"), None),
    (
        re.compile(r"[+-]?[$€£¥]?\s?[+-]?(\d{1,3}(,\d{3})+|\d+)(\.\d+)?\s?[$€£¥%]?"),
        ("[$€£¥%, ]", ""),
    ),
    (re.compile(r"[+-]?\d+(,\d+)?"), (",", ".")),
]

# Fewer distinct numbers make good categories.
_FEW = 20

# From this share of the distinct values on, all are meant to be numbers.
_NEARLY_ALL = 0.9

_INTEGER = re.compile(r"\d+(\.0*)?")
_GAPS = {
    *("", "?", "-", "--", ".", "na", "n/a", "#n/a", "nan", "none", "null", "nil"),
    *("missing", "unknown", "error", "#value!", "(null)", "<na>"),
}
_CODE_WORDS = {
    *("zip", "postal", "plz", "phone", "telephone", "tel", "mobile", "fax", "fips"),
    *("isbn", "ean", "gtin", "upc", "sku", "ssn", "iban", "vin", "naics", "sic", "icd"),
}


class NumbersInText:
    """Reader of the numbers among the texts of one column.

    Parameters
    ----------
    pattern : Pattern
        What a number looks like, without the space around it.
    replacement : (str, str) or None
        What to replace in the texts, and by what, for `pandas.to_numeric`.
    """

    def __init__(self, pattern, replacement):
        self.pattern = pattern
        self.replacement = replacement

    def reads(self, value):
        """Return whether a text is a number."""
        return self.pattern.fullmatch(value.strip()) is not None

    @classmethod
    def find(cls, values):
        """Return how to read nearly all of the distinct values, or None.

        Parameters
        ----------
        values : list of str
            Distinct texts of one column.
        """
        for pattern, replacement in _SPELLINGS:
            reader = cls(pattern, replacement)
            n_numbers = sum(map(reader.reads, values))
            if n_numbers >= max(_FEW, _NEARLY_ALL * len(values)):
                return reader
        return None

    def are_quantities(self, values, name, count_all, is_category):
        """Return whether the numbers measure something, rather than being codes.

        Fractions and signs decide; so does a text for gaps among integers. Integers
        alone are codes where they start with 0, have all the same length, or fill most
        of their range, as numbers given one after the other do; and all integers of a
        column that is declared as one of categories, if no text stands for gaps.

        Parameters
        ----------
        values : list of str
            Distinct texts of some rows.
        name : str
            Name of the column.
        count_all : callable
            Returns the number of distinct texts in all rows.
        is_category : bool
            Whether the column has the type `category`.
        """
        numbers = [value.strip() for value in values if self.reads(value)]
        if not all(map(_INTEGER.fullmatch, numbers)):
            return True
        numbers = [number.partition(".")[0] for number in numbers]
        if any(len(number) > 1 and number[0] == "0" for number in numbers):
            return False
        if not _CODE_WORDS.isdisjoint(words_of(name)):
            return False
        if any(value.strip().lower() in _GAPS for value in values):
            return True
        if is_category:
            return False
        same_length = len(set(map(len, numbers))) == 1
        return not same_length and max(map(int, numbers)) > 2 * count_all()

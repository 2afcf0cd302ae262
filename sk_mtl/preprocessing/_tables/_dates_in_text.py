"""Dates that are held as text, and the call of pandas that reads them."""

import re

import numpy as np
import pandas as pd

_TIME = (
    r"([T ,]+\d{1,2}:\d{2}(:\d{2}([.,]\d+)?)?\s?([AaPp]\.?[Mm]\.?)?"
    r"\s?(?P<zone>Z|UTC|GMT|[+-]\d{2}:?\d{2})?)?"
)
_WEEKDAY = r"([A-Za-z]{3,9},?\s+)?"
_MONTH = (
    r"(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|"
    r"Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec|"
    r"JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC)[A-Za-z]{0,6}\.?"
)
_FORMS = [
    re.compile(form)
    for form in (
        rf"\d{{4}}([-/.])\d{{1,2}}\1\d{{1,2}}{_TIME}",
        rf"(?P<first>\d{{1,2}})([-/.])(?P<second>\d{{1,2}})\2\d{{4}}{_TIME}",
        rf"(?P<first>\d{{1,2}})/(?P<second>\d{{1,2}})/\d{{2}}{_TIME}",
        rf"{_WEEKDAY}\d{{1,2}}[ \-./]{_MONTH},?[ \-./]\d{{2,4}}{_TIME}",
        rf"{_WEEKDAY}{_MONTH}\s+\d{{1,2}},?\s+\d{{4}}{_TIME}",
    )
]
_PLAIN_FORMS = {
    "%Y%m%d": re.compile(r"(19|20)\d{2}(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])"),
    "%Y-%m": re.compile(r"(19|20)\d{2}-(0[1-9]|1[0-2])"),
}

# Fewer distinct dates make good categories.
_FEW = 5

# From this share of the distinct values on, all are meant to be dates.
_NEARLY_ALL = 0.9


def dates_in_text(values):
    """Return how pandas reads the dates that nearly all distinct values are, or None.

    Parameters
    ----------
    values : list of str
        Distinct texts of one column.

    Returns
    -------
    options : dict or None
        Keyword arguments of `pandas.to_datetime`, besides `errors`.
    """
    if len(values) < _FEW:
        return None
    for plain, form in _PLAIN_FORMS.items():
        matches = [form.fullmatch(value.strip()) is not None for value in values]
        if np.mean(matches) >= _NEARLY_ALL:
            return {"format": plain}
    matches = [match for match in map(_match, values) if match]
    if len(matches) < _NEARLY_ALL * len(values):
        return None
    options = {"format": "mixed"}
    if _day_comes_first(matches):
        options["dayfirst"] = True
    if any(match["zone"] for match in matches):
        options["utc"] = True
    return options if np.mean(is_date(values, options)) >= _NEARLY_ALL else None


def is_date(values, options):
    """Return a mask of the values that pandas reads as dates under these options."""
    dates = pd.to_datetime(pd.Series(values, dtype=object), errors="coerce", **options)
    return dates.notna().to_numpy()


def _match(value):
    for form in _FORMS:
        match = form.fullmatch(value.strip())
        if match:
            return match
    return None


def _day_comes_first(matches):
    """Return whether dates like 31.12.2024 begin with the day.

    A number above 12 decides. Otherwise dots follow days and slashes follow months.
    """
    pairs = [
        (int(match["first"]), int(match["second"]), match.string)
        for match in matches
        if "first" in match.re.groupindex
    ]
    if any(first > 12 for first, _, _ in pairs):
        return True
    if any(second > 12 for _, second, _ in pairs):
        return False
    return any("." in text.partition(" ")[0] for *_, text in pairs)

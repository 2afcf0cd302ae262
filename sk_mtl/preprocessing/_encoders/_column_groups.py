"""Groups of columns, none of them in two."""

from collections.abc import Iterable


def distinct_groups(groups, parameter, find=lambda column: column):
    """Return groups as lists without repeats; refuse groups that share nothing.

    Parameters
    ----------
    groups : iterable of iterable
    parameter : str
        What holds the groups, for errors.
    find : callable
        Returns what a column is called by in the result.

    Returns
    -------
    groups : list of list
    """
    distinct, seen = [], set()
    for group in groups:
        if isinstance(group, str) or not isinstance(group, Iterable):
            raise ValueError(
                f"{parameter} must be a list of lists of columns; found {group!r}. "
                f"Write [[{group!r}, ...]]."
            )
        members = list(dict.fromkeys(map(find, group)))
        if len(members) < 2:
            raise ValueError(
                f"{parameter} must have two columns or more in a group; found "
                f"{list(group)}. Add the column that it shares with, or remove the "
                "group."
            )
        for column in group:
            if find(column) in seen:
                raise ValueError(
                    f"{parameter} must have each column in one group only; found "
                    f"{column!r} in two. Join the groups."
                )
        seen.update(members)
        distinct.append(members)
    return distinct

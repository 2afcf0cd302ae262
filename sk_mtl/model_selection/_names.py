"""Names that distinguish two estimators."""

from sklearn.pipeline import Pipeline

# Longer values would fill the sentence in which a name stands.
_LONGEST = 40


def names_apart(first, second):
    """Return the names of two estimators, with what differs where they are the same.

    Parameters
    ----------
    first, second : estimator
        Alone, or pipelines that end in one.

    Returns
    -------
    names : list of str
        Such as ``MMOEClassifier`` and ``SingleTaskClassifier``, or
        ``MMOEClassifier(n_experts=4)`` and ``MMOEClassifier(n_experts=8)``.
    """
    ends = [_end_of(first), _end_of(second)]
    names = [type(end).__name__ for end in ends]
    if names[0] != names[1]:
        return names
    own, other = (end.get_params(deep=False) for end in ends)
    differing = [k for k in own if repr(own[k]) != repr(other.get(k))]
    if not differing:
        return names
    return [
        f"{name}({', '.join(f'{k}={_short(given[k])}' for k in differing)})"
        for name, given in zip(names, (own, other), strict=True)
    ]


def _end_of(estimator):
    while isinstance(estimator, Pipeline):
        estimator = estimator.steps[-1][1]
    return estimator


def _short(value):
    text = " ".join(repr(value).split())
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."

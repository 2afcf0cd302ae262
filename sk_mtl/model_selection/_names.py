"""Names that distinguish estimators."""

from sklearn.pipeline import Pipeline

from sk_mtl._equality import same_value

# Longer values would fill the sentence in which a name stands.
_LONGEST = 40


def names_apart(*estimators):
    """Return the names of estimators, with what differs where they are the same.

    Parameters
    ----------
    *estimators : estimator
        Alone, or pipelines that end in one.

    Returns
    -------
    names : list of str
        Such as ``MMOEClassifier`` and ``SingleTaskClassifier``, or
        ``MMOEClassifier(n_experts=4)`` and ``MMOEClassifier(n_experts=8)``. Where only
        the steps before them differ, these are named, as in ``StandardScaler +
        MMOEClassifier``. Estimators in which nothing differs are numbered.
    """
    ends = [_end_of(each) for each in estimators]
    classes = [type(end).__name__ for end in ends]
    names = []
    for end, name in zip(ends, classes, strict=True):
        alike = [
            each for each, other in zip(ends, classes, strict=True) if other == name
        ]
        names.append(name + _differing(end, alike))
    names = [
        f"{_steps_before(each)}{name}" if names.count(name) > 1 else name
        for each, name in zip(estimators, names, strict=True)
    ]
    return [
        f"{name} {names[: k + 1].count(name)}" if names.count(name) > 1 else name
        for k, name in enumerate(names)
    ]


def _differing(estimator, alike):
    """Return the parameters in which some of the estimators differ, as text."""
    own = estimator.get_params(deep=False)
    others = [each.get_params(deep=False) for each in alike]
    shown = [
        f"{name}={_short(value)}"
        for name, value in own.items()
        if not all(same_value(value, each.get(name)) for each in others)
    ]
    return f"({', '.join(shown)})" if shown else ""


def _end_of(estimator):
    while isinstance(estimator, Pipeline):
        estimator = estimator.steps[-1][1]
    return estimator


def _steps_before(estimator):
    """Return the classes of a pipeline's steps before the last, as text."""
    text = ""
    while isinstance(estimator, Pipeline):
        *steps, (_, estimator) = estimator.steps
        text += "".join(
            f"{type(step).__name__} + "
            for _, step in steps
            if step not in (None, "passthrough")
        )
    return text


def _short(value):
    text = " ".join(repr(value).split())
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."

"""A check of what tools take to clone and fit."""


def check_one_estimator(parameter, estimator, remedy="Give an instance."):
    """Raise unless an argument is a single estimator.

    Parameters
    ----------
    parameter : str
        The argument's name.
    estimator : object
    remedy : str
    """
    if isinstance(estimator, type) or not hasattr(estimator, "get_params"):
        raise TypeError(
            f"{parameter} must be one estimator, an instance; found {estimator!r}. "
            f"{remedy}"
        )

"""The Adult table, with income and marriage as two tasks."""

from sk_mtl._sklearn_compat import validate_params
from sk_mtl.datasets._base import BundledTable, Task

_ADULT = BundledTable(
    name="adult",
    tasks={
        "income": Task("income", lambda income: income == ">50K"),
        "married": Task("marital_status", lambda status: status != "Never-married"),
    },
)


@validate_params({"return_X_y": ["boolean"]}, prefer_skip_nested_validation=True)
def load_adult(*, subset="train", tasks=("income", "married"), return_X_y=False):
    """Load the Adult table (also called "Census Income") for multi-task learning.

    The whole table travels inside the package: 32,561 training and 16,281 test
    persons of the US census of 1994, in UCI's official split. Nothing is downloaded.

    ===========  =============================================  ====================
    task         label is 1 where                               leaves X
    ===========  =============================================  ====================
    `"income"`   `income` is `">50K"` (24 % of the rows)        `income`
    `"married"`  `marital_status` is not `"Never-married"`, so  `marital_status`
                 the person is or was married (67 %)
    ===========  =============================================  ====================

    Parameters
    ----------
    subset : {"train", "test", "all"}, default="train"
        The official training rows, the official test rows, or the training rows
        followed by the test rows, numbered afresh.
    tasks : tuple or list of str, default=("income", "married")
        The labels, one column of the target each, in this order. The column behind a
        task that is not asked for stays in X as a feature.
    return_X_y : bool, default=False
        Return `(data, target)` instead of a Bunch.

    Returns
    -------
    bunch : :class:`~sklearn.utils.Bunch`
        With the entries

        data : DataFrame of shape (n_samples, 13)
            The features in UCI's column order, 14 columns with a single task.
            Codes are `category` columns, numbers are integers, and UCI's ``"?"`` is
            a missing value. `fnlwgt`, the census bureau's "final weight", is a
            feature like any other, as in published results.
        target : DataFrame of shape (n_samples, n_tasks)
            Integers 0 and 1.
        frame : DataFrame of shape (n_samples, 13 + n_tasks)
            `data` and `target` side by side.
        feature_names, target_names : list of str
            The columns of `data` and of `target`.
        sample_weight : None
            No column is taken as a weight.
        DESCR : str
            Where the table comes from, how it was typed, and its licence.
    (data, target) : tuple of DataFrame
        If `return_X_y` is true.

    See Also
    --------
    load_census_income : A larger census table with three tasks and weights.

    Notes
    -----
    `relationship` has the values "Husband" and "Wife", so `married` is close to
    given away by the features. It is kept because published results keep it.

    Examples
    --------
    Both tasks of the training rows:

    >>> from sk_mtl.datasets import load_adult
    >>> X, y = load_adult(return_X_y=True)
    >>> X.shape, list(y.columns)
    ((32561, 13), ['income', 'married'])

    Income alone, with the marital status among the features:

    >>> bunch = load_adult(subset="test", tasks=("income",))
    >>> "marital_status" in bunch.feature_names, bunch.target.shape
    (True, (16281, 1))
    """
    return _ADULT.load(subset, tasks, return_X_y)

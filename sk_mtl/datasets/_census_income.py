"""The Census-Income (KDD) table, with the task groups of the MMoE paper."""

from sk_mtl._sklearn_compat import validate_params
from sk_mtl.datasets._base import BundledTable, Task

_COLLEGE = ("Associates", "Bachelors", "Masters", "Prof school", "Doctorate")

_CENSUS_INCOME = BundledTable(
    name="census_income_kdd",
    tasks={
        "income": Task("income_50k", lambda income: "50000+" in income),
        "never_married": Task("marital_stat", lambda stat: stat == "Never married"),
        "college": Task("education", lambda level: level.startswith(_COLLEGE)),
    },
    weight="instance_weight",
    train_only={
        "detailed_household_and_family_stat": (
            "Grandchild <18 ever marr not in subfamily"
        )
    },
)


@validate_params({"return_X_y": ["boolean"]}, prefer_skip_nested_validation=True)
def load_census_income(
    *, subset="train", tasks=("income", "never_married"), return_X_y=False
):
    """Load the Census-Income (KDD) table for multi-task learning.

    The whole table travels inside the package: 199,523 training and 99,762 test
    persons of the US population surveys of 1994 and 1995, in UCI's official split.
    Nothing is downloaded. The paper on multi-gate mixture-of-experts (MMoE) [1]_
    uses two groups of tasks: `("income", "never_married")`, the default, and
    `("college", "never_married")`.

    =================  ============================================  ==============
    task               label is 1 where                              leaves X
    =================  ============================================  ==============
    `"income"`         `income_50k` is `"50000+."` (6 %)             `income_50k`
    `"never_married"`  `marital_stat` is `"Never married"` (43 %)    `marital_stat`
    `"college"`        `education` is an associate's, bachelor's,    `education`
                       master's, professional or doctor's degree
                       (20 %)
    =================  ============================================  ==============

    Parameters
    ----------
    subset : {"train", "test", "all"}, default="train"
        The official training rows, the official test rows, or the training rows
        followed by the test rows, numbered afresh.
    tasks : tuple or list of str, default=("income", "never_married")
        The labels, one column of the target each, in this order: any of the three.
        The column behind a task that is not asked for stays in X as a feature.
    return_X_y : bool, default=False
        Return `(data, target)` instead of a Bunch. The weights are in the Bunch only.

    Returns
    -------
    bunch : :class:`~sklearn.utils.Bunch`
        With the entries

        data : DataFrame of shape (n_samples, 39)
            The features in UCI's column order; 41 columns less one per task. Codes
            are `category` columns with the same categories in every subset, numbers
            are integers, and UCI's ``"?"`` is kept as a category.
        target : DataFrame of shape (n_samples, n_tasks)
            Integers 0 and 1.
        frame : DataFrame of shape (n_samples, 39 + n_tasks)
            `data` and `target` side by side.
        feature_names, target_names : list of str
            The columns of `data` and of `target`.
        sample_weight : Series of shape (n_samples,)
            UCI's `instance_weight`: how many people of the population a row stands
            for, on average 1740. UCI asks not to use it as a feature.
        DESCR : str
            Where the table comes from, how it was typed, and its licence.
    (data, target) : tuple of DataFrame
        If `return_X_y` is true.

    See Also
    --------
    load_adult : A smaller census table with two tasks.

    References
    ----------
    .. [1] J. Ma, Z. Zhao, X. Yi, J. Chen, L. Hong and E. H. Chi (2018). Modeling task
       relationships in multi-task learning with multi-gate mixture-of-experts. KDD.

    Examples
    --------
    The first group of tasks of the paper:

    >>> from sk_mtl.datasets import load_census_income
    >>> X, y = load_census_income(subset="test", return_X_y=True)
    >>> X.shape, y.mean().round(3).to_dict()
    ((99762, 39), {'income': 0.062, 'never_married': 0.432})

    The second group, with the survey weights:

    >>> bunch = load_census_income(subset="test", tasks=("college", "never_married"))
    >>> "education" in bunch.data, round(bunch.sample_weight.mean())
    (False, 1740)
    """
    return _CENSUS_INCOME.load(subset, tasks, return_X_y)

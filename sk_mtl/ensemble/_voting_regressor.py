"""An ensemble of regressors of several tasks."""

from sklearn.base import RegressorMixin, is_regressor

from sk_mtl.ensemble._voting import MultiTaskVoting


class MultiTaskVotingRegressor(RegressorMixin, MultiTaskVoting):
    """Multi-task regressors and single-output regressors that vote on every task.

    The prediction of a task is the weighted mean of the estimators' predictions.
    Multi-task regressors are fitted as they are. A single-output regressor of any
    library is cloned for each task and fitted to the rows that have its number.

    Parameters
    ----------
    estimators : list of (str, estimator)
        Names and regressors, also pipelines and searches. An estimator may be
        ``"drop"``. Parameters are reached by name, as ``net__lr``.

    weights : None, "auto", array-like or dict, default=None
        What each estimator counts. None: all the same. An array of shape
        (n_estimators,) or (n_estimators, n_tasks), not negative. ``"auto"``: for each
        task the weights of least squared error on held-out rows; every estimator is
        then fitted to all rows. A dict by task name holds one of these for each task;
        tasks left out have equal weights.

    cv : int, splitter or iterable of (train, test), default=3
        The rows held out for ``weights="auto"``, which takes one more fit of each
        estimator per fold. A number makes folds that are drawn with a fixed seed, with
        `groups` kept together.

    Attributes
    ----------
    estimators_ : list of estimator or dict
        The fitted estimators that are not dropped: a multi-task regressor, or a dict
        with the clone for each task by name.

    named_estimators_ : Bunch
        The same by name.

    weights_ : DataFrame of shape (n_estimators, n_tasks)
        The weights by name, which sum to 1 for each task.

    task_names_ : list
        The name of each column of `y`.

    n_features_in_ : int
        Columns of `X`.

    feature_names_in_ : ndarray of str
        Names of the columns of `X`, where it has names.

    See Also
    --------
    MultiTaskVotingClassifier : Tasks of classes.
    MultiTaskVotingEstimator : Classes and numbers together.

    Examples
    --------
    >>> from sklearn.datasets import load_linnerud
    >>> from sklearn.linear_model import Ridge
    >>> from sk_mtl import MMOERegressor
    >>> from sk_mtl.ensemble import MultiTaskVotingRegressor
    >>> X, y = load_linnerud(return_X_y=True)
    >>> net = MMOERegressor(max_epochs=2, random_state=0)
    >>> model = MultiTaskVotingRegressor([("net", net), ("linear", Ridge())])
    >>> model.set_params(weights=[0.2, 0.8]).fit(X, y).predict(X).shape
    (20, 3)
    """

    # The mixin's own score does not handle missing labels.
    score = MultiTaskVoting.score

    def _has_classes(self, y, table, weight, settings, classes):
        return [False] * len(table.columns)

    def _check_part(self, name, estimator):
        if not is_regressor(estimator):
            raise ValueError(
                f"Estimator {name!r} must be a regressor; found "
                f"{type(estimator).__name__}. Use MultiTaskVotingEstimator for classes "
                "beside numbers."
            )

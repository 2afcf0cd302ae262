"""One network that learns from the labels and from the answers of a teacher."""

import numpy as np
from sklearn.base import clone, is_classifier

from sk_mtl._labels import read_labels
from sk_mtl.ensemble._fitted_parts import keywords_of_fit
from sk_mtl.ensemble._held_out import held_out_answers
from sk_mtl.ensemble._part_settings import PartSettings, answered_tasks, model_of
from sk_mtl.ensemble._voted_tasks import VotedRows, learn_tasks, read_rows_weight
from sk_mtl.ensemble._votes import multiply_steps


def distil(
    estimator, teacher, X, y, *, cv=5, groups=None, sample_weight=None, params=None
):
    """Return a network that was fitted to the labels and to a teacher's answers.

    Boosted trees or an ensemble may be more accurate than a network, and slower or
    harder to serve. Their answers are soft labels for the network: a probability holds
    more about a row than the label that was drawn from it. Each row is answered by a
    teacher that was fitted without it, since a teacher knows the labels of its own
    rows. The network is then trained on all rows with
    ``(1 - distillation) * label + distillation * answer``; the teacher is not kept.

    Parameters
    ----------
    estimator : estimator
        The student, a multi-task model of this package, or a pipeline that ends in one.
        It is cloned and not changed. Its `distillation` is the share of the teacher.
    teacher : estimator
        A multi-task model, an ensemble, or a single-label estimator of any library,
        which is cloned for each task and fitted to the rows that have its label. A
        classifier teaches tasks of classes, a regressor tasks of numbers; take a
        `MultiTaskVotingEstimator` of both for both. In a funnel a single-label
        classifier learns each step from the rows that reached the step before.
    X : {DataFrame, array-like} of shape (n_samples, n_features)
    y : {DataFrame, array-like} of shape (n_samples,) or (n_samples, n_tasks)
        Rows without a label of a task learn from the teacher's answer alone.
    cv : int, splitter or iterable of (train, test), default=5
        The folds of the teacher. A number makes folds that are drawn with a fixed seed,
        with all classes in each and `groups` kept together. Rows that a splitter never
        tests have no soft labels.
    groups : array-like of shape (n_samples,), default=None
        Rows of one group are kept together, by the folds and by the student.
    sample_weight : array-like of shape (n_samples,) or (n_samples, n_tasks), or dict, \
            default=None
        Weights for the fits of both, as of `fit`.
    params : dict, default=None
        Further keywords of the student's `fit`, in a pipeline of its last step, such as
        `X_val` and `y_val`.

    Returns
    -------
    student : estimator
        A fitted clone of `estimator`.

    See Also
    --------
    MultiTaskVotingClassifier : The mean of both, which is more accurate.

    References
    ----------
    G. Hinton, O. Vinyals and J. Dean (2015). Distilling the Knowledge in a Neural
    Network. arXiv:1503.02531. With classes, at temperature 1: the teachers here answer
    probabilities and need not have logits.

    Examples
    --------
    A network that learns from one forest per task.

    >>> from sk_mtl import MMOEClassifier
    >>> from sk_mtl.datasets import load_adult
    >>> from sk_mtl.ensemble import distil
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> X, y = load_adult(return_X_y=True)
    >>> X, y = X.select_dtypes("number")[:1000], y[:1000]
    >>> network = MMOEClassifier(max_epochs=2, random_state=0)
    >>> forest = RandomForestClassifier(min_samples_leaf=5, random_state=0)
    >>> student = distil(network, forest, X, y, cv=3)
    >>> [proba.shape for proba in student.predict_proba(X)]
    [(1000, 2), (1000, 2)]
    """
    _check_estimators(estimator, teacher)
    table = read_labels(y)
    settings = PartSettings.of([("estimator", estimator), ("teacher", teacher)])
    names = table.task_names(settings.task_names)
    weight = read_rows_weight(sample_weight, table.n_samples, names)
    has_classes = _has_classes(model_of(estimator), y, len(names))
    tasks = learn_tasks(table, weight, has_classes, settings)
    rows = VotedRows.check(X, table, weight, groups, tasks)
    if not answered_tasks(teacher, tasks):
        kind = "classes" if any(has_classes) else "numbers"
        raise ValueError(
            f"teacher must answer tasks of {kind}, as the estimator does; found "
            f"{type(teacher).__name__}, which does not. Give a "
            f"{'classifier' if any(has_classes) else 'regressor'}."
        )
    soft = _soft_labels(teacher, rows, tasks, cv)
    given = {"soft_labels": soft, "groups": groups, "sample_weight": sample_weight}
    given |= params or {}
    return clone(estimator).fit(X, y, **keywords_of_fit(estimator, given))


def _check_estimators(estimator, teacher):
    for name, given in (("estimator", estimator), ("teacher", teacher)):
        if isinstance(given, type) or not hasattr(given, "get_params"):
            raise TypeError(
                f"{name} must be one estimator, an instance; found {given!r}. Give an "
                "instance."
            )
    keywords = getattr(model_of(estimator), "row_aligned_keywords", ())
    if is_classifier(teacher) and not hasattr(teacher, "predict_proba"):
        raise ValueError(
            "teacher must have predict_proba; found "
            f"{type(teacher).__name__}, which has none. Wrap it in "
            "CalibratedClassifierCV."
        )
    if "soft_labels" not in keywords:
        raise ValueError(
            "estimator must be a multi-task model whose fit takes soft_labels; found "
            f"{type(estimator).__name__}. Give a network, such as MMOEClassifier()."
        )


def _has_classes(model, y, n_tasks):
    """Return whether each task of the student holds classes."""
    if not hasattr(model, "find_classes"):
        return [False] * n_tasks
    classes = model.find_classes(y)
    each = classes if isinstance(classes, list) else [classes]
    return [own is not None for own in each]


def _soft_labels(teacher, rows, tasks, cv):
    """Return the answers of teachers that were fitted without the row, by task."""
    (answers,) = held_out_answers([("teacher", teacher)], rows, tasks, cv)
    if tasks.parents is not None:
        answers = multiply_steps(answers, tasks)
    return {
        name: answer if classes is None else np.exp(answer)
        for name, answer, classes in zip(
            tasks.names, answers, tasks.classes, strict=True
        )
        if answer is not None
    }

"""The cosines between the tasks' gradients of a fitted estimator."""

from numbers import Integral

import numpy as np
import pandas as pd
import torch
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from sk_mtl.losses import GradientConflict, TaskLoss, check_task_gradients
from sk_mtl.nn import NetworkEnsemble


def gradient_conflict(estimator, X, y, sample_weight=None, *, batch_size=None):
    """Return the mean cosine between the gradients of each pair of tasks.

    They are taken of the tasks' losses on given rows, on the parameters of the trained
    network that two or more tasks reach. A cosine near 1 means that the tasks
    ask for the same change, near 0 that they do not interfere, and below 0 that a step
    that helps one harms the other. The estimator stays as it is.

    Parameters
    ----------
    estimator : estimator
        Fitted; a multi-task model, or a pipeline that ends in one.
    X : {DataFrame, array-like} of shape (n_samples, n_features)
    y : {DataFrame, array-like} of shape (n_samples,) or (n_samples, n_tasks)
        Missing labels are left out.
    sample_weight : array-like of shape (n_samples,) or (n_samples, n_tasks), or dict, \
            default=None
        As of `fit`.
    batch_size : int, default=None
        Rows of one gradient; the result is the mean over batches of rows in their
        order. Larger leaves less noise in each gradient, and shows agreement or
        conflict more clearly. None is the batch size of the fit, and so measures its
        steps.

    Returns
    -------
    cosines : DataFrame of shape (n_tasks, n_tasks)
        Rows and columns are the tasks by their names. It is symmetric with ones on the
        diagonal.

    See Also
    --------
    GradientConflictRecorder : The same in training, epoch by epoch.

    Notes
    -----
    Dropout is off, and layers that normalise a batch use the statistics of training. A
    task without a label in a batch has no gradient there, and counts as a cosine of 0.
    Of several members that share nothing it is the mean of their cosines.

    Examples
    --------
    >>> from sk_mtl import MMOEClassifier
    >>> from sk_mtl.datasets import load_adult
    >>> from sk_mtl.inspection import gradient_conflict
    >>> X, y = load_adult(return_X_y=True)
    >>> X, y = X[:1000], y[:1000]
    >>> model = MMOEClassifier(max_epochs=2, random_state=0).fit(X, y)
    >>> cosines = gradient_conflict(model, X, y)
    >>> cosines.columns.tolist()
    ['income', 'married']
    >>> bool(-1 <= cosines.loc["income", "married"] <= 1)
    True
    """
    if isinstance(estimator, Pipeline):
        X = estimator[:-1].transform(X) if len(estimator) > 1 else X
        estimator = estimator[-1]
    _check_estimator(estimator)
    if batch_size is None:
        batch_size = estimator.net_.batch_size
    elif not isinstance(batch_size, Integral) or batch_size < 1:
        raise ValueError(
            f"batch_size must be an integer >= 1 or None; found {batch_size!r}. Give a "
            "number of rows."
        )
    network = estimator.predictor_
    modules = _networks_of(network.module)
    for module in modules:
        check_task_gradients(module, "gradient_conflict", compiled=False)
    rows = network.labelled_rows(X, y, sample_weight)
    names = list(network.task_names)
    cosines = np.eye(len(names))
    loss = _task_loss(network, modules[0])
    found = [_mean_cosines(module, loss, rows, batch_size) for module in modules]
    for a, b in found[0]:
        cosines[a, b] = cosines[b, a] = np.mean([each[a, b] for each in found])
    tasks = pd.Index(names, tupleize_cols=False)
    return pd.DataFrame(cosines, index=tasks, columns=tasks)


def _check_estimator(estimator):
    if not isinstance(estimator, type) and isinstance(
        getattr(type(estimator), "predictor_", None), property
    ):
        check_is_fitted(estimator)
        return
    raise TypeError(
        "estimator must be a fitted multi-task model of sk_mtl, alone or at the end of "
        f"a pipeline; found {estimator!r}. Give the model itself, such as the "
        "best_estimator_ of a search."
    )


def _networks_of(module):
    """Return the networks whose gradients are taken: one, or each member."""
    if isinstance(module, NetworkEnsemble) and module.sharing == "none":
        return [each.eval() for each in module.unstacked()]
    return [module]


def _task_loss(network, module):
    """Return the losses of the tasks; constants change no cosine."""
    device = next(module.parameters()).device
    ones = torch.ones(len(network.task_names), device=device)
    return TaskLoss(network.structure, ones, ones)


def _mean_cosines(module, loss, rows, batch_size):
    """Return the mean cosine of each pair of tasks, by their positions."""
    trained = [each for each in module.parameters() if each.requires_grad]
    conflict = GradientConflict(every=1)
    for batch in rows.batches(batch_size, shuffle=False):
        # A compiled network would keep no graph for a second backward pass.
        logits = module.forward(*batch.inputs)
        losses = loss.task_losses(logits.to(batch.y.dtype), batch.y, batch.weight)
        conflict.observe(losses, trained)
    return conflict.end_epoch()

"""Answers of several parts joined into one, by a weight per part and task."""

import numpy as np
from scipy.optimize import minimize
from scipy.special import logsumexp

from sk_mtl._relations import as_tuples, order_tasks


def join_answers(answers, weights):
    """Return the weighted mean of the answers of a task.

    Log-probabilities are averaged and normalised, which for two classes is a mean of
    log-odds.

    Parameters
    ----------
    answers : list of ndarray of shape (n_samples, n_classes) or (n_samples,)
        One for each part.
    weights : ndarray of shape (n_parts,)
        They sum to 1.
    """
    joined = sum(
        weight * answer for weight, answer in zip(weights, answers, strict=True)
    )
    if joined.ndim == 1:
        return joined
    return joined - logsumexp(joined, axis=1, keepdims=True)


def join_parts(answers, weights):
    """Return the joined answers of each task.

    Parameters
    ----------
    answers : list of list of (ndarray or None)
        By part and task.
    weights : ndarray of shape (n_parts, n_tasks)
        0 where a part has no answer.
    """
    joined = []
    for k, own in enumerate(weights.T):
        voting = np.flatnonzero(own)
        joined.append(join_answers([answers[j][k] for j in voting], own[voting]))
    return joined


def multiply_steps(rates, tasks):
    """Return the log-probabilities of steps from those given the step before.

    Parameters
    ----------
    rates : list of ndarray of shape (n_samples, 2)
        Log-probabilities, the columns in the order of the classes.
    tasks : VotedTasks
    """
    log_reached = {}
    for k in order_tasks("structure", dict(enumerate(as_tuples(tasks.parents)))):
        own, parent = rates[k][:, tasks.positive[k]], tasks.parents[k]
        log_reached[k] = own if parent is None else own + log_reached[parent]
    steps = []
    for k, positive in enumerate(tasks.positive):
        reached = np.minimum(log_reached[k], 0)
        with np.errstate(divide="ignore"):
            pair = np.column_stack([np.log(-np.expm1(reached)), reached])
        steps.append(pair if positive else pair[:, ::-1])
    return steps


def least_loss_weights(answers, labels, sample_weight=None):
    """Return the weights of parts, >= 0 with the sum 1, that have the least loss.

    The loss is the log-loss of classes or the squared error of numbers. Both are convex
    in the weights, so there is one least value.

    Parameters
    ----------
    answers : list of ndarray of shape (n_samples, n_classes) or (n_samples,)
        Of each part on rows that it was not fitted to.
    labels : ndarray of shape (n_samples,)
        Class numbers, or numbers.
    sample_weight : ndarray of shape (n_samples,), default=None
    """
    n_parts = len(answers)
    equal = np.full(n_parts, 1 / n_parts)
    if n_parts == 1 or len(labels) == 0:
        return equal
    loss = _loss_of(np.stack(answers), labels, sample_weight)
    found = minimize(
        loss,
        equal,
        jac=True,
        method="SLSQP",
        bounds=[(0, 1)] * n_parts,
        constraints={
            "type": "eq",
            "fun": lambda weights: weights.sum() - 1,
            "jac": np.ones_like,
        },
    ).x
    found = np.clip(found, 0, 1)
    found = found / found.sum() if found.sum() > 0 else equal
    # Rounded, a part that does not help has the weight 0.
    found = found.round(6)
    return min((found / found.sum(), equal, *np.eye(n_parts)), key=lambda w: loss(w)[0])


def _loss_of(answers, labels, sample_weight):
    """Return the function from weights to their loss and its gradient."""
    rows, shares = np.arange(len(labels)), sample_weight
    if shares is None:
        shares = np.ones(len(labels))
    shares = shares / shares.sum()
    if answers.ndim == 2:
        scale = shares @ (labels - shares @ labels) ** 2 or 1.0

        def squared_error(weights):
            error = weights @ answers - labels
            return shares @ error**2 / scale, 2 * answers @ (shares * error) / scale

        return squared_error
    codes = labels.astype(int)
    right = answers[:, rows, codes]

    def log_loss(weights):
        mixed = np.tensordot(weights, answers, axes=1)
        total = logsumexp(mixed, axis=1)
        proba = np.exp(mixed - total[:, None])
        gradient = (answers * proba).sum(axis=2) - right
        return shares @ (total - weights @ right), gradient @ shares

    return log_loss

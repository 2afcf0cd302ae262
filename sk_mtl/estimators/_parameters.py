"""The parameters that every multi-task classifier shares, written once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any, ClassVar

import torch

from sk_mtl._sklearn_compat import HasMethods, Interval, StrOptions
from sk_mtl.estimators._architecture import DTYPES
from sk_mtl.estimators._optimizers import OPTIMIZERS, SCHEDULES
from sk_mtl.nn import ACTIVATIONS

_SHARE = [Interval(Real, 0, 1, closed="left")]
_COUNT = [Interval(Integral, 1, None, closed="left")]


@dataclass(kw_only=True, eq=False, repr=False)
class SharedParameters:
    """Parameters of features, towers, tasks and training.

    Parameters
    ----------
    preprocessor : transformer, default=None
        Turns columns into codes and numbers: a
        :class:`~sklearn.compose.ColumnTransformer`, or another transformer. It is
        cloned and fitted on the training part only, before the early-stopping rows
        are transformed. None takes
        :func:`~sk_mtl.preprocessing.make_tabular_preprocessor`: numbers are imputed
        and scaled, everything else is coded.

    categorical_features : array-like, "from_dtype" or None, default=None
        Columns that hold categories or the integer codes of an earlier encoder: names,
        positions, a boolean mask, or ``"from_dtype"`` for the columns of dtype
        ``category``. Codes are read back exactly; -1 and NaN mean unknown. None takes
        every column that is not numeric. Not allowed beside `preprocessor`.

    task_names : sequence of str or None, default=None
        Names for a `y` that carries none. `cross_val_predict` and other tools hand
        `fit` a bare array, in which parameters keyed by task would not find their
        task. None takes the columns of `y`, or ``task_0``, ``task_1``...

    embedding_dim : int, "auto" or dict, default=8
        Width of the embedding of each categorical column. Wider tells more categories
        apart and costs memory, time and, with few rows, accuracy. ``"auto"`` takes the
        smallest of 2, 4, 8, 16, 32 that is at least the cube root of the number of
        categories. A dict maps columns to widths; columns left out get ``"auto"``.

    embedding_dropout : float, default=0.0
        Share of embedding entries that are zeroed in training, in [0, 1). Larger
        regularises rare categories more; too large underfits.

    unknown_rate : float, default=0.01
        Share of codes that are replaced by "unknown" in training, in [0, 1), so that a
        category never seen before reads a trained row. Larger trains that row more and
        blurs the known ones; 0 leaves it untrained.

    tower_hidden_sizes : tuple of int, list of tuples or dict, default=(32,)
        Widths of the hidden layers of the towers, the part of the network that each
        task has for itself: one tuple for all tasks, a list with one per task, or a
        dict by task name. Wider and deeper towers share less; ``()`` is a linear head.

    activation : {"relu", "gelu", "silu", "tanh", "leaky_relu", "elu"}, default="relu"
        Between layers. ``"relu"`` is the fastest; the smooth ones ("gelu", "silu",
        "elu") and "tanh" cost more per step and let narrow layers bend more gently.

    dropout : float, default=0.1
        Share of hidden units that are zeroed in training, in [0, 1). Larger
        regularises more and needs more epochs.

    batch_norm : bool, default=False
        Whether hidden layers are normalised over the batch. It allows a larger `lr`,
        and needs batches of at least a few dozen rows.

    structure : {"independent", "funnel"}, default="independent"
        What the columns of `y` mean. ``"independent"``: each is a task of its own.
        ``"funnel"``: column k says whether step k was reached, and step k only after
        step k - 1; then the probability of step k is the product of the conditional
        probabilities up to k, and every step is trained on all rows.

    task_weights : list of float, dict or None, default=None
        What each task counts in the sum of losses: a list, or a dict by task name in
        which tasks left out count 1. Larger favours a task where tasks compete. The
        recorded and monitored losses are free of it.

    class_weight : "balanced", dict, list or None, default=None
        What the classes of a task count. ``"balanced"`` makes every class of a task
        count the same in total. A dict maps labels to weights, the same for every
        task, or task names to one of these. A list holds one of these per task.
        Weights of rare classes above 1 raise recall and spoil calibration.

    missing_label : object, default=None
        A value of `y` that means "no label" besides NaN and None, for instance -1.

    optimizer : str or class, default="adamw"
        ``"adamw"``, ``"adam"``, ``"nadam"``, ``"sgd"``, ``"rmsprop"``, ``"adagrad"``
        or a class of :mod:`torch.optim`; of one without weight decay, such as `Rprop`,
        set ``weight_decay=0``.

    precision : {"float32", "float64"}, default="float32"
        Floating-point type of weights and products. ``"float64"`` is slower and
        reproduces to more digits.

    lr : float, default=0.002
        Learning rate. Larger learns in fewer epochs and less finely; too large
        diverges.

    weight_decay : float, default=0.01
        How far weights shrink per step, times `lr`. Larger regularises more.

    lr_schedule : {"cosine", "linear", "plateau"}, callable or None, default=None
        ``"cosine"`` and ``"linear"`` lower the learning rate to zero over `max_epochs`;
        ``"plateau"`` halves it after each epoch that did not improve the monitored
        value, or the training loss without early stopping. A callable takes the
        optimiser and returns a torch scheduler, which is stepped once per epoch.

    batch_size : int or "auto", default="auto"
        Rows per step. Smaller takes more and noisier steps per epoch; larger is faster
        per epoch. ``"auto"`` is the power of two nearest to a twentieth of the rows,
        from 16 to 1024.

    max_epochs : int, default=30
        Passes over the training rows at most. `warm_start` adds as many again.

    early_stopping : bool or "auto", default="auto"
        Whether to stop when the monitored value on validation rows stops improving,
        and to keep the weights of its best epoch. ``"auto"`` does so with more than
        1,000 rows, or where `X_val` is given.

    validation_split : {"random", "last"} or splitter, default="random"
        Which rows become validation rows where `X_val` is not given. ``"random"``
        draws them, stratified over the joint labels; with `groups` whole groups, so
        that no user is on both sides. ``"last"`` takes the last rows, for logs in the
        order of time. Of a scikit-learn splitter the first split is used.

    validation_fraction : float, default=0.1
        Share of validation rows, in (0, 1). Larger makes stopping surer and leaves
        fewer rows to learn from.

    n_iter_no_change : int, default=3
        Epochs without improvement before training stops. Larger is more patient.

    tol : float, default=0.0001
        Least improvement of the monitored value that counts. Larger stops sooner.

    monitor : str, tuple or callable, default="valid_loss"
        What is watched: ``"valid_loss"`` (mean of the tasks' losses), a task's name
        (its loss), a metric of :func:`~sk_mtl.metrics.task_metric` such as
        ``"roc_auc"`` (mean over tasks), a pair ``("roc_auc", "income")``, or a
        callable ``f(y_true, y_proba)`` of one task, greater is better unless its
        attribute ``greater_is_better`` is False.

    warm_start : bool, default=False
        Whether `fit` goes on from the last fit: same features, tasks and classes. What
        shapes the network must stay; `lr`, `weight_decay`, `batch_size`, weights of
        tasks and classes, and all that decides when to stop may change.

    callbacks : list or None, default=None
        skorch callbacks, cloned before training. skorch's `EpochScoring` needs
        ``use_caching=False``: batches are tables of tensors here.

    device : str or torch.device, default="cpu"
        ``"cpu"``, ``"cuda"``, ``"cuda:1"`` or ``"auto"``: a CUDA card where there is
        one.

    compile : bool, default=False
        Whether to compile the network with :func:`torch.compile`: tens of seconds
        once, then faster steps. Falls back with a warning where no compiler exists.

    random_state : int, RandomState instance or None, default=None
        Decides initial weights, order of rows, dropout and the random split. An int
        gives the same result at every fit, bit for bit at the same number of threads
        and to 1e-4 at another. The caller's global generators are left as they were.

    verbose : int, default=0
        1 shows a progress bar, 2 a line per epoch with the loss of every task.
    """

    _parameter_constraints: ClassVar[dict] = {
        "preprocessor": [HasMethods(["fit_transform", "transform"]), None],
        "categorical_features": ["array-like", StrOptions({"from_dtype"}), None],
        "task_names": ["array-like", None],
        "embedding_dim": [*_COUNT, StrOptions({"auto"}), dict],
        "embedding_dropout": _SHARE,
        "unknown_rate": _SHARE,
        "tower_hidden_sizes": ["array-like", dict],
        "activation": [StrOptions(set(ACTIVATIONS))],
        "dropout": _SHARE,
        "batch_norm": ["boolean"],
        "structure": [StrOptions({"independent", "funnel"})],
        "task_weights": ["array-like", dict, None],
        "class_weight": [StrOptions({"balanced"}), dict, list, tuple, None],
        "missing_label": "no_validation",
        "optimizer": [StrOptions(set(OPTIMIZERS)), type],
        "precision": [StrOptions(set(DTYPES))],
        "lr": [Interval(Real, 0, None, closed="neither")],
        "weight_decay": [Interval(Real, 0, None, closed="left")],
        "lr_schedule": [StrOptions(set(SCHEDULES)), callable, None],
        "batch_size": [*_COUNT, StrOptions({"auto"})],
        "max_epochs": _COUNT,
        "early_stopping": ["boolean", StrOptions({"auto"})],
        "validation_split": [
            StrOptions({"random", "last"}),
            HasMethods(["split", "get_n_splits"]),
        ],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "n_iter_no_change": _COUNT,
        "tol": [Interval(Real, 0, None, closed="left")],
        "monitor": [str, tuple, list, callable],
        "warm_start": ["boolean"],
        "callbacks": [list, tuple, None],
        "device": [str, torch.device],
        "compile": ["boolean"],
        "random_state": ["random_state"],
        "verbose": [Interval(Integral, 0, None, closed="left"), "boolean"],
    }

    # What a fit that goes on from an earlier one may be given anew, or does not read.
    # All other parameters, an estimator's own among them, shape the network.
    _changeable: ClassVar[frozenset] = frozenset(
        {
            *("preprocessor", "categorical_features", "task_names", "callbacks"),
            *("task_weights", "class_weight", "missing_label"),
            *("lr", "weight_decay", "lr_schedule", "batch_size", "max_epochs"),
            *("early_stopping", "validation_split", "validation_fraction"),
            *("n_iter_no_change", "tol", "monitor", "warm_start", "random_state"),
            "verbose",
        }
    )

    preprocessor: Any = None
    categorical_features: Any = None
    task_names: Sequence[str] | None = None
    embedding_dim: int | str | Mapping[str, int] = 8
    embedding_dropout: float = 0.0
    unknown_rate: float = 0.01
    tower_hidden_sizes: Any = (32,)
    activation: str = "relu"
    dropout: float = 0.1
    batch_norm: bool = False
    structure: str = "independent"
    task_weights: Any = None
    class_weight: Any = None
    missing_label: Any = None
    optimizer: str | type[torch.optim.Optimizer] = "adamw"
    precision: str = "float32"
    lr: float = 2e-3
    weight_decay: float = 0.01
    lr_schedule: str | Callable | None = None
    batch_size: int | str = "auto"
    max_epochs: int = 30
    early_stopping: bool | str = "auto"
    validation_split: Any = "random"
    validation_fraction: float = 0.1
    n_iter_no_change: int = 3
    tol: float = 1e-4
    monitor: Any = "valid_loss"
    warm_start: bool = False
    callbacks: list | None = None
    device: str | torch.device = "cpu"
    compile: bool = False
    random_state: Any = None
    verbose: int = 0

"""The parameters that every multi-task classifier shares, written once."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from typing import ClassVar

import torch
from numpy.random import RandomState
from sklearn.model_selection import BaseCrossValidator, BaseShuffleSplit

from sk_mtl._sklearn_compat import HasMethods, Interval, StrOptions
from sk_mtl.estimators._constraints import COUNT, LAYER_SIZES, SHARE
from sk_mtl.estimators._features._feature_parameters import FeatureParameters
from sk_mtl.estimators._training._optimizers import OPTIMIZERS
from sk_mtl.estimators._training._precision import DTYPES
from sk_mtl.estimators._training._schedules import SCHEDULES
from sk_mtl.nn import ACTIVATIONS, MEMBER_SHARING

#: The same layers for all tasks, or layers for each.
TowerSizes = Sequence[int] | Sequence[Sequence[int]] | Mapping[Hashable, Sequence[int]]


@dataclass(kw_only=True, eq=False, repr=False)
class SharedParameters(FeatureParameters):
    """Parameters of features, towers, tasks and training.

    Parameters
    ----------
    task_names : sequence or None, default=None
        Names for a `y` that carries none. `cross_val_predict` and other tools hand
        `fit` a bare array, in which parameters keyed by task would not find their
        task. None takes the columns of `y`, or ``task_0``, ``task_1``...

    tower_hidden_sizes : int, tuple of int, list or dict, default=(32,)
        Widths of the hidden layers of the towers, the part of the network that each
        task has for itself: a number or a flat tuple for all tasks, a list of these
        with one per task, such as ``[(16, 8), ()]``, or a dict by task name. Wider and
        deeper towers share less; ``()`` is a linear head.

    activation : {"relu", "gelu", "silu", "tanh", "leaky_relu", "elu"}, default="relu"
        Between layers. ``"relu"`` is the fastest; the smooth ones ("gelu", "silu",
        "elu") and "tanh" cost more per step and let narrow layers bend more gently.

    dropout : float, default=0.1
        Share of hidden units that are zeroed in training, in [0, 1). Larger
        regularises more and needs more epochs.

    batch_norm : bool or "auto", default="auto"
        Whether hidden layers are normalised over the batch. It costs a fifth of the
        time. ``"auto"`` does so with more than 100,000 training rows: it gains a little
        accuracy there, and can lose much with few.

    n_members : int, default=1
        Networks that are trained at once on the same rows, each on its own loss, and
        whose probabilities are averaged. More are more accurate, by less and less;
        four take two to three times as long as one.

    member_sharing : {"most", "embedding", "none"}, default="most"
        What members have in common. ``"none"``: nothing, a deep ensemble. The most
        accurate and the dearest. ``"embedding"``: embeddings and what else stands
        before the experts. ``"most"``: also the experts; a member has scales of its
        inputs, gates and towers of its own.

    task_weights : list of float, dict or None, default=None
        Weight of each task in the sum of losses: a list, or a dict by task name in
        which tasks left out count 1. Larger favours a task where tasks compete. The
        recorded and monitored losses are free of it.

    balancing : str, callable or None, default=None
        Method that balances the tasks in training. Of losses: ``"uncertainty"`` (learnt
        noise), ``"dwa"`` (by how slowly a loss falls), ``"famo"`` (equal rates of
        falling), ``"geometric"`` (the product of the losses), ``"stch"`` (smoothly the
        worst of them), ``"random"``, ``"imtl_l"``, ``"pbi"``, ``"cosmos"``;
        ``"gradnorm"`` and ``"metabalance"`` (gradients of like size; the latter as
        large as those of the first task). Of gradients on what the tasks share, where
        they conflict: ``"pcgrad"``, ``"cagrad"``, ``"mgda"``, ``"nash_mtl"``,
        ``"imtl_g"``, ``"aligned_mtl"``, ``"upgrad"``, ``"config"``, ``"dualproj"``,
        ``"graddrop"``, ``"fairgrad"``, ``"excess_mtl"``. Or an aggregator of
        :mod:`torchjd.aggregation`, any other function from a Jacobian with a row per
        task to a vector, or a scalarizer of :mod:`torchjd.scalarization`. All but
        ``"gradnorm"`` and ``"metabalance"`` need the extra ``balance``. Methods that
        read gradients take a backward pass per task and step; those that join them go
        with `task_weights`. None adds the weighted losses.

    missing_label : object, default=None
        A value of `y` that means "no label" besides NaN and None, for instance -1.

    check_leaks : bool, default=True
        Whether the first fit compares every feature with every label and warns
        (`LeakWarning`) about features that are a label under another name. Set it to
        False if such a feature is known before the label. It costs a few hundredths of
        a fit.

    optimizer : str or class, default="adamw"
        ``"adamw"``, ``"adam"``, ``"nadam"``, ``"sgd"``, ``"rmsprop"``, ``"adagrad"``
        or a class of :mod:`torch.optim`; of one without weight decay, such as `Rprop`,
        set ``weight_decay=0``.

    precision : {"float32", "float64", "bfloat16"}, default="float32"
        Floating-point type of weights and products. ``"float64"`` is slower and
        reproduces to more digits. ``"bfloat16"`` computes the products of training
        steps in fewer digits where the processor or card has instructions for it
        (AVX-512 BF16, AMX or Arm's; CUDA from compute capability 8.0 on) and a step
        multiplies at least 2**24 times: `batch_size` times the number of weights
        outside embeddings. Elsewhere it is the same as ``"float32"``. Weights, losses
        and predictions stay in single precision.

    lr : float, default=0.008
        Learning rate, from which `lr_schedule` starts. Larger learns in fewer epochs
        and less finely; too large diverges.

    weight_decay : float, default=0.01
        How far weights shrink per step, times `lr`. Larger regularises more.

    lr_schedule : {"linear", "cosine", "plateau"}, callable or None, default="linear"
        ``"linear"`` and ``"cosine"`` lower the learning rate from step to step, to zero
        at the end of `max_epochs`: large steps in the beginning and fine ones in the
        end need few epochs. (Not in `partial_fit`, whose end nobody knows.)
        ``"plateau"`` halves it after each epoch that did not improve the monitored
        value, or the training loss without early stopping. A callable takes the
        optimiser and returns a torch scheduler, which is stepped once per epoch. None
        keeps it, which wants a smaller `lr` and more `max_epochs`.

    warmup : float, default=0.0
        Epochs, or a part of one, over which the learning rate rises from 0 when a
        network is new, step by step. It tames the first steps of large learning rates
        and costs as much time.

    weight_averaging : float or None, default=0.999
        Decay, in [0, 1), of a moving average of the weights, which is what is
        validated, kept and predicted with; training goes on from the plain weights. It
        steadies what the last batches left to chance. Larger averages over more steps:
        0.999 over about 1,000; in fits of less than twice as many steps each counts by
        its number. None keeps the plain weights. Tables with sparse gradients are not
        averaged. A fit that goes on (`warm_start`, `partial_fit`) does so from the
        average.

    batch_size : int or "auto", default="auto"
        Rows per step. Smaller takes more and noisier steps per epoch; larger is faster
        per epoch. ``"auto"`` is the power of two nearest to twice the square root of
        the rows, from 16 to 1024.

    max_epochs : int, default=5
        Passes over the training rows at most. `warm_start` adds as many again. With a
        learning rate that falls to zero few are enough, of a thousand rows as of a
        hundred thousand; many more need a smaller `lr`, and overfit without
        `early_stopping`.

    early_stopping : bool or "auto", default="auto"
        Whether to stop when the monitored value on validation rows stops improving,
        and to keep the weights of its best epoch. ``"auto"`` does so where `X_val` is
        given or `monitor` is, with more than 2,000 rows, which can spare a part, and
        where `max_epochs` is more than 10 and there are more than 100 rows. Where no
        rows can be held out, as of a single group, it warns and trains on all. With
        `warm_start` each fit keeps its own best epoch, on the rows that the first fit
        held out.

    validation_split : {"random", "last"} or splitter, default="random"
        Which rows become validation rows where `X_val` is not given. ``"random"``
        draws them, stratified over the labels so that each class of a task is on both
        sides; with `groups` whole groups, so that no user is on both sides. ``"last"``
        takes the last rows, for logs in the order of time. Of a scikit-learn splitter
        the first split is used.

    validation_fraction : float, default=0.1
        Share of validation rows, in (0, 1). Larger makes stopping surer and leaves
        fewer rows to learn from.

    n_iter_no_change : int, default=3
        Epochs without improvement before training stops. Larger is more patient.

    tol : float, default=0.0001
        Least improvement of the monitored value that counts. Larger stops sooner.

    monitor : str, int, tuple or callable, default="valid_loss"
        What is watched: ``"valid_loss"`` (mean of the tasks' losses), a task's name
        of any type (its loss), a metric of :func:`~sk_mtl.metrics.task_metric` such as
        ``"roc_auc"`` (mean over tasks), a pair ``("roc_auc", "income")``, a callable
        ``f(y_true, y_proba)`` of one task, greater is better unless its attribute
        ``greater_is_better`` is False, or a scorer of
        :func:`~sk_mtl.metrics.make_task_scorer`, whose task, average and `pos_label`
        are taken.

    warm_start : bool, default=False
        Whether `fit` continues from the previous fit: same features, tasks and classes.
        What shapes the network must stay; `lr`, `weight_decay`, `batch_size`, weights
        of tasks and classes, and all that decides when to stop may change. Rows that
        were held out stay held out. They are known by the index of a pandas frame, or
        else by their position; where none of them comes back, others are held out.

    callbacks : list or None, default=None
        skorch callbacks, or pairs of a name and one. Instances are used as they are, so
        that one may report to the study that made it; of a class each fit makes an
        instance. Where scikit-learn clones the estimator, as in a search, callbacks are
        cloned with it. The pickle of a fitted estimator leaves them out. skorch's
        `EpochScoring` is refused: `monitor` records a metric for each epoch.

    device : str or torch.device, default="cpu"
        ``"cpu"``, ``"cuda"``, ``"cuda:1"`` or ``"auto"``: a CUDA card where there is
        one. Set after `fit`, it says where to predict: fit on a card, serve on the
        processor. A model of a card predicts on the processor where there is no card.

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
        "task_names": ["array-like", None],
        "tower_hidden_sizes": [*LAYER_SIZES, dict],
        "activation": [StrOptions(set(ACTIVATIONS))],
        "dropout": SHARE,
        "batch_norm": ["boolean", StrOptions({"auto"})],
        "n_members": COUNT,
        "member_sharing": [StrOptions(set(MEMBER_SHARING))],
        # A text gets an error that names `balancing`.
        "task_weights": ["array-like", dict, str, None],
        "balancing": [str, callable, None],
        "missing_label": "no_validation",
        "check_leaks": ["boolean"],
        "optimizer": [StrOptions(set(OPTIMIZERS)), type],
        "precision": [StrOptions(set(DTYPES))],
        "lr": [Interval(Real, 0, None, closed="neither")],
        "weight_decay": [Interval(Real, 0, None, closed="left")],
        "lr_schedule": [StrOptions(set(SCHEDULES)), callable, None],
        "warmup": [Interval(Real, 0, None, closed="left")],
        "weight_averaging": [*SHARE, None],
        "batch_size": [*COUNT, StrOptions({"auto"})],
        "max_epochs": COUNT,
        "early_stopping": ["boolean", StrOptions({"auto"})],
        "validation_split": [
            StrOptions({"random", "last"}),
            HasMethods(["split", "get_n_splits"]),
        ],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "n_iter_no_change": COUNT,
        "tol": [Interval(Real, 0, None, closed="left")],
        "monitor": [str, Integral, tuple, list, callable],
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
            *("task_weights", "balancing", "missing_label", "check_leaks"),
            *("lr", "weight_decay", "lr_schedule", "batch_size", "max_epochs"),
            *("warmup", "weight_averaging"),
            *("early_stopping", "validation_split", "validation_fraction"),
            *("n_iter_no_change", "tol", "monitor", "warm_start", "random_state"),
            *("device", "verbose"),
        }
    )

    task_names: Sequence[str] | None = None
    tower_hidden_sizes: TowerSizes = (32,)
    activation: str = "relu"
    dropout: float = 0.1
    batch_norm: bool | str = "auto"
    n_members: int = 1
    member_sharing: str = "most"
    task_weights: Sequence[float] | Mapping[Hashable, float] | None = None
    balancing: str | Callable | None = None
    missing_label: Hashable = None
    check_leaks: bool = True
    optimizer: str | type[torch.optim.Optimizer] = "adamw"
    precision: str = "float32"
    lr: float = 8e-3
    weight_decay: float = 0.01
    lr_schedule: str | Callable | None = "linear"
    warmup: float = 0.0
    weight_averaging: float | None = 0.999
    batch_size: int | str = "auto"
    max_epochs: int = 5
    early_stopping: bool | str = "auto"
    validation_split: str | BaseCrossValidator | BaseShuffleSplit = "random"
    validation_fraction: float = 0.1
    n_iter_no_change: int = 3
    tol: float = 1e-4
    monitor: Hashable | Callable = "valid_loss"
    warm_start: bool = False
    callbacks: list | None = None
    device: str | torch.device = "cpu"
    compile: bool = False
    random_state: int | RandomState | None = None
    verbose: int = 0

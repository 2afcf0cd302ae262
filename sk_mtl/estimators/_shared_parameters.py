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
from sk_mtl.estimators._constraints import AUTO, COUNT, LAYER_SIZES, SHARE
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
        Names of the tasks if `y` has none. `cross_val_predict` and other tools pass
        `fit` a bare array, to which parameters keyed by task cannot be matched. None
        takes the columns of `y`, or ``task_0``, ``task_1``...

    tower_hidden_sizes : int, tuple of int, list or dict, default=(32,)
        Widths of the hidden layers of the towers, the separate part of the network
        that each task has: a number or a flat tuple for all tasks, a list with one of
        these per task, such as ``[(16, 8), ()]``, or a dict by task name. Wider and
        deeper towers share less; ``()`` is a linear head.

    activation : {"relu", "gelu", "silu", "tanh", "leaky_relu", "elu"}, default="relu"
        Function between layers. ``"relu"`` is the fastest; the smooth functions
        ("gelu", "silu", "elu") and "tanh" cost more per step and give smoother
        answers with narrow layers.

    dropout : float or "auto", default="auto"
        Share of hidden units that are zeroed in training, in [0, 1). Larger
        regularises more and needs more epochs. ``"auto"`` is 0.1, and 0
        with more than 100,000 training rows for tasks of classes.

    batch_norm : bool or "auto", default="auto"
        Whether hidden layers are normalised over the batch. It costs a tenth of the
        time. ``"auto"`` normalises with more than 100,000 training rows, where it
        improves accuracy a little; with few rows it can harm accuracy a lot.

    n_members : int or "auto", default="auto"
        Number of networks that are trained together on the same rows, each on its own
        loss, and whose probabilities are averaged. More members are more accurate, with
        diminishing returns; four take three times as long as one. ``"auto"`` is 4 with
        up to 50,000 training rows, on which the answers of one network vary from seed
        to seed, and 1 with more, with `balancing`, with ``sparse_embedding=True``, with
        callbacks that read the tasks' losses, or in `partial_fit`.

    member_sharing : {"most", "embedding", "none"}, default="none"
        Parts of the network that members share. ``"none"``: a deep ensemble of separate
        networks. Most accurate, and most expensive. ``"embedding"``: members share the
        embeddings and all other parts before the experts. ``"most"``: members share
        the experts, too; each has its own scales of inputs, gates and towers.

    member_rows : {"all", "folds"}, default="all"
        Rows that each member trains on. ``"folds"`` (cross-validated bagging) divides
        the rows of `fit` into `n_members` folds, by `validation_split` and `groups`;
        member k trains on all folds but the k-th, and is kept at the epoch that is best
        on the k-th. So no row is lost to validation, and each member is judged by rows
        that it has not learnt from. Training ends when no member has improved for
        `n_iter_no_change` epochs. It needs ``member_sharing="none"``, turns early
        stopping on, and takes no `X_val`. Preprocessing, bins and batch normalisation
        read the features of all rows; labels of all rows determine the units of tasks
        of numbers and the weights of classes, and nothing else of a member. A fit that
        continues keeps the folds of the rows that it knows; `partial_fit` trains all
        members on new rows. With ``"all"``, members have the same training rows, and
        stop together when the ensemble stops improving.

    member_params : dict, "auto" or None, default=None
        Settings that are drawn for each member, with ``member_sharing="none"``: a
        search over them in one fit. A dict by the names ``"lr"``, ``"weight_decay"``
        and ``"dropout"``, with a pair (low, high), a list of values, or a distribution
        of :mod:`scipy.stats`. From a pair, rates and decays are drawn log-uniformly,
        dropout uniformly. ``"auto"`` draws rates from a quarter of `lr` to twice `lr`,
        decays from 0.0001 to 0.1, and dropout up to 0.3. With early stopping, each
        member is kept at its own best epoch, and then only the members whose average is
        best on the validation rows, found by greedy selection with replacement; the
        others are dropped. `members_` has the settings, the value and the weight of
        each member. A fit that continues trains the members that were kept. With
        ``member_rows="folds"`` or without early stopping, all members are kept. Values
        of `n_members` around 16 pay; smaller ones leave little to choose from. None
        gives all members the settings of the estimator.

    task_weights : list of float, dict or None, default=None
        Weight of each task in the sum of losses: a list, or a dict by task name in
        which tasks left out have the weight 1. A larger weight favours a task where
        tasks compete. The recorded and monitored losses do not include it.

    balancing : str, callable or None, default=None
        Method that balances the tasks in training. Of losses: ``"uncertainty"`` (learnt
        noise), ``"dwa"`` (more weight to losses that fall slowly), ``"famo"`` (equal
        rates of falling), ``"geometric"`` (the product of the losses), ``"stch"`` (a
        smooth maximum of the losses), ``"random"``, ``"imtl_l"``, ``"pbi"``,
        ``"cosmos"``; ``"gradnorm"`` and ``"metabalance"`` (gradients of similar size;
        in the latter the first task sets the size). Of conflicting gradients of shared
        weights: ``"pcgrad"``, ``"cagrad"``, ``"mgda"``, ``"nash_mtl"``,
        ``"imtl_g"``, ``"aligned_mtl"``, ``"upgrad"``, ``"config"``, ``"dualproj"``,
        ``"graddrop"``, ``"fairgrad"``, ``"excess_mtl"``. Or an aggregator of
        :mod:`torchjd.aggregation`, any other function from a Jacobian with a row per
        task to a vector, or a scalarizer of :mod:`torchjd.scalarization`. All except
        ``"gradnorm"`` and ``"metabalance"`` need the extra ``balance``. Methods that
        read gradients take a backward pass per task and step; methods that combine
        gradients can be used with `task_weights`. None adds the weighted losses.

    distillation : float, default=0.5
        Share of the `soft_labels` of `fit` in the targets, in [0, 1]: a row that has
        both is trained on ``(1 - distillation) * label + distillation * soft_label``.
        Larger follows the teacher more, smaller the labels. A row with one of the two
        is trained on that one alone. 0 ignores soft labels.

    missing_label : object, default=None
        A value of `y` that means "no label" in addition to NaN and None, such as -1.

    check_leaks : bool, default=True
        Whether the first fit compares every feature with every label and warns
        (`LeakWarning`) about features that are a label under another name. Set it to
        False if such a feature is known before the label. The check takes a few
        percent of the time of a fit.

    optimizer : str or class, default="adamw"
        ``"adamw"``, ``"adam"``, ``"nadam"``, ``"sgd"``, ``"rmsprop"``, ``"adagrad"``
        or a class of :mod:`torch.optim`. Set ``weight_decay=0`` for an optimizer
        without weight decay, such as `Rprop`.

    precision : {"float32", "float64", "bfloat16"}, default="float32"
        Floating-point type of weights and products. ``"float64"`` is slower and
        reproduces to more digits. ``"bfloat16"`` computes the products of training
        steps with fewer digits if the processor or GPU has instructions for it
        (AVX-512 BF16, AMX or Arm's; CUDA from compute capability 8.0 on) and a step
        takes at least 2**25 multiplications: `batch_size` times the number of weights
        outside embeddings. Otherwise it is the same as ``"float32"``. Weights, losses
        and predictions stay in single precision.

    lr : float or "auto", default="auto"
        Learning rate at the start of `lr_schedule`. A larger rate needs fewer epochs
        and is less precise; too large a rate diverges. ``"auto"`` is 0.008 for every
        `optimizer` that has a name, 0.004 for more than 10 epochs, and 0.016 with
        two or more large vocabularies (`embedding_dim`) and at least 20,000 training
        rows; for other classes of :mod:`torch.optim` it is their own default.

    weight_decay : float, default=0.01
        Share by which weights shrink per step, multiplied by `lr`. Larger regularises
        more.

    lr_schedule : {"linear", "cosine", "plateau"}, callable or None, default="linear"
        ``"linear"`` and ``"cosine"`` lower the learning rate from step to step, to zero
        at the end of `max_epochs`: large steps at the beginning and small ones at the
        end need few epochs. They do not apply to `partial_fit`, which has no known end.
        ``"plateau"`` halves it after each epoch that did not improve the monitored
        value, or without early stopping the training loss. A callable takes the
        optimiser and returns a torch scheduler, which is stepped once per epoch. None
        keeps it constant, which needs a smaller `lr` and more `max_epochs`.

    warmup : float, default=0.0
        Number of epochs, possibly below 1, over which the learning rate of a new
        network rises from 0, step by step. It stabilises the first steps with large
        learning rates, and these epochs learn less.

    weight_averaging : float or None, default=0.999
        Decay, in [0, 1), of a moving average of the weights. The average is validated,
        kept and used for predictions; training continues from the plain weights. It
        reduces the noise of the last batches. Larger averages over more steps: 0.999
        over about 1,000; in fits of less than twice as many steps, each step is
        weighted by its number. None keeps the plain weights. Tables with sparse
        gradients are not averaged. A fit that continues (`warm_start`, `partial_fit`)
        starts from the average.

    batch_size : int or "auto", default="auto"
        Rows per step. A smaller size takes more and noisier steps per epoch; a larger
        one is faster per epoch. ``"auto"`` is the power of two nearest to twice the
        square root of the number of rows, from 16 to 1024.

    max_epochs : int or "auto", default="auto"
        Largest number of passes over the training rows. `warm_start` adds the same
        number again. If the learning rate falls to zero, few passes are enough, for a
        thousand rows as for a hundred thousand; many more need a smaller `lr`, and
        overfit without `early_stopping`. ``"auto"`` is 5 with more than 10,000 rows,
        and 4 with more than 100,000 for tasks of classes without a large vocabulary.
        With fewer it is 60 if a task is of numbers and there are more than 100 rows,
        and 10 if all are of classes and there are more than 2,000; without
        early stopping it is always 5.

    time_limit : float or None, default=None
        Seconds, counted from the start of `fit`, after which training stops at the best
        weights so far. The limit is compared with the clock after each step, so `fit`
        takes longer by one step, by the validation rows and by whatever precedes
        training: rows are encoded and at least one step is taken in any case. An epoch
        that the limit cuts short counts as an epoch. Two fits that reach the limit may
        differ; all others are not affected. None sets no limit.

    early_stopping : bool or "auto", default="auto"
        Whether to stop when the monitored value on validation rows stops improving,
        and to keep the weights of the best epoch. ``"auto"`` does so if `X_val` is
        given or `monitor` is set, if there are more than 2,000 rows, and if
        `max_epochs` is above 10 and there are more than 100 rows. If no rows can be
        held out, for instance from a single group, it warns and trains on all rows.
        With `warm_start` each fit keeps its own best epoch, on the rows that the first
        fit held out.

    validation_split : {"random", "last"} or splitter, default="random"
        Choice of the validation rows if `X_val` is not given. ``"random"`` draws rows,
        stratified over the labels so that each class of a task is on both sides; with
        `groups` it draws whole groups, so that no user is on both sides. ``"last"``
        takes the last rows, for logs in the order of time. A scikit-learn splitter
        provides its first split.

    validation_fraction : float, default=0.1
        Share of validation rows, in (0, 1). A larger share makes stopping more reliable
        and leaves fewer rows to learn from.

    n_iter_no_change : int or "auto", default="auto"
        Number of epochs without improvement before training stops. Larger stops later.
        ``"auto"`` is 3, or 5 with more than 10 epochs.

    tol : float, default=0.0001
        Smallest improvement of the monitored value that counts. Larger stops sooner.

    monitor : str, int, tuple or callable, default="valid_loss"
        Value that decides when to stop: ``"valid_loss"`` (mean of the tasks' losses), a
        task's name of any type (its loss), a metric of
        :func:`~sk_mtl.metrics.task_metric` such as ``"roc_auc"`` (mean over tasks), a
        pair ``("roc_auc", "income")``, a callable ``f(y_true, y_proba)`` of one task,
        for which greater is better unless its attribute ``greater_is_better`` is False,
        or a scorer of :func:`~sk_mtl.metrics.make_task_scorer`, with its task, average
        and `pos_label`. Metrics that rank within groups, such as
        ``"grouped_roc_auc"``, read the `groups` of `fit`. Setting `monitor` also turns
        early stopping on, if `early_stopping` is "auto".

    warm_start : bool, default=False
        Whether `fit` continues from the previous fit, with the same features, tasks and
        classes. Parameters that shape the network must stay the same; `lr`,
        `weight_decay`, `embedding_l2`, `batch_size`, weights of tasks and classes, and
        all parameters that decide when to stop may change. Rows that were held out stay
        held out. They are identified by the index of a pandas frame, or else by their
        position; if none of them comes back, others are held out.

    callbacks : list or None, default=None
        skorch callbacks, or pairs of a name and a callback. Instances are used
        directly, so an instance can report to the study that made it; from a class each
        fit makes a new instance. When scikit-learn clones the estimator, as in a
        search, it clones the callbacks, too. The pickle of a fitted estimator leaves
        them out. skorch's `EpochScoring` is refused: `monitor` records a metric for
        each epoch.

    device : str or torch.device, default="cpu"
        ``"cpu"``, ``"cuda"``, ``"cuda:1"``, or ``"auto"`` for a GPU if there is one.
        Set it after `fit` to predict on another device: fit on a GPU, serve on the
        processor. A model fitted on a GPU predicts on the processor of a machine
        without one.

    compile : bool, default=False
        Whether to compile the network with :func:`torch.compile`: tens of seconds
        once, then faster steps. Without a compiler, `fit` warns and trains uncompiled.

    random_state : int, RandomState instance or None, default=None
        Seed of initial weights, order of rows, dropout and the random split. An int
        gives the same result at every fit, bit for bit with the same number of threads
        and to 1e-4 with another number. The global random generators do not change.

    verbose : int, default=0
        1 shows a progress bar, 2 a line per epoch with the loss of every task.
    """

    _parameter_constraints: ClassVar[dict] = {
        "task_names": ["array-like", None],
        "tower_hidden_sizes": [*LAYER_SIZES, dict],
        "activation": [StrOptions(set(ACTIVATIONS))],
        "dropout": [*SHARE, AUTO],
        "batch_norm": ["boolean", AUTO],
        "n_members": [*COUNT, AUTO],
        "member_sharing": [StrOptions(set(MEMBER_SHARING))],
        "member_rows": [StrOptions({"all", "folds"})],
        "member_params": [dict, StrOptions({"auto"}), None],
        # A text raises an error that points to `balancing`.
        "task_weights": ["array-like", dict, str, None],
        # Refused with more words where the balancer is made.
        "balancing": "no_validation",
        "distillation": [Interval(Real, 0, 1, closed="both")],
        "missing_label": "no_validation",
        "check_leaks": ["boolean"],
        "optimizer": [StrOptions(set(OPTIMIZERS)), type],
        "precision": [StrOptions(set(DTYPES))],
        "lr": [Interval(Real, 0, None, closed="neither"), AUTO],
        "weight_decay": [Interval(Real, 0, None, closed="left")],
        "lr_schedule": [StrOptions(set(SCHEDULES)), callable, None],
        "warmup": [Interval(Real, 0, None, closed="left")],
        "weight_averaging": [*SHARE, None],
        "batch_size": [*COUNT, AUTO],
        "max_epochs": [*COUNT, AUTO],
        # Refused in words where the fit begins.
        "time_limit": "no_validation",
        "early_stopping": ["boolean", AUTO],
        "validation_split": [
            StrOptions({"random", "last"}),
            HasMethods(["split", "get_n_splits"]),
        ],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "n_iter_no_change": [*COUNT, AUTO],
        "tol": [Interval(Real, 0, None, closed="left")],
        "monitor": [str, Integral, tuple, list, callable],
        "warm_start": ["boolean"],
        "callbacks": [list, tuple, None],
        "device": [str, torch.device],
        "compile": ["boolean"],
        "random_state": ["random_state"],
        "verbose": [Interval(Integral, 0, None, closed="left"), "boolean"],
    }

    # Parameters that a fit that continues does not read or that may change before it.
    # All other parameters, including an estimator's own, shape the network.
    _changeable: ClassVar[frozenset] = frozenset(
        {
            *("preprocessor", "categorical_features", "task_names", "callbacks"),
            *("task_weights", "balancing", "distillation"),
            *("missing_label", "check_leaks"),
            *("lr", "weight_decay", "embedding_l2", "lr_schedule"),
            *("batch_size", "max_epochs"),
            *("warmup", "weight_averaging"),
            *("early_stopping", "validation_split", "validation_fraction"),
            *("n_iter_no_change", "tol", "monitor", "warm_start", "random_state"),
            *("time_limit", "device", "verbose"),
        }
    )

    task_names: Sequence[str] | None = None
    tower_hidden_sizes: TowerSizes = (32,)
    activation: str = "relu"
    dropout: float | str = "auto"
    batch_norm: bool | str = "auto"
    n_members: int | str = "auto"
    member_sharing: str = "none"
    member_rows: str = "all"
    member_params: Mapping[str, object] | str | None = None
    task_weights: Sequence[float] | Mapping[Hashable, float] | None = None
    balancing: str | Callable | None = None
    distillation: float = 0.5
    missing_label: Hashable = None
    check_leaks: bool = True
    optimizer: str | type[torch.optim.Optimizer] = "adamw"
    precision: str = "float32"
    lr: float | str = "auto"
    weight_decay: float = 0.01
    lr_schedule: str | Callable | None = "linear"
    warmup: float = 0.0
    weight_averaging: float | None = 0.999
    batch_size: int | str = "auto"
    max_epochs: int | str = "auto"
    time_limit: float | None = None
    early_stopping: bool | str = "auto"
    validation_split: str | BaseCrossValidator | BaseShuffleSplit = "random"
    validation_fraction: float = 0.1
    n_iter_no_change: int | str = "auto"
    tol: float = 1e-4
    monitor: Hashable | Callable = "valid_loss"
    warm_start: bool = False
    callbacks: list | None = None
    device: str | torch.device = "cpu"
    compile: bool = False
    random_state: int | RandomState | None = None
    verbose: int = 0

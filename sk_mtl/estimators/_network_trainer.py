"""The training of a network on rows that are encoded."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from sk_mtl.estimators._automatic._facts import Facts
from sk_mtl.estimators._automatic._resolution import resolve
from sk_mtl.estimators._features._encoded_rows import EncodedRows
from sk_mtl.estimators._fit_parameters import FitParameters
from sk_mtl.estimators._fit_state import FitState
from sk_mtl.estimators._network_builder import NetworkBuilder
from sk_mtl.estimators._rows._fold_weights import FoldWeights
from sk_mtl.estimators._rows._labelled_rows import LabelledRows
from sk_mtl.estimators._rows._tensor_table import TensorTable
from sk_mtl.estimators._rows._training_rows import TrainingRows
from sk_mtl.estimators._targets._targets import Targets
from sk_mtl.estimators._targets._task_weights import resolve_task_weights
from sk_mtl.estimators._training._averaging import WeightAverage
from sk_mtl.estimators._training._control import TrainingControl
from sk_mtl.estimators._training._device import resolve_device
from sk_mtl.estimators._training._embedding_penalty import EmbeddingPenalty
from sk_mtl.estimators._training._evaluation import check_answers
from sk_mtl.estimators._training._fit_clock import FitClock
from sk_mtl.estimators._training._fit_tasks import FitTasks
from sk_mtl.estimators._training._member_control import MemberControl
from sk_mtl.estimators._training._member_rates import MemberRates
from sk_mtl.estimators._training._monitor import Monitor, ValidationRows
from sk_mtl.estimators._training._net import _MultiTaskNet
from sk_mtl.estimators._training._precision import DTYPES
from sk_mtl.estimators._training._random import FitSeed, training_state
from sk_mtl.estimators._training._schedules import StepRates, make_schedule, make_share
from sk_mtl.estimators._training._target_errors import learn_errors
from sk_mtl.estimators._training._validation import (
    FoldValidation,
    MemberValidation,
    Validation,
)
from sk_mtl.losses import (
    Balancer,
    GradientBalancer,
    TaskLoss,
    check_task_gradients,
    make_balancer,
)


def train_network(
    parameters: FitParameters,
    state: FitState | None,
    targets: Targets,
    rows: EncodedRows,
    *,
    seed: FitSeed,
    tasks: FitTasks,
    clock: FitClock,
    monitor: Monitor | None = None,
    is_pass: bool = False,
) -> FitState:
    """Return the state of a fit after training, without any side effect.

    Parameters
    ----------
    parameters : FitParameters
        The parameters of the fit and the columns of X.

    state : FitState or None
        The fit that this one continues, None for a first fit.

    targets : Targets

    rows : EncodedRows
        The training rows, and the rows that decide when to stop.

    seed : FitSeed

    tasks : FitTasks
        Receives the start and the end of the fit and of its epochs.

    clock : FitClock
        The time since the start of the fit, and its limit.

    monitor : Monitor or None, default=None
        The value computed on the validation rows after each epoch.

    is_pass : bool, default=False
        Whether the fit is one epoch of an unknown total, so that the learning rate
        cannot fall towards an end.
    """
    device = resolve_device(parameters.device)
    if state is None:
        targets = _with_units(
            targets,
            rows.train,
            marked=not is_pass,
            is_soft=parameters.distillation > 0,
        )
    structure = parameters._make_structure(targets)
    rows = rows.weighted(parameters, targets)
    with training_state(seed.value, device):
        train, valid = rows.tables(parameters, targets, device)
        encoder = rows.encoder
        resolution = resolve(
            parameters,
            _facts_of(parameters, rows, targets),
            encoder.schema,
            state and state.resolution.choices,
            is_pass=is_pass,
        )
        resolved = resolution.parameters
        epochs = None if is_pass else int(resolved.max_epochs)
        if state is None:
            builder = NetworkBuilder.design(
                resolved, encoder.schema, targets, structure
            )
            encoder = encoder.described(builder.layout.describe(resolved))
            net = builder.make_net(train, device).listen_with(parameters.callbacks)
        else:
            net = _continued_net(resolved, state, device)
        new = FitState(
            parameters=parameters._without_callbacks(),
            targets=targets,
            structure=structure,
            encoder=encoder,
            net=net,
            generator=seed.generator,
            seen=_rows_seen(train, state if epochs is None else None),
            held_out=rows.held_out,
            resolution=replace(resolution, parameters=resolved._without_callbacks()),
            member_folds=rows.member_folds,
        )
        tasks.begin_training(new)
        net.set_loss(_make_loss(new), _next_balancer(new, state))
        validation = _make_validation(new, monitor, rows.valid, valid)
        make_control = MemberControl if validation.by_member else TrainingControl
        control = make_control(
            **_patience(new, validation.monitor),
            rows=train.rows_read(net.module_),
            average=_make_average(new),
            rates=_make_rates(new, train, epochs, is_first=state is None),
            penalty=_make_penalty(new),
            member_rates=_make_member_rates(net),
            clock=clock,
        )
        net.train(
            train,
            validation,
            control,
            epochs=epochs or 1,
            verbose=int(parameters.verbose),
            tasks=tasks,
            weights=_make_fold_weights(new, train),
        )
        if isinstance(validation, MemberValidation) and "weight" not in net.members:
            validation.select(net)
        for what, table in (("training", train), ("validation", valid)):
            if table is not None:
                check_answers(net.module_, structure, table, what)
        parameters._warn_after_training(net.module_, structure, targets, train)
        targets = learn_errors(net.module_, structure, targets, train)
    return replace(new, targets=targets)


def _with_units(
    targets: Targets, train: LabelledRows, *, marked: bool, is_soft: bool
) -> Targets:
    """Return targets with the units in which a new network learns them.

    With `marked` they also record the classes that no training row has, with `is_soft`
    those to which no soft label gives a chance either.
    """
    targets = targets.fit_scale(train.codes, train.weight)
    if not marked:
        return targets
    soft = train.soft if is_soft else None
    return targets.mark_untrained(train.codes, soft and soft.tables)


def _facts_of(parameters: FitParameters, rows: EncodedRows, targets: Targets) -> Facts:
    facts = Facts.of_rows(
        rows.train,
        targets,
        n_held_out=0 if rows.valid is None else len(rows.valid),
        validation_is_given=rows.is_given,
        is_funnel=parameters._step_parents(targets) is not None,
    )
    if rows.valid is None or rows.member_folds is None:
        return facts
    # The validation rows are the training rows of the other members.
    return replace(facts, n_rows=len(rows.train)).planned(1 / rows.member_folds.n_folds)


def _continued_net(
    parameters: FitParameters, state: FitState, device: torch.device
) -> _MultiTaskNet:
    """Return a copy of a trained net, ready to continue."""
    net = state.net.on_device(device)
    net = copy.deepcopy(net) if net is state.net else net
    net.resume(
        batch_size=int(parameters.batch_size),
        lr=parameters.lr,
        weight_decay=parameters.weight_decay,
    )
    return net.listen_with(parameters.callbacks, known=state.net.callbacks_)


def _rows_seen(train: TrainingRows, before: FitState | None) -> tuple[int, Tensor]:
    """Return the number of rows that count as one fit, and their mean weights.

    Calls of `partial_fit` count as one fit. If each call had its own divisor, a chunk
    with few labels of a task would give them more weight than a chunk with many.
    """
    weight, n_rows = train.mean_weight().cpu(), len(train)
    if before is not None:
        n_before, weight_before = before.seen
        share = n_rows / (n_before + n_rows)
        weight = weight_before.to(weight) * (1 - share) + weight * share
        n_rows += n_before
    return n_rows, weight


def _make_loss(state: FitState) -> TaskLoss:
    _, mean_weight = state.seen
    # A task without a label in these rows adds no loss, so any divisor is right.
    mean_weight = torch.where(mean_weight > 0, mean_weight, 1.0)
    return TaskLoss(state.structure, mean_weight, torch.ones_like(mean_weight))


def _next_balancer(state: FitState, before: FitState | None) -> Balancer | None:
    """Return the balancer of the tasks' losses, or None to keep the previous one."""
    if before is not None and state.same_balance(before):
        return None
    wanted, names = state.parameters, state.targets.task_names
    weights = wanted.task_weights
    if weights is not None:
        weights = resolve_task_weights(weights, names)
        weights = weights.to(DTYPES[wanted.precision])
    balancer = make_balancer(
        wanted.balancing,
        len(names),
        weights,
        may_be_negative=state.structure.may_be_negative,
    )
    if isinstance(balancer, GradientBalancer):
        check_task_gradients(
            state.net.module_, "Balancing by gradients", compiled=wanted.compile
        )
    return balancer


def _make_validation(
    state: FitState,
    monitor: Monitor | None,
    labels: LabelledRows | None,
    rows: TensorTable | None,
) -> Validation:
    """Return the validation of each epoch, with a monitor if it may stop training."""
    wanted = state.resolution.parameters
    if monitor is None or labels is None or not wanted.early_stopping:
        return Validation(rows)

    watched = ValidationRows(
        state.targets, state.structure, labels.codes, labels.weight, labels.groups
    )
    if rows.fold is not None:
        folds = [watched.take(labels.folds == k) for k in range(wanted.n_members)]
        return FoldValidation(rows, [monitor.watching(fold) for fold in folds])
    if wanted.member_params is not None:
        return MemberValidation(rows, monitor.watching(watched))
    return Validation(rows, monitor.watching(watched))


def _make_fold_weights(state: FitState, train: TrainingRows) -> FoldWeights | None:
    fold = getattr(train, "fold", None)
    return None if fold is None else FoldWeights(train, state.member_folds.n_folds)


def _patience(state: FitState, monitor: Monitor | None) -> dict[str, Any]:
    """Return the settings of `TrainingControl`."""
    wanted, stops = state.resolution.parameters, monitor is not None
    schedule = make_schedule(
        wanted.lr_schedule,
        state.net.optimizer_,
        maximise=stops and monitor.greater_is_better,
    )
    return {
        "monitor": monitor,
        "patience": wanted.n_iter_no_change if stops else None,
        "tol": wanted.tol,
        "schedule": schedule,
    }


def _make_average(state: FitState) -> WeightAverage | None:
    decay, module = state.parameters.weight_averaging, state.net.module_
    if decay is None:
        return None
    return WeightAverage(module, decay, module.sparse_parameter_names())


def _make_penalty(state: FitState) -> EmbeddingPenalty | None:
    l2 = float(state.resolution.parameters.embedding_l2)
    return EmbeddingPenalty(state.net.module_, l2) if l2 else None


def _make_member_rates(net: _MultiTaskNet) -> MemberRates | None:
    """Return the hook for members with learning rates or decays of their own."""
    columns = net.members
    rates = [columns.get(name) for name in ("lr", "weight_decay")]
    if all(each is None for each in rates):
        return None
    if "weight" in columns:
        rates = [
            each if each is None else each[columns["weight"] > 0] for each in rates
        ]
    return MemberRates(net.optimizer_, list(net.module_.parameters()), *rates)


def _make_rates(
    state: FitState, train: TrainingRows, epochs: int | None, *, is_first: bool
) -> StepRates | None:
    steps = state.net.steps_per_epoch(train)
    share = make_share(
        state.parameters.lr_schedule if epochs else None,
        n_steps=steps * (epochs or 1),
        # A network that continues already has the moments of its optimiser.
        n_warmup=round(state.parameters.warmup * steps) if is_first else 0,
    )
    return share and StepRates(state.net.optimizer_, share)

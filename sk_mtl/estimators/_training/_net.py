"""The bridge to skorch.

train
  fit_loop                   what skorch calls the loop of a fit; compiles
    _run_epochs              callbacks, patience
      run_single_epoch       the batches of the training rows, then of the others
        train_step           skorch's: zeroes gradients, steps the optimiser
          train_step_single  logits, losses by task, one backward pass
"""

from __future__ import annotations

import copy
import time
from typing import ClassVar

import numpy as np
import torch
from skorch import NeuralNet
from torch import Tensor

from sk_mtl.estimators._rows._fold_weights import FoldWeights
from sk_mtl.estimators._rows._tensor_table import TensorTable
from sk_mtl.estimators._rows._training_rows import TrainingRows
from sk_mtl.estimators._training._checked_callbacks import (
    check_callback,
    refuse_clipping,
)
from sk_mtl.estimators._training._compilation import compile_in_place
from sk_mtl.estimators._training._control import (
    NonFiniteLossError,
    TrainingControl,
    recover,
)
from sk_mtl.estimators._training._evaluation import EVALUATION_BATCH
from sk_mtl.estimators._training._fit_tasks import FitTasks
from sk_mtl.estimators._training._history import EpochLosses, shown_epoch
from sk_mtl.estimators._training._interruption import is_raised_by_code
from sk_mtl.estimators._training._monitor import refuse_monitors
from sk_mtl.estimators._training._optimizers import keep_rows
from sk_mtl.estimators._training._progress import Progress
from sk_mtl.estimators._training._training_run import TrainingRun
from sk_mtl.estimators._training._validation import Validation
from sk_mtl.losses import Balancer, TaskLoss


class _MultiTaskNet(NeuralNet):
    """A skorch net that trains on batches of rows that are encoded already.

    skorch builds the module and the optimiser, calls callbacks, moves between devices
    and pickles. The parts that copy rows one by one are replaced: batches are sliced
    from tensors that were made once, and losses are summed on the device per epoch and
    task.

    Attributes
    ----------
    task_names : list of str
        The names of the tasks, for the recorded losses.

    autocast : bool
        Whether training steps multiply in bfloat16.

    best_epoch : int
        The epoch whose weights were kept, the latest one if members were kept at
        different epochs; 0 before the first one is complete.

    members : dict of str to ndarray
        By the names of columns: settings of each member, its epoch, and the value that
        decided on it. Empty if members differ in nothing.

    stopped_by : str
        The reason why the last training ended.

    seconds : float
        The time of the last fit until its training ended.
    """

    # skorch moves these, with module, criterion and optimiser, to an existing device
    # when it loads a pickle from a GPU.
    cuda_dependent_attributes_: ClassVar[list[str]] = ["balancer"]
    autocast = False
    best_epoch = 0
    stopped_by = "epochs"
    seconds = 0.0
    members: ClassVar[dict] = {}

    @property
    def _default_callbacks(self):
        return []

    def on_device(self, device: torch.device) -> _MultiTaskNet:
        """Return the net if it is on the device, else a copy on it."""
        if torch.device(self.device) == device:
            return self
        moved = object.__new__(type(self))
        name = device.type if device.index is None else str(device)
        moved.__setstate__({**self.__getstate__(), "device": name})
        return moved

    def listen_with(self, callbacks, known=()) -> _MultiTaskNet:
        """Set the callbacks: given instances, and one instance of each class.

        `known` are the pairs of name and callback of the fit that this one continues;
        they are not initialised again.
        """
        self.callbacks = [check_callback(each) for each in callbacks or []] or None
        before, self.callbacks_ = dict(known), []
        for name, callback in self._uniquely_named_callbacks():
            if isinstance(callback, type):
                last = before.get(name)
                callback = last if type(last) is callback else callback()
            if not any(callback is each for each in before.values()):
                callback.initialize()
            self.callbacks_.append((name, callback))
        return self

    def train(
        self,
        rows: TrainingRows,
        validation: Validation,
        control: TrainingControl,
        *,
        epochs: int,
        verbose: int = 0,
        tasks: FitTasks | None = None,
        weights: FoldWeights | None = None,
    ) -> None:
        """Train for some epochs and leave the best weights in the module.

        `weights` differ between members, where members have rows of their own. An
        interruption by the user is raised after the training, too.
        """
        refuse_clipping(self.callbacks_, self.module_.sparse_parameter_names())
        if validation.rows is None:
            refuse_monitors(self.callbacks_)
        progress = Progress(verbose, epochs)
        parameters = list(self.module_.parameters())
        self._run = TrainingRun(
            validation, control, progress, tasks, weights, parameters
        )
        balancer = copy.deepcopy(self.balancer)
        self.stopped_by = "interruption"
        try:
            self._fit_and_notify(rows, epochs)
        except NonFiniteLossError as error:
            recover(control, error.what, self.n_epochs)
            self.stopped_by = "not_finite"
            # Their averages may be NaN, and a later fit would continue from them.
            self.balancer = balancer
            self.initialize_optimizer()
        finally:
            self._run.progress.close()
            control.restore(self.module_)
            control.end_training()
            del self._run
            self.module_.eval()
            self.module_.zero_grad(set_to_none=True)
            self.seconds = control.clock.seconds
            self.members = control.members(self.members)
            # Last, since an interrupted fit is kept if this is not 0, and the lines
            # above may be interrupted, too.
            self.best_epoch = control.best_epoch

    def _fit_and_notify(self, rows: TrainingRows, epochs: int) -> None:
        """Train as skorch's `partial_fit` does, which drops a KeyboardInterrupt."""
        self.notify("on_train_begin", X=rows, y=None)
        interruption = None
        try:
            self.fit_loop(rows, epochs=epochs)
        except KeyboardInterrupt as error:
            interruption = error
        self.notify("on_train_end", X=rows, y=None)
        if interruption is not None:
            raise interruption

    def fit_loop(self, X, y=None, epochs=None, **_):
        """Run the epochs; what skorch calls the proper fit loop."""
        run = self._run
        sets = {"dataset_train": X, "dataset_valid": run.validation.rows}
        try:
            if self.compile:
                compile_in_place(self.module_, X.first(64))
            self._run_epochs(epochs, sets)
        finally:
            # Before `on_train_end`, in which callbacks read the kept weights, or load
            # others (`load_best=True`).
            run.control.restore(self.module_)
        return self

    def _run_epochs(self, epochs: int, sets) -> None:
        control, tasks = self._run.control, self._run.tasks
        for epochs_left in reversed(range(epochs)):
            if tasks is not None:
                tasks.begin_epoch()
            reason = "early_stopping" if self._run_epoch(sets) else None
            try:
                self.notify("on_epoch_end", **sets)
            except KeyboardInterrupt as error:
                # skorch's callbacks stop training in this way, and so does Ctrl-C.
                if not is_raised_by_code(error):
                    raise
                reason = reason or "callback"
            if tasks is not None and tasks.end_epoch():
                reason = reason or "callback"
            if control.is_cut or (epochs_left and control.clock.is_over):
                reason = reason or "time_limit"
            if reason:
                break
        self.stopped_by = reason or "epochs"

    def _run_epoch(self, sets) -> bool:
        start, control = time.perf_counter(), self._run.control
        control.begin_epoch()
        self.notify("on_epoch_begin", **sets)
        train = sets["dataset_train"]
        self.run_single_epoch(train, True, "train", self.train_step)
        control.end_steps()
        score = self._run.validation.score(self)
        loss = self.history[-1]["train_loss"]
        stop = control.end_epoch(self.module_, self.n_epochs, score, loss)
        self.history.record("seconds", time.perf_counter() - start)
        self._run.progress.end_epoch(shown_epoch(self.history[-1]), control.best_epoch)
        return stop

    def run_single_epoch(self, rows, training, prefix, step_fn, **_):
        """Run the batches, record the mean losses, return the logits if validating."""
        if rows is None:
            return None
        losses, logits = self.run_batches(rows, training, step_fn)
        scale = 1.0 if training else self.validation_scale(rows)
        losses.record(self.history, prefix, self.task_names, scale)
        if training:
            self._end_balanced_epoch()
        return logits

    def run_batches(self, rows, training: bool, step_fn):
        """Run the batches; return their losses, and the logits if validating."""
        self._set_training(training)
        losses, outputs = EpochLosses(), []
        # On a GPU, reading a value would wait for all queued work.
        on_processor = torch.device(self.device).type == "cpu"
        size = self.batch_size if training else EVALUATION_BATCH
        for batch in rows.batches(size, shuffle=training):
            if training and losses.n_rows and self._run.control.cut_epoch():
                break
            self._notify_batch("on_batch_begin", batch, training)
            step = step_fn(batch)
            if on_processor and not np.isfinite(step["loss"].item()):
                raise NonFiniteLossError
            losses.add(step, len(batch), training=training)
            if training:
                self._run.control.end_step()
                self._end_step(batch)
            else:
                outputs.append(step["y_pred"])
            self._notify_batch("on_batch_end", batch, training, **step)
        if not losses.is_finite:
            raise NonFiniteLossError
        return losses, torch.cat(outputs) if outputs else None

    def train_step_single(self, batch, **_):
        """Return loss and logits of a batch, with the gradients computed."""
        with torch.autocast(batch.y.device.type, torch.bfloat16, enabled=self.autocast):
            logits = self.module_(*batch.inputs)
        step = self._losses(logits.to(batch.y.dtype), batch)
        task_losses, others = step.pop("parts")
        self._notify_losses(task_losses)
        try:
            step["loss"] = self.balancer.backward(task_losses, others, self._trained)
        except FloatingPointError as error:
            raise NonFiniteLossError("a gradient") from error
        self._run.control.end_backward()
        self.module_.penalty = None
        return step

    def validation_step(self, batch, **_):
        """Return loss and logits of a batch without gradients."""
        with torch.no_grad():
            return self.validated(self.module_(*batch.inputs), batch)

    def validated(self, logits: Tensor, batch: TensorTable) -> dict:
        """Return loss and logits of a validation batch, given the logits."""
        step = self._losses(logits, batch)
        task_losses, _ = step.pop("parts")
        return {**step, "loss": task_losses.sum()}

    @property
    def _trained(self) -> list[Tensor]:
        return [p for p in self._run.parameters if p.requires_grad]

    def _end_step(self, batch) -> None:
        def new_losses() -> Tensor:
            with torch.no_grad():
                logits = self.module_(*batch.inputs)
                return self.criterion_.task_losses(logits, *self._run.labels_of(batch))

        self.balancer.end_step(new_losses)

    def _end_balanced_epoch(self) -> None:
        """End the balancer's epoch, and record its task weights if they change."""
        self.balancer.end_epoch()
        if self.balancer.changes and self.balancer.task_weights is not None:
            weights = self.balancer.task_weights.tolist()
            for name, weight in zip(self.task_names, weights, strict=True):
                self.history.record(f"task_weight_{name}", weight)

    def steps_per_epoch(self, rows: TrainingRows) -> int:
        """Return the number of training steps of an epoch."""
        return len(rows.batches(self.batch_size, shuffle=True))

    def set_loss(self, loss: TaskLoss, balancer: Balancer | None) -> None:
        """Replace the criterion, whose constants belong to the rows of a fit.

        The balancer is replaced, too; None keeps it, with its learnt state.
        """
        self.criterion_ = loss.to(self.device)
        if balancer is not None:
            self.balancer = balancer

    def keep_members(self, counts: np.ndarray) -> None:
        """Drop the members of an ensemble with the count 0; weight the others by it."""
        rows = np.flatnonzero(counts)
        self.module_.keep(counts.tolist())
        keep_rows(self.optimizer_, rows)
        self.members = {**self.members, "weight": counts / counts.sum()}

    def resume(self, *, batch_size: int, lr: float, weight_decay: float) -> None:
        """Set the options that a fit that continues may change.

        The learning rate is reset, whether or not an earlier schedule has changed it.
        """
        self.best_epoch = 0
        self.batch_size = batch_size
        for group in self.optimizer_.param_groups:
            group["lr"] = lr
            if "weight_decay" in group:
                group["weight_decay"] = weight_decay
            # torch's schedulers, which callbacks may use, read the rate here.
            if "initial_lr" in group:
                group["initial_lr"] = lr

    @property
    def n_epochs(self) -> int:
        """The number of epochs begun so far."""
        return len(self.history)

    def _losses(self, logits: Tensor, batch: TensorTable) -> dict[str, Tensor]:
        losses, auxiliary = self.criterion_.parts(logits, *self._run.labels_of(batch))
        n_members = len(losses) if losses.dim() > 1 else 1
        others = [n_members * loss for loss in auxiliary.values()]
        if self.module_.penalty is not None:
            others.append(self.module_.penalty)
            auxiliary["penalty"] = self.module_.penalty / n_members
        mean = losses.detach()
        return {
            "parts": (losses, sum(others) if others else None),
            "auxiliary": {name: loss.detach() for name, loss in auxiliary.items()},
            "y_pred": logits,
            "task_losses": mean if n_members == 1 and mean.dim() == 1 else mean.mean(0),
        }

    def validation_scale(self, rows: TensorTable) -> Tensor:
        """Return the factor of the losses of validation rows, by task.

        The criterion divides by the training set's mean weight; the recorded losses of
        the validation rows are divided by their own mean weight.
        """
        return self.criterion_.mean_weights / rows.mean_weight().double()

    def _notify_batch(self, method: str, batch, training: bool, **step) -> None:
        # Without callbacks no code reads it, and skorch would still record every
        # batch.
        if self.callbacks_:
            self.notify(method, batch=batch, training=training, **step)

    def _notify_losses(self, losses: Tensor) -> None:
        """Show the tasks' losses, not yet differentiated, to callbacks that ask."""
        for _, callback in self.callbacks_:
            if hasattr(callback, "on_losses_computed"):
                callback.on_losses_computed(self, losses=losses)

    def __deepcopy__(self, memo):
        # skorch copies by way of a pickle, which takes ten times as long and holds
        # every weight three times.
        new = object.__new__(type(self))
        memo[id(self)] = new
        new.__dict__.update(copy.deepcopy(_kept(self.__dict__), memo))
        return new

    def snapshot(self) -> _MultiTaskNet:
        """Return a copy with the answers of the net if its training ended now."""
        new = copy.deepcopy(self)
        new.best_epoch, new.stopped_by = new.n_epochs, "epochs"
        new.module_.eval()
        return new

    def __getstate__(self):
        # The constructor's argument is the trained module itself, which would be
        # written twice.
        return _kept({**super().__getstate__(), "module": type(self.module_)})

    def torch_compile(self, module, name):
        """Return the module unchanged: `fit_loop` compiles it in place, if possible."""
        return module


def _kept(attributes: dict) -> dict:
    """Return the state for copies and pickles, also in the middle of a fit.

    Callbacks are left out, since they may not be picklable, and so are the objects of a
    call of `train`, since they hold the rows.
    """
    kept = {name: value for name, value in attributes.items() if name != "_run"}
    return kept | {"callbacks": None, "callbacks_": []}

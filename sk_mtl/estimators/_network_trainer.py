"""How an estimator trains its network: the part that knows nothing of tasks' types."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod

import numpy as np
import torch
from numpy.random import RandomState
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from torch import Tensor, nn

from sk_mtl._versions import VersionedPickle
from sk_mtl.estimators._choices._choice import refuse_names_inside_names
from sk_mtl.estimators._choices._wiring_choice import (
    WiringChoice,
    make_checked_wiring,
)
from sk_mtl.estimators._features._feature_layout import FeatureLayout
from sk_mtl.estimators._features._fit_preprocessor import fit_preprocessor
from sk_mtl.estimators._features._huge_numbers import refuse_numbers_behind
from sk_mtl.estimators._layer_sizes import resolve_batch_norm, resolve_tower_sizes
from sk_mtl.estimators._rows._labelled_rows import LabelledRows
from sk_mtl.estimators._rows._leaks import warn_about_leaks
from sk_mtl.estimators._rows._tensor_table import TensorTable
from sk_mtl.estimators._shared_parameters import SharedParameters
from sk_mtl.estimators._targets._task_weights import resolve_task_weights
from sk_mtl.estimators._training._averaging import WeightAverage
from sk_mtl.estimators._training._control import TrainingControl
from sk_mtl.estimators._training._fit_tasks import FitTasks
from sk_mtl.estimators._training._monitor import Monitor, ValidationRows
from sk_mtl.estimators._training._net import _MultiTaskNet
from sk_mtl.estimators._training._optimizers import optimizer_options
from sk_mtl.estimators._training._precision import DTYPES, autocasts, count_products
from sk_mtl.estimators._training._random import training_state
from sk_mtl.estimators._training._resolved import resolve_batch_size, resolve_device
from sk_mtl.estimators._training._schedules import StepRates, make_schedule, make_share
from sk_mtl.losses import (
    Balancer,
    GradientBalancer,
    TaskLoss,
    check_task_gradients,
    make_balancer,
)
from sk_mtl.nn import EncoderSets, FeatureEncoder, MultiTaskNetwork, NetworkEnsemble
from sk_mtl.preprocessing import FeatureArrays
from sk_mtl.preprocessing._schema._merged_integers import warn_of_merged_integers


def merged_constraints(cls: type) -> dict:
    """Return what a class and its bases require of parameters, by their names."""
    constraints = {}
    for base in reversed(cls.__mro__):
        constraints |= vars(base).get("_parameter_constraints", {})
    return constraints


class NetworkTrainer(SharedParameters, VersionedPickle, BaseEstimator, ABC):
    """Encodes rows, builds the network and trains it.

    A subclass sets ``_targets`` and ``_structure`` before it calls `_train`. What
    stands behind the encoder says a `WiringChoice`.
    """

    _pickled_with = ("torch",)

    def __init_subclass__(cls, **kwargs):
        """Merge what the bases declare of their parameters."""
        super().__init_subclass__(**kwargs)
        changeable = frozenset()
        for base in reversed(cls.__mro__):
            changeable |= vars(base).get("_changeable", frozenset())
        cls._parameter_constraints = merged_constraints(cls)
        cls._changeable = changeable
        # A model also is the choice of its wiring, but is compared as what it is: two
        # of the same parameters may have been fitted on different rows.
        cls.__eq__, cls.__hash__ = object.__eq__, object.__hash__

    def set_params(self, **params):
        """Set parameters, or those of an object inside as ``<parameter>__<name>``.

        Parameters
        ----------
        **params : dict
            Values by the names of parameters.

        Returns
        -------
        self : object
            The estimator.
        """
        refuse_names_inside_names(self, params)
        return super().set_params(**params)

    def _train(
        self,
        train,
        valid,
        monitor,
        *,
        known: bool,
        epochs: int | None,
        tasks: FitTasks | None = None,
    ) -> None:
        """Encode the rows and train, in a random state of its own.

        `epochs` is the most; None trains for one of a number that nobody knows, so that
        no learning rate can fall towards its end. `tasks` hear of each epoch.
        """
        if known:
            self._check_same_network()
        device, dtype = resolve_device(self.device), DTYPES[self.precision]
        if not known:
            self._targets = self._targets.fit_scale(train.codes, train.weight)
            if epochs is not None:
                self._targets = self._targets.mark_untrained(train.codes)
        train, valid = self._weight_rows(train, valid)
        with training_state(self._seed, device):
            arrays = self._encode_training_rows(train, known=known)
            train_table = train.to_table(arrays, self._targets, dtype, device)
            valid_table = valid and valid.to_table(
                self._encode(valid.X), self._targets, dtype, device
            )
            self.net_ = self._next_net(train_table, device, known=known)
            self.net_.set_loss(
                self._make_loss(train_table), self._next_balancer(known=known)
            )
            control = self._make_control(
                monitor, train_table, valid, epochs, known=known
            )
            self.net_.train(
                train_table,
                valid_table,
                control,
                epochs=epochs or 1,
                verbose=int(self.verbose),
                tasks=tasks,
            )
            self.net_.check_answers(train_table, "training")
            if valid_table is not None:
                self.net_.check_answers(valid_table, "validation")
            self._look_back(train_table)

    def _look_back(self, table: TensorTable) -> None:
        """Warn of what the trained network shows on the training rows."""

    def _weight_rows(self, train, valid):
        """Return the training and validation rows with weights of their labels."""
        return train, valid

    def _encode_training_rows(self, train, *, known: bool) -> FeatureArrays:
        """Return encoded rows; fit the preprocessing unless it is known."""
        if known:
            return self._encode(train.X)
        double = DTYPES[self.precision] == torch.float64
        self._input_dtype = np.dtype("float64" if double else "float32")
        preprocessor, schema, arrays = fit_preprocessor(
            self, train.X, train.codes, self._targets.columns, self._input_dtype
        )
        own_tables = self.n_members > 1 and self.member_sharing == "none"
        layout = FeatureLayout.resolve(self, schema, len(train.X), dense=own_tables)
        self.schema_ = layout.describe(self)
        self._layout, self.preprocessor_ = layout, preprocessor
        warn_of_merged_integers(self.schema_, train.X, arrays)
        if self.check_leaks:
            names = self.schema_.categorical_names + self.schema_.numeric_names
            warn_about_leaks(arrays, names, train.codes, self._targets.columns)
        return arrays

    def _encode(self, X) -> FeatureArrays:
        try:
            return self.schema_.transform(
                self.preprocessor_, X, dtype=self._input_dtype
            )
        except (ValueError, OverflowError) as error:
            refuse_numbers_behind(error, X)
            raise

    def _make_network(self, table: TensorTable) -> nn.Module:
        numeric = table.numeric.cpu()
        # A shared encoder is made once: its tables may be most of the network.
        n_encoders = self.n_members if self.member_sharing == "none" else 1
        encoders = [self._make_encoder(numeric) for _ in range(n_encoders)]
        members = [
            self._make_member(encoders[member % n_encoders], len(table))
            for member in range(self.n_members)
        ]
        offsets = self._targets.logit_offsets(self._structure.head_widths)
        for member in members if offsets else ():
            member.offset = torch.tensor(offsets)
        if len(members) == 1:
            return members[0].to(table.numeric.dtype)
        return NetworkEnsemble(
            members, self._structure.combine, sharing=self.member_sharing
        ).to(table.numeric.dtype)

    def _make_encoder(self, numeric: Tensor) -> FeatureEncoder | EncoderSets:
        """Return one encoder, or one for each task where the wiring reads those."""
        sets, widths = (
            self._model().wiring_class.embedding_sets,
            self._structure.head_widths,
        )
        counts = {"shared": [sum(widths)], "per_task": widths}
        counts["both"] = [*counts["shared"], *counts["per_task"]]
        encoders = [
            self._layout.make_encoder(self, numeric, count) for count in counts[sets]
        ]
        if sets == "shared":
            return encoders[0]
        return EncoderSets(encoders, widths, embedding_sets=sets)

    def _make_member(self, encoder: nn.Module, n_rows: int) -> MultiTaskNetwork:
        names, structure = self._targets.task_names, self._structure
        sizes = resolve_tower_sizes(self.tower_hidden_sizes, names)
        # A head that answers no column of y goes by the name of the task it belongs to.
        heads = [names[task] for task in structure.head_tasks]
        model = self._model()
        normalised = resolve_batch_norm(
            self.batch_norm, n_rows, above=model.batch_norm_above
        )
        layers = {
            "activation": self.activation,
            "dropout": self.dropout,
            "batch_norm": normalised,
        }
        wiring = make_checked_wiring(model, encoder.width, heads, **layers)
        towers = model.make_towers(
            wiring.out_width,
            [sizes[task] for task in structure.head_tasks],
            structure.head_widths,
            heads,
            **layers,
        )
        return MultiTaskNetwork(encoder, wiring, towers)

    @abstractmethod
    def _model(self) -> WiringChoice:
        """Return what makes the part of the network behind the encoder."""

    def _next_net(self, table: TensorTable, device, *, known: bool) -> _MultiTaskNet:
        """Return a new net, or a copy of the trained one that goes on from it."""
        if not known:
            self._network_parameters = self._read_network_parameters()
            return self._make_net(table, device).listen_with(self.callbacks)
        net = self.net_.on_device(device)
        net = copy.deepcopy(net) if net is self.net_ else net
        net.go_on(
            batch_size=resolve_batch_size(self.batch_size, len(table)),
            lr=self.lr,
            weight_decay=self.weight_decay,
        )
        return net.listen_with(self.callbacks, known=self.net_.callbacks_)

    def _make_net(self, table: TensorTable, device) -> _MultiTaskNet:
        network = self._make_network(table)
        net = _MultiTaskNet(
            module=network,
            criterion=nn.Identity,
            lr=self.lr,
            max_epochs=self.max_epochs,
            batch_size=resolve_batch_size(self.batch_size, len(table)),
            train_split=None,
            predict_nonlinearity=None,
            device=device.type if device.index is None else str(device),
            compile=self.compile,
            verbose=int(self.verbose),
            **optimizer_options(
                self.optimizer,
                weight_decay=self.weight_decay,
                sparse_names=network.sparse_parameter_names(),
            ),
        )
        net.task_names = self._targets.task_names
        n_products = count_products(network, net.batch_size)
        net.autocast = autocasts(self.precision, device, n_products)
        return net.initialize()

    def _make_loss(self, table) -> TaskLoss:
        mean_weight = self._mean_weight(table)
        # A task without a label in these rows adds no loss; any divisor will do.
        mean_weight = torch.where(mean_weight > 0, mean_weight, 1.0)
        return TaskLoss(self._structure, mean_weight, torch.ones_like(mean_weight))

    def _next_balancer(self, *, known: bool) -> Balancer | None:
        """Return what joins the tasks' losses; None where it stays that of before."""
        wanted = repr((self.task_weights, self.balancing))
        if known and wanted == self._balance:
            return None
        self._balance = wanted
        names, weights = self._targets.task_names, self.task_weights
        if weights is not None:
            weights = resolve_task_weights(weights, names)
            weights = weights.to(DTYPES[self.precision])
        balancer = make_balancer(
            self.balancing,
            len(names),
            weights,
            may_be_negative=self._structure.may_be_negative,
        )
        if isinstance(balancer, GradientBalancer):
            check_task_gradients(
                self.net_.module_, "Balancing by gradients", compiled=self.compile
            )
        return balancer

    def _mean_weight(self, table) -> Tensor:
        """Return each task's mean weight over the rows of this fit.

        Calls of `partial_fit` count as one fit. With a divisor of each call's own, a
        chunk with few labels of a task would weigh them more than a chunk with many.
        """
        weight, n_rows = table.mean_weight(), len(table)
        if self._seen is not None:
            n_before, before = self._seen
            share = n_rows / (n_before + n_rows)
            weight = before.to(weight) * (1 - share) + weight * share
            n_rows += n_before
        self._seen = n_rows, weight.cpu()
        return weight

    def _read_network_parameters(self) -> dict[str, str]:
        """Return, as text, the parameters that a fit which goes on cannot change."""
        parameters = self.get_params(deep=False)
        return {k: repr(v) for k, v in parameters.items() if k not in self._changeable}

    def _check_same_network(self) -> None:
        now = self._read_network_parameters()
        changed = [k for k, v in self._network_parameters.items() if now[k] != v]
        if changed:
            found = ", ".join(f"{k}={now[k]}" for k in changed)
            before = ", ".join(f"{k}={self._network_parameters[k]}" for k in changed)
            raise ValueError(
                "A fit that goes on (warm_start, partial_fit) must keep the network of "
                f"the first one, with {before}; found {found}. Set the parameters "
                "back, or fit a clone."
            )

    def _make_control(
        self,
        monitor: Monitor | None,
        train_table: TensorTable,
        valid: LabelledRows | None,
        epochs: int | None,
        *,
        known: bool,
    ) -> TrainingControl:
        stop = monitor is not None and valid is not None and self.early_stopping
        if stop:
            rows = ValidationRows(
                self._targets, self._structure, valid.codes, valid.weight
            )
            monitor = monitor.watching(rows)
        schedule = make_schedule(
            self.lr_schedule,
            self.net_.optimizer_,
            maximise=bool(stop and monitor.greater_is_better),
        )
        return TrainingControl(
            monitor=monitor if stop else None,
            patience=self.n_iter_no_change if stop else None,
            tol=self.tol,
            schedule=schedule,
            rows=self.net_.module_.sparse_rows(
                train_table.codes, train_table.sequences
            ),
            average=self._make_average(),
            rates=self._make_rates(train_table, epochs, known=known),
        )

    def _make_average(self) -> WeightAverage | None:
        if self.weight_averaging is None:
            return None
        module = self.net_.module_
        sparse = module.sparse_parameter_names()
        return WeightAverage(module, self.weight_averaging, sparse)

    def _make_rates(
        self, table: TensorTable, epochs: int | None, *, known: bool
    ) -> StepRates | None:
        steps = self.net_.steps_per_epoch(table)
        share = make_share(
            self.lr_schedule if epochs else None,
            n_steps=steps * (epochs or 1),
            # A network that goes on has its moments already.
            n_warmup=0 if known else round(self.warmup * steps),
        )
        return share and StepRates(self.net_.optimizer_, share)

    def _draw_seed(self, known: bool) -> int:
        """Draw the seed of a fit; keep a generator for the fits that go on from it."""
        if known:
            # A copy, so that a fit that fails leaves the former generator as it was.
            self._random_state = copy.deepcopy(self._random_state)
        else:
            # Fresh entropy for None: scikit-learn's own answer is NumPy's global
            # generator, which is the caller's.
            source = self.random_state
            source = RandomState() if source is None else check_random_state(source)
            self._random_state = RandomState(source.randint(2**31 - 1))
        self._seed = int(self._random_state.randint(2**31 - 1))
        return self._seed

"""What every multi-task classifier does: fit, predict and the scikit-learn contract."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import joblib
import numpy as np
import torch
from numpy.random import RandomState
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.utils import check_random_state
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted
from torch import Tensor, nn

from sk_mtl._sklearn_compat import _fit_context
from sk_mtl.estimators._architecture import (
    DTYPES,
    make_structure,
    resolve_batch_size,
    resolve_device,
    resolve_embedding_dims,
    resolve_task_weights,
    resolve_tower_sizes,
)
from sk_mtl.estimators._control import TrainingControl
from sk_mtl.estimators._inputs import check_same_length, check_weights, check_X
from sk_mtl.estimators._monitor import Monitor, ValidationRows, resolve_monitor
from sk_mtl.estimators._net import _MultiTaskNet
from sk_mtl.estimators._optimizers import make_schedule, optimizer_options
from sk_mtl.estimators._parameters import SharedParameters
from sk_mtl.estimators._random import isolated_random_state
from sk_mtl.estimators._splitting import validation_rows
from sk_mtl.estimators._tables import (
    LabelledRows,
    check_funnel,
    check_leaks,
    weight_classes,
)
from sk_mtl.estimators._targets import (
    ClassTargets,
    check_class_counts,
    learn_targets,
)
from sk_mtl.losses import FunnelStructure, TaskLoss
from sk_mtl.nn import FeatureEncoder, MultiTaskNetwork, Towers
from sk_mtl.preprocessing import (
    FeatureArrays,
    FeatureSchema,
    make_tabular_preprocessor,
)

# Rows that are encoded and predicted at a time: the memory that a prediction needs
# beside its answer does not grow with the number of rows.
_PREDICTION_CHUNK = 65_536

# With fewer rows the validation part is too small to tell one epoch from another.
_EARLY_STOPPING_ROWS = 1_000


def _is_funnel(estimator: MultiTaskClassifier) -> bool:
    if estimator.structure != "funnel":
        raise AttributeError(
            "predict_conditional_proba needs structure='funnel', whose steps build on "
            f"each other; found structure={estimator.structure!r}."
        )
    return True


@dataclass(kw_only=True, eq=False, repr=False)
class MultiTaskClassifier(SharedParameters, ClassifierMixin, BaseEstimator, ABC):
    """Base of the multi-task classifiers: one network, one probability per task.

    Attributes
    ----------
    classes_ : list of ndarray, or ndarray
        The sorted classes of each task; a single array where `y` was 1-d.

    task_names_ : list of str
        The name of each column of `y`.

    preprocessor_ : transformer
        The preprocessor, fitted on the training part.

    schema_ : FeatureSchema
        Which encoded columns are categories and which are numbers.

    net_ : skorch.NeuralNet
        The trained network is ``net_.module_``.

    history_ : DataFrame
        One row per epoch: ``epoch``, ``seconds``, ``train_loss``, ``valid_loss`` (means
        over tasks), then each of them per task, and the monitored metric. Losses
        include sample and class weights and no task weights.

    n_iter_ : int
        Epochs trained.

    best_epoch_ : int
        The epoch whose weights were kept; the last one without validation rows.

    n_features_in_ : int
        Columns of `X`.

    feature_names_in_ : ndarray of str
        Names of the columns of `X`, where it has names.
    """

    def __init_subclass__(cls, **kwargs):
        """Merge the parameter constraints of the bases."""
        super().__init_subclass__(**kwargs)
        constraints = {}
        for base in reversed(cls.__mro__):
            constraints |= vars(base).get("_parameter_constraints", {})
        cls._parameter_constraints = constraints

    @abstractmethod
    def _make_wiring(self, in_width: int, n_tasks: int) -> nn.Module:
        """Return the part of the network between encoder and towers."""

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(
        self,
        X,
        y,
        sample_weight=None,
        X_val=None,
        y_val=None,
        sample_weight_val=None,
        groups=None,
    ):
        """Train on a table with one column of labels per task.

        Parameters
        ----------
        X : {DataFrame, array-like} of shape (n_samples, n_features)
            Raw columns: numbers, text, categories. NaN is allowed.

        y : {DataFrame, array-like} of shape (n_samples,) or (n_samples, n_tasks)
            One column per task; labels of any type. NaN, None and `missing_label` mean
            that the row has no label for that task.

        sample_weight : array-like of shape (n_samples,) or (n_samples, n_tasks), \
                default=None
            Weights of rows, or of rows per task. None counts every row once.

        X_val, y_val : like X and y, default=None
            Validation rows for early stopping, instead of a part of `X`.

        sample_weight_val : like sample_weight, default=None
            Weights of the validation rows.

        groups : array-like of shape (n_samples,), default=None
            Rows of one group, for instance of one user, are kept together where a part
            of `X` is split off for validation.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If X, y or the weights do not fit each other or a parameter names an unknown
            task. An estimator that was fitted before is then left as it was.
        """
        with self._unchanged_on_failure():
            known = self.warm_start and hasattr(self, "net_")
            rows = self._check_rows(X, y, sample_weight, known=known)
            monitor = resolve_monitor(self.monitor, self._targets)
            train, valid = self._split(
                rows, X_val, y_val, sample_weight_val, groups, self._draw_seed(known)
            )
            self._seen = None
            self._train(train, valid, monitor, known=known, epochs=self.max_epochs)
        return self

    @_fit_context(prefer_skip_nested_validation=False)
    def partial_fit(self, X, y, classes=None, sample_weight=None):
        """Train for one more pass over the given rows.

        The first call fits the preprocessing, which stays as it is from then on:
        categories that come up later are unknown. Give a first batch that is large
        enough to show the categories.

        Parameters
        ----------
        X : {DataFrame, array-like} of shape (n_samples, n_features)

        y : {DataFrame, array-like} of shape (n_samples,) or (n_samples, n_tasks)

        classes : array-like, or list of array-like, default=None
            All classes of a 1-d `y`, or a list with those of each task, at the first
            call. None takes the classes of the first `y`.

        sample_weight : array-like of shape (n_samples,) or (n_samples, n_tasks), \
                default=None

        Returns
        -------
        self : object
            The estimator, trained further.
        """
        with self._unchanged_on_failure():
            known = hasattr(self, "net_")
            self._refuse_balanced()
            rows = self._check_rows(X, y, sample_weight, known=known, classes=classes)
            self._draw_seed(known)
            self._seen = self._seen if known else None
            self._train(rows, None, None, known=known, epochs=1)
        return self

    def predict(self, X):
        """Return the likeliest class of each task.

        Parameters
        ----------
        X : {DataFrame, array-like} of shape (n_samples, n_features)

        Returns
        -------
        labels : ndarray of shape (n_samples,) or (n_samples, n_tasks)
            In the labels' own type.
        """
        return self._fitted_targets().decode(self._predict_indices(X))

    def predict_proba(self, X):
        """Return the probability of every class of every task.

        Parameters
        ----------
        X : {DataFrame, array-like} of shape (n_samples, n_features)

        Returns
        -------
        proba : list of ndarray of shape (n_samples, n_classes)
            One array per column of y, its columns in the order of ``classes_``; a
            single array where y was 1-d.
        """
        check_is_fitted(self)
        log_proba = self._structure.log_proba
        return self._answer(self._map_logits(X, lambda z: _exp(log_proba(z))))

    def predict_log_proba(self, X):
        """Return the logarithm of the probabilities, computed without the detour.

        Parameters
        ----------
        X : {DataFrame, array-like} of shape (n_samples, n_features)

        Returns
        -------
        log_proba : list of ndarray of shape (n_samples, n_classes)
            As from `predict_proba`.
        """
        return self._answer(self._predict_log_proba(X))

    @available_if(_is_funnel)
    def predict_conditional_proba(self, X):
        """Return the probability of each step, given that the one before was reached.

        With click and conversion these are the click-through rate (CTR) and the
        conversion rate (CVR) of every row, clicked or not.

        Parameters
        ----------
        X : {DataFrame, array-like} of shape (n_samples, n_features)

        Returns
        -------
        proba : list of ndarray of shape (n_samples, 2)
            One array per step, as from `predict_proba`.
        """
        check_is_fitted(self)
        function = self._structure.conditional_log_proba
        return self._answer(self._map_logits(X, lambda z: _exp(function(z))))

    def score(self, X, y, sample_weight=None):
        """Return the mean over tasks of the accuracy on labelled rows.

        Parameters
        ----------
        X : {DataFrame, array-like} of shape (n_samples, n_features)

        y : {DataFrame, array-like} of shape (n_samples,) or (n_samples, n_tasks)
            Missing labels are left out; a task without any label does not count.

        sample_weight : array-like of shape (n_samples,) or (n_samples, n_tasks), \
                default=None

        Returns
        -------
        score : float
        """
        predicted = self._predict_indices(X)
        codes = self._fitted_targets().encode(y, strict=False)
        if len(codes) != len(predicted):
            raise ValueError(
                f"X and y must have the same number of samples; found {len(predicted)} "
                f"and {len(codes)}. Give one row of each per sample."
            )
        weight = check_weights(sample_weight, *codes.shape)
        weight = np.ones(codes.shape) if weight is None else weight
        weight = np.where(np.isnan(codes), 0.0, weight)
        total = weight.sum(axis=0)
        if not total.any():
            raise ValueError(
                "y must hold labels to score against; found only missing ones. Give "
                "rows with labels."
            )
        right = (weight * (predicted == codes)).sum(axis=0)
        return float(np.mean(right[total > 0] / total[total > 0]))

    def __sklearn_tags__(self):
        """Return what scikit-learn should know about the estimator."""
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.target_tags.multi_output = True
        tags.classifier_tags.multi_class = self.structure != "funnel"
        tags.input_tags.allow_nan = True
        tags.input_tags.categorical = True
        return tags

    def __dask_tokenize__(self):
        """Return a key that changes with the fitted state, not with parameters only.

        Dask reads a dataclass by its fields, and would hand out the answers of an
        earlier fit after a new one.
        """
        fitted = None
        if hasattr(self, "net_"):
            weights = self.net_.module_.state_dict()
            fitted = self.n_iter_, {k: v.cpu().numpy() for k, v in weights.items()}
        key = joblib.hash((self.get_params(deep=False), fitted))
        return type(self).__qualname__, key

    def _check_rows(self, X, y, weight, *, known: bool, classes=None) -> LabelledRows:
        """Return checked rows; learn features and targets unless they are known."""
        X = check_X(self, X, reset=not known)
        learn = partial(
            learn_targets, task_names=self.task_names, missing_label=self.missing_label
        )
        if not known:
            self._targets = learn(y, classes=classes)
        elif classes is not None:
            self._check_same_classes(learn(y, classes=classes))
        rows = LabelledRows.check(X, y, weight, self._targets)
        if classes is None and not known:
            check_class_counts(self._targets, rows.codes, rows.weight)
        self._structure = make_structure(self.structure, self._targets)
        if isinstance(self._structure, FunnelStructure):
            check_funnel(rows.codes, self._targets)
        return rows

    def _split(self, rows, X_val, y_val, weight_val, groups, seed: int):
        """Return the training rows, and the validation rows or None."""
        if (X_val is None) != (y_val is None):
            given, lacking = ("X_val", "y_val") if y_val is None else ("y_val", "X_val")
            raise ValueError(
                f"X_val and y_val must be given together; found {given} without "
                f"{lacking}. Give both, or neither."
            )
        if X_val is None and weight_val is not None:
            raise ValueError(
                "sample_weight_val must come with the rows that it weights; found it "
                "without X_val and y_val. Give all three, or drop it."
            )
        check_same_length(X=rows.X, groups=groups)
        if X_val is not None:
            X_val = check_X(self, X_val, reset=False)
            valid = LabelledRows.check(X_val, y_val, weight_val, self._targets, "_val")
            _check_labelled(valid, "y_val")
            return rows, valid
        stop = self.early_stopping
        if stop == "auto":
            stop = len(rows) > _EARLY_STOPPING_ROWS
        if not stop:
            return rows, None
        # A splitter without a random_state of its own draws from NumPy's generator.
        with isolated_random_state(seed, torch.device("cpu")):
            train, valid = validation_rows(
                self.validation_split,
                rows.codes,
                rows.X,
                fraction=self.validation_fraction,
                groups=groups,
                seed=seed,
            )
        _check_labelled(rows.take(valid), "The validation part of y")
        return rows.take(train), rows.take(valid)

    def _train(self, train, valid, monitor, *, known: bool, epochs: int) -> None:
        """Encode the rows and train, in a random state of its own."""
        device, dtype = resolve_device(self.device), DTYPES[self.precision]
        train, valid = weight_classes(self.class_weight, self._targets, train, valid)
        with isolated_random_state(self._seed, device):
            arrays = self._encode_training_rows(train, known=known)
            train_table = train.to_table(arrays, dtype, device)
            valid_table = None
            if valid is not None:
                arrays = self._encode(valid.X)
                valid_table = valid.to_table(arrays, dtype, device)
            if known:
                self._check_same_network()
                self.net_ = copy.deepcopy(self.net_)
                self.net_.go_on(
                    batch_size=resolve_batch_size(self.batch_size, len(train_table)),
                    lr=self.lr,
                    weight_decay=self.weight_decay,
                )
            else:
                self.net_ = self._make_net(len(train_table), dtype, device)
                self._network_parameters = self._read_network_parameters()
            self.net_.set_loss(self._make_loss(train_table))
            control = self._make_control(monitor, valid, epochs)
            self.net_.train(
                train_table,
                valid_table,
                control,
                epochs=epochs,
                verbose=int(self.verbose),
            )
        self.classes_ = self._answer(self._targets.classes)
        self.task_names_ = list(self._targets.task_names)
        self.history_ = self.net_.history_frame()
        self.n_iter_ = len(self.history_)
        self.best_epoch_ = control.best_epoch

    def _encode_training_rows(self, train, *, known: bool) -> FeatureArrays:
        """Return encoded rows; fit the preprocessing unless it is known."""
        if known:
            return self._encode(train.X)
        if self.preprocessor is None:
            preprocessor = make_tabular_preprocessor(
                train.X, categorical_features=self.categorical_features
            )
        elif self.categorical_features is None:
            preprocessor = clone(self.preprocessor)
        else:
            raise ValueError(
                "categorical_features must be None where a preprocessor is given, "
                f"which decides itself; found {self.categorical_features!r}. Drop one "
                "of the two."
            )
        encoded = preprocessor.fit_transform(train.X)
        schema = FeatureSchema.from_preprocessor(preprocessor, encoded)
        dims = resolve_embedding_dims(self.embedding_dim, schema)
        self.preprocessor_, self.schema_ = (
            preprocessor,
            schema.with_embedding_dims(dims),
        )
        self._input_dtype = np.dtype(self.precision)
        arrays = self.schema_.split(encoded, dtype=self._input_dtype)
        names = schema.categorical_names + schema.numeric_names
        check_leaks(arrays, names, train.codes, self._targets.task_names)
        return arrays

    def _encode(self, X) -> FeatureArrays:
        return self.schema_.transform(self.preprocessor_, X, dtype=self._input_dtype)

    def _make_network(self, dtype: torch.dtype) -> MultiTaskNetwork:
        schema, names = self.schema_, self._targets.task_names
        encoder = FeatureEncoder(
            schema.cardinalities,
            schema.n_numeric,
            embedding_dims=schema.embedding_dims,
            embedding_dropout=self.embedding_dropout,
            unknown_rate=self.unknown_rate,
        )
        wiring = self._make_wiring(encoder.width, len(names))
        towers = Towers(
            wiring.out_width,
            resolve_tower_sizes(self.tower_hidden_sizes, names),
            self._structure.head_widths,
            activation=self.activation,
            dropout=self.dropout,
            batch_norm=self.batch_norm,
        )
        return MultiTaskNetwork(encoder, wiring, towers).to(dtype)

    def _make_net(self, n_samples: int, dtype, device) -> _MultiTaskNet:
        callbacks = None
        if self.callbacks:
            callbacks = [clone(callback, safe=False) for callback in self.callbacks]
        net = _MultiTaskNet(
            module=self._make_network(dtype),
            criterion=nn.Identity,
            lr=self.lr,
            max_epochs=self.max_epochs,
            batch_size=resolve_batch_size(self.batch_size, n_samples),
            train_split=None,
            predict_nonlinearity=None,
            callbacks=callbacks,
            device=device.type if device.index is None else str(device),
            compile=self.compile,
            verbose=int(self.verbose),
            **optimizer_options(self.optimizer, weight_decay=self.weight_decay),
        )
        net.task_names = self._targets.task_names
        return net.initialize()

    def _make_loss(self, table) -> TaskLoss:
        mean_weight = self._mean_weight(table)
        # A task without a label in these rows adds no loss; any divisor will do.
        mean_weight = torch.where(mean_weight > 0, mean_weight, 1.0)
        weights = resolve_task_weights(self.task_weights, self._targets.task_names)
        return TaskLoss(self._structure, mean_weight, weights.to(mean_weight))

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
        self, monitor: Monitor | None, valid: LabelledRows | None, epochs: int
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
            max_epochs=epochs,
            maximise=bool(stop and monitor.greater_is_better),
        )
        return TrainingControl(
            monitor=monitor if stop else None,
            patience=self.n_iter_no_change if stop else None,
            tol=self.tol,
            schedule=schedule,
        )

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

    def _predict_log_proba(self, X) -> list[np.ndarray]:
        check_is_fitted(self)
        return self._map_logits(X, self._structure.log_proba)

    def _map_logits(self, X, function: Callable[[Tensor], list[Tensor]]):
        """Return arrays computed from the logits.

        In double precision, then rounded: a vectorised single-precision exponential
        differs in its last digit with the place of a row in the batch.
        """

        def from_arrays(arrays: FeatureArrays) -> list[np.ndarray]:
            logits = self.net_.logits(arrays.codes, arrays.numeric)
            results = function(logits.double())
            return [tensor.to(logits.dtype).numpy() for tensor in results]

        return self._map_chunks(X, from_arrays)

    def _map_network(self, X, function: Callable[..., Tensor]) -> np.ndarray:
        """Return what a function makes of the network and its inputs."""

        def from_arrays(arrays: FeatureArrays) -> list[np.ndarray]:
            return [self.net_.evaluate(function, *arrays).numpy()]

        return self._map_chunks(X, from_arrays)[0]

    def _map_chunks(self, X, function: Callable[[FeatureArrays], list[np.ndarray]]):
        """Return arrays computed from the encoded rows, chunk by chunk."""
        X = check_X(self, X, reset=False)
        parts = []
        for start in range(0, len(X), _PREDICTION_CHUNK):
            rows = slice(start, start + _PREDICTION_CHUNK)
            chunk = X.iloc[rows] if hasattr(X, "iloc") else X[rows]
            parts.append(function(self._encode(chunk)))
        if len(parts) == 1:
            return parts[0]
        return [np.concatenate(arrays) for arrays in zip(*parts, strict=True)]

    def _predict_indices(self, X) -> np.ndarray:
        log_proba = self._predict_log_proba(X)
        return np.stack([p.argmax(axis=1) for p in log_proba], axis=1)

    def _fitted_targets(self) -> ClassTargets:
        check_is_fitted(self)
        return self._targets

    def _answer(self, arrays):
        """Return a list with one array per task, or the only one of a 1-d y."""
        arrays = list(arrays)
        return arrays[0] if self._targets.one_dimensional else arrays

    def _check_same_classes(self, given: ClassTargets) -> None:
        for name, old, new in zip(
            self._targets.task_names, self._targets.classes, given.classes, strict=True
        ):
            if not np.array_equal(old, new):
                raise ValueError(
                    f"classes of task {name!r} must be those of the first call, "
                    f"{old.tolist()}; found {new.tolist()}. Give the same classes, or "
                    "None."
                )

    def _refuse_balanced(self) -> None:
        given = self.class_weight
        if isinstance(given, Mapping):
            given = given.values()
        elif not isinstance(given, list | tuple):
            given = [given]
        if "balanced" in list(given):
            raise ValueError(
                "class_weight must hold numbers for partial_fit, which sees a part of "
                f"the rows; found {self.class_weight!r}. Compute the weights on all "
                "rows with sklearn.utils.compute_class_weight and give them as a dict."
            )

    @contextmanager
    def _unchanged_on_failure(self):
        """Give the estimator its former state back if the block raises."""
        before = self.__dict__.copy()
        try:
            yield
        except BaseException:
            self.__dict__.clear()
            self.__dict__.update(before)
            raise


def _exp(tensors: list[Tensor]) -> list[Tensor]:
    return [tensor.exp() for tensor in tensors]


def _check_labelled(rows: LabelledRows, what: str) -> None:
    weight = ~np.isnan(rows.codes)
    if rows.weight is not None:
        weight = weight * rows.weight
    if not weight.any():
        raise ValueError(
            f"{what} must hold labels with positive weight, to decide when to stop; "
            "found none. Give labelled validation rows, or set early_stopping=False."
        )

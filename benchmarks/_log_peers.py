"""torch-rechub's and DeepCTR-Torch's MMoE on a log of users and items.

Both get the codes and numbers of `make_tabular_preprocessor`, and the history as codes
whose vectors are averaged. A setting is trained to the epoch with the least loss on the
validation rows; `SETTINGS` holds those that `tune` chooses from by these rows.
"""

import contextlib
import copy
import io
from collections.abc import Callable, Mapping
from itertools import product

import numpy as np
import pandas as pd
from _peer_models import DeepCTR, EncodedRows, Rechub, Setting
from sklearn.metrics import log_loss

from sk_mtl.preprocessing import FeatureSchema, make_tabular_preprocessor

MOST_EPOCHS, PATIENCE = 15, 2


SETTINGS = [Setting(*each) for each in product((1e-3, 4e-3), (8, 16), (1e-5, 1e-4))]


def encode_log(X: pd.DataFrame, y: pd.DataFrame, n_train: int) -> EncodedRows:
    """Return all rows, encoded by the first `n_train` of them."""
    preprocessor = make_tabular_preprocessor(X[:n_train])
    schema = FeatureSchema.from_preprocessor(
        preprocessor, preprocessor.fit_transform(X[:n_train])
    )
    arrays = schema.transform(preprocessor, X)
    sequences = {
        name: codes + 1
        for name, codes in zip(schema.sequence_names, arrays.sequences, strict=True)
    }
    columns = {
        **dict(zip(schema.categorical_names, arrays.codes.T, strict=True)),
        **dict(zip(schema.numeric_names, arrays.numeric.T, strict=True)),
        **sequences,
    }
    # Sizes of sequences come behind those of columns; these are counted with padding.
    sizes = schema.cardinalities[: schema.n_categorical]
    return EncodedRows(
        dict(zip(schema.categorical_names, sizes, strict=True)),
        list(schema.numeric_names),
        {name: (int(c.max()) + 1, c.shape[1]) for name, c in sequences.items()},
        {name: np.ascontiguousarray(column) for name, column in columns.items()},
        y.to_numpy(np.float32),
    )


PEERS = {
    f"{name} MMoE, tuned": peer
    for name, peer in (("torch-rechub", Rechub), ("DeepCTR-Torch", DeepCTR))
}


def fit_to_best(
    make: Callable, log: EncodedRows, valid: EncodedRows, setting: Setting, seed: int
) -> tuple[object, float]:
    """Return the model of the epoch with the least validation loss, and that loss."""
    quiet = io.StringIO()
    with contextlib.redirect_stdout(quiet), contextlib.redirect_stderr(quiet):
        peer = make(log, setting, seed)
        best, weights, best_epoch = np.inf, None, 0
        for epoch in range(MOST_EPOCHS):
            peer.train_epoch()
            loss = mean_log_loss(valid.y, peer.predict(valid))
            if loss < best:
                best, best_epoch = loss, epoch
                weights = copy.deepcopy(peer.model.state_dict())
            elif epoch - best_epoch >= PATIENCE:
                break
        peer.model.load_state_dict(weights)
    return peer, best


def mean_log_loss(y: np.ndarray, proba: np.ndarray) -> float:
    proba = proba.astype(float)
    return float(np.mean([log_loss(y[:, k], proba[:, k]) for k in range(y.shape[1])]))


def tune(
    make: Callable, log: EncodedRows, valid: EncodedRows
) -> tuple[Setting, Mapping[Setting, float]]:
    """Return the setting with the least validation loss, and the losses of all."""
    losses = {s: fit_to_best(make, log, valid, s, seed=0)[1] for s in SETTINGS}
    return min(losses, key=losses.get), losses

"""Small fits with callbacks and their validation loss."""

import numpy as np
from sklearn.metrics import log_loss

from sk_mtl import MMOEClassifier
from tests.estimators.common import QUICK


def make(*callbacks, **options):
    # A rate that falls towards `max_epochs` would tell a shorter training from a part.
    settings = {**QUICK, "lr_schedule": None, "early_stopping": False, **options}
    return MMOEClassifier(callbacks=list(callbacks), **settings)


def fit(tables, *callbacks, **options):
    return make(*callbacks, **options).fit(**tables)


def validation_loss(model, tables):
    """The mean over tasks of the log-loss, computed anew."""
    proba = model.predict_proba(tables["X_val"])
    columns = tables["y_val"].to_numpy().T
    return np.mean([log_loss(y, p[:, 1]) for y, p in zip(columns, proba, strict=True)])

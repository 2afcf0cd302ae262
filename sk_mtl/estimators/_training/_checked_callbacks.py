"""Callbacks that `fit` accepts."""

from collections.abc import Collection

from skorch.callbacks import GradientNormClipping
from skorch.callbacks.scoring import ScoringBase


def check_callback(callback):
    """Return a callback, or a pair with its name; raise for unusable callbacks."""
    bare = callback[-1] if isinstance(callback, tuple | list) else callback
    if not hasattr(bare, "on_epoch_end"):
        raise ValueError(
            "callbacks must hold skorch callbacks, or pairs of a name and one; "
            f"found {callback!r}. Derive it from skorch.callbacks.Callback."
        )
    cls = bare if isinstance(bare, type) else type(bare)
    if issubclass(cls, ScoringBase):
        raise ValueError(
            "callbacks must not ask the net for predictions, whose rows are encoded "
            f"already; found {cls.__name__}. Set monitor to a metric, such as "
            "monitor='roc_auc', which is recorded in history_ for each epoch, or "
            "record a value in the on_epoch_end of a callback of your own, by "
            "net.history.record(name, value)."
        )
    return callback


def refuse_clipping(callbacks, sparse_names: Collection[str]) -> None:
    """Raise if a callback clips gradients and some of the gradients are sparse.

    `callbacks` are pairs of a name and a callback; `sparse_names` are the names of the
    parameters with sparse gradients.
    """
    clips = (isinstance(each, GradientNormClipping) for _, each in callbacks)
    if any(clips) and sparse_names:
        raise ValueError(
            "callbacks must not clip the norm of gradients where tables have "
            "sparse ones, which have no norm in torch; found GradientNormClipping. "
            "Set sparse_embedding=False, or leave the callback out."
        )

"""Callbacks that `fit` accepts."""

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

"""A callback that records whether the tasks' gradients agree."""

from __future__ import annotations

from skorch.callbacks import Callback

from sk_mtl.losses import GradientConflict, check_task_gradients


class GradientConflictRecorder(Callback):
    """Record the cosines between the tasks' gradients, epoch by epoch.

    They are taken of the training batches' losses, on the parameters that two or more
    tasks reach. A cosine near 1 means that the tasks ask for the same change,
    near 0 that they do not interfere, and below 0 that a step that helps one harms the
    other. `history_` gets a column ``gradient_cosine_<a>_<b>`` for each pair of tasks,
    the mean over some steps of each epoch. The fit itself stays as it is, but with
    ``n_members="auto"`` it is of one network.

    Parameters
    ----------
    n_steps : int, default=8
        Steps of an epoch, about, at which the gradients are taken. Each costs a
        backward pass per task. More give steadier means.

    See Also
    --------
    gradient_conflict : The cosines of a fitted estimator on given rows.

    Examples
    --------
    >>> from sk_mtl import MMOEClassifier
    >>> from sk_mtl.datasets import load_adult
    >>> from sk_mtl.inspection import GradientConflictRecorder
    >>> X, y = load_adult(return_X_y=True)
    >>> recorder = GradientConflictRecorder()
    >>> model = MMOEClassifier(callbacks=[recorder], max_epochs=2, random_state=0)
    >>> history = model.fit(X[:1000], y[:1000]).history_
    >>> bool(history["gradient_cosine_income_married"].between(-1, 1).all())
    True
    """

    def __init__(self, n_steps=8):
        self.n_steps = n_steps

    def on_train_begin(self, net, X=None, y=None, **kwargs):
        """Begin to record; raise where there are no gradients by task."""
        check_task_gradients(
            net.module_, "GradientConflictRecorder", compiled=net.compile
        )
        every = max(1, net.steps_per_epoch(X) // self.n_steps)
        self.conflict_ = GradientConflict(every=every)

    def on_losses_computed(self, net, losses, **kwargs):
        """Take the gradients of a batch's losses."""
        trained = [each for each in net.module_.parameters() if each.requires_grad]
        self.conflict_.observe(losses, trained)

    def on_epoch_end(self, net, **kwargs):
        """Record the mean cosine of each pair of tasks."""
        for (a, b), cosine in self.conflict_.end_epoch().items():
            pair = f"{net.task_names[a]}_{net.task_names[b]}"
            net.history.record(f"gradient_cosine_{pair}", cosine)

    def on_train_end(self, net, **kwargs):
        """Forget the gradients' state, which belongs to one training."""
        del self.conflict_

"""The base of the displays of one curve per binary task."""

from sk_mtl.inspection._plots._binary_tasks import binary_rows, rows_of_estimator
from sk_mtl.inspection._plots._display import Display, stack_tables
from sk_mtl.inspection._plots._style import add_note
from sk_mtl.inspection._plots._task_lines import plot_task_lines
from sk_mtl.metrics._read_tasks import read_tasks


class TaskCurves(Display):
    """Base of the displays of one curve per binary task.

    Parameters
    ----------
    table : DataFrame
        What `frame` returns.
    left_out : dict, default=None
        By the name of a task that has no curve, the reason.
    """

    def __init__(self, table, left_out=None):
        super().__init__(table)
        self.left_out = dict(left_out or {})

    @classmethod
    def from_estimator(
        cls, estimator, X, y, *, sample_weight=None, pos_label=None, ax=None, **options
    ):
        """Draw the tasks of a fitted estimator.

        Parameters
        ----------
        estimator : estimator
            Fitted; a multi-task model, a pipeline or search of one, or any classifier
            of several outputs.
        X : {DataFrame, array-like} of shape (n_samples, n_features)
        y : {DataFrame, array-like} of shape (n_samples,) or (n_samples, n_tasks)
            Missing labels are left out.
        sample_weight : array-like of shape (n_samples,) or (n_samples, n_tasks), \
                default=None
        pos_label : label or dict of task to label, default=None
            The positive one of two classes. None takes the estimator's own, else the
            class that sorts last.
        ax : Axes, default=None
            The axes to draw in; None makes a figure.
        **options
            Keywords of scikit-learn's function of the curve.

        Returns
        -------
        display : object
        """
        names, rows = rows_of_estimator(estimator, X, y, sample_weight, pos_label)
        return cls._of_rows(names, rows, options).plot(ax=ax)

    @classmethod
    def from_predictions(
        cls,
        y_true,
        y_proba,
        *,
        sample_weight=None,
        names=None,
        missing_label=None,
        pos_label=None,
        ax=None,
        **options,
    ):
        """Draw predicted probabilities.

        Parameters
        ----------
        y_true : {DataFrame, array-like} of shape (n_samples,) or (n_samples, n_tasks)
            Missing labels are left out.
        y_proba : list of ndarray, or ndarray
            What `predict_proba` returns, or the probability of the positive class, one
            column per task.
        sample_weight : array-like of shape (n_samples,) or (n_samples, n_tasks), \
                default=None
        names : list of str, default=None
            Names of the tasks. None takes the columns of `y_true`.
        missing_label : object, default=None
            A label that stands for "no label", besides NaN and None.
        pos_label : label or dict of task to label, default=None
            The positive one of two classes; None takes the class that sorts last.
        ax : Axes, default=None
            The axes to draw in; None makes a figure.
        **options
            Keywords of scikit-learn's function of the curve.

        Returns
        -------
        display : object
        """
        names, rows = read_tasks(
            y_true,
            y_proba,
            sample_weight,
            names=names,
            missing_label=missing_label,
            pos_label=pos_label,
        )
        return cls._of_rows(names, rows, options).plot(ax=ax)

    @classmethod
    def _of_rows(cls, names, rows, options):
        tasks, left_out = binary_rows(cls.__name__, names, rows)
        curves = {task: cls._curve(each, **options) for task, each in tasks.items()}
        return cls(stack_tables(curves), left_out)

    def plot(self, ax=None):
        """Draw the curves.

        Up to six tasks share one pair of axes; more get a small panel each.

        Parameters
        ----------
        ax : Axes, default=None
            The axes to draw in; small panels divide their place. None makes a figure.

        Returns
        -------
        self : object
            With the artists `figure_`, `axes_`, `ax_` (the first of the axes) and
            `lines_`, by task.
        """
        panels, lines = plot_task_lines([self._block()], ax)
        if self.left_out:
            add_note(panels, _left_out_text(self.left_out))
        return self._keep(panels, lines)


def _left_out_text(left_out):
    shown = [f"{task} {reason}" for task, reason in list(left_out.items())[:3]]
    more = len(left_out) - len(shown)
    if more:
        shown.append(f"{more} more")
    return "\n".join(f"left out: {text}" for text in shown)

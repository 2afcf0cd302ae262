"""The diagonal of equal predicted and observed probabilities."""

from sk_mtl.inspection._plots._style import MUTED


def largest_of(table, columns=("predicted", "observed")):
    """Return the end of an axis that shows all probabilities of a table."""
    return min(1.02, 1.08 * float(table[[*columns]].max().max()))


def draw_diagonal(ax, tasks, largest):
    """Draw the diagonal, and set the limits of square axes."""
    ax.plot([0, 1], [0, 1], color=MUTED, linestyle=":", linewidth=1)
    low = -0.02 * largest
    ax.set(aspect="equal", xlim=(low, largest), ylim=(low, largest))

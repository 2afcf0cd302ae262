"""The house style of all displays: colours, panels, legends."""

import math
from contextlib import contextmanager
from typing import Any, NamedTuple

#: Okabe and Ito's colours, which remain distinct with colour blindness.
PALETTE = (
    *("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"),
    "#4D4D4D",
)
INK, MUTED, FAINT, GRID = "#333333", "#8C8C8C", "#D4D4D4", "#EBEBEB"
#: So many tasks share one pair of axes; more get a small panel each.
MOST_TOGETHER = 6

_RC = {
    "font.size": 9,
    "axes.titlesize": 9,
    "axes.titlelocation": "left",
    "axes.labelsize": 9,
    "axes.labelcolor": INK,
    "axes.edgecolor": MUTED,
    "axes.linewidth": 0.8,
    "text.color": INK,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "legend.fontsize": 8,
    "legend.frameon": False,
    "lines.linewidth": 1.6,
    "lines.solid_capstyle": "round",
}


def import_pyplot():
    """Return matplotlib's pyplot, or raise with the line that installs it."""
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError(
            "Plots need matplotlib; found that it is not installed. Run: "
            'pip install "sk-mtl[plot]"'
        ) from error
    return plt


@contextmanager
def house_style():
    """Draw in the house style inside the block; yield pyplot."""
    plt = import_pyplot()
    with plt.rc_context(_RC):
        yield plt


class Panels(NamedTuple):
    """The pairs of axes of a picture.

    Attributes
    ----------
    figure : Figure
    blocks : list of list of Axes
        The panels of each block, row by row.
    is_own : bool
        Whether the figure was made for the picture.
    """

    figure: Any
    blocks: list
    is_own: bool

    @property
    def axes(self):
        """All pairs of axes, block by block."""
        return [ax for block in self.blocks for ax in block]


def make_panels(
    n_panels,
    ax=None,
    *,
    n_blocks=1,
    size=(2.3, 1.9),
    alone=(4.6, 3.9),
    n_columns=None,
    labels=(("", ""),),
    share_x=False,
    share_y=False,
    beside=False,
):
    """Return panels in a grid, in a new figure or in the place of given axes.

    Parameters
    ----------
    n_panels : int
        Panels of each block.
    ax : Axes, default=None
        The axes to draw in. Several panels divide their place.
    n_blocks : int, default=1
        Blocks stand one below another, or side by side with `beside`.
    size, alone : (width, height)
        Inches of a panel, and of a block with a single panel.
    n_columns : int, default=None
        None takes 3 for up to 6 panels, 4 for up to 12 and 5 for more.
    labels : sequence of (str, str)
        Labels of the two axes of each block.
    share_x, share_y : bool, default=False
        Whether the panels of a block have the same limits.
    """
    import_pyplot()
    n_columns = n_columns or _columns_for(n_panels)
    n_columns = min(n_panels, n_columns)
    rows = math.ceil(n_panels / n_columns)
    width, height = alone if n_panels == 1 else size
    shape = (rows, n_columns * n_blocks) if beside else (rows * n_blocks, n_columns)
    figure, grid, is_own = _grid(ax, shape, (width * shape[1], height * shape[0]))
    if grid is None:
        ax.set(xlabel=labels[0][0], ylabel=labels[0][1])
        return Panels(figure, [[dress(ax)]], is_own)
    blocks = []
    above_all = is_own and n_blocks == 1 and rows * n_columns > 1
    if above_all:
        figure.supxlabel(labels[0][0], fontsize=9)
        figure.supylabel(labels[0][1], fontsize=9)
        labels = [("", "")]
    elif n_panels > 1:
        # What stands in brackets is too long for a small panel.
        labels = [tuple(text.partition(" (")[0] for text in pair) for pair in labels]
    for block in range(n_blocks):
        top, left = (0, block * n_columns) if beside else (block * rows, 0)
        axes = []
        for k in range(n_panels):
            row, column = divmod(k, n_columns)
            first = axes[0] if axes else None
            panel = figure.add_subplot(
                grid[top + row, left + column],
                sharex=first if share_x else None,
                sharey=first if share_y else None,
            )
            is_low, is_left = k + n_columns >= n_panels, column == 0
            panel.set(
                xlabel=labels[block][0] if is_low else "",
                ylabel=labels[block][1] if is_left else "",
            )
            if share_x:
                panel.tick_params(labelbottom=is_low)
            if share_y:
                panel.tick_params(labelleft=is_left)
            axes.append(dress(panel))
        blocks.append(axes)
    return Panels(figure, blocks, is_own)


def _columns_for(n_panels):
    if n_panels == 4:
        return 2
    return 3 if n_panels <= 6 else 4 if n_panels <= 12 else 5


def _grid(ax, shape, inches):
    """Return the figure, the grid of its panels, and whether the figure is new."""
    if ax is None:
        figure = import_pyplot().figure(figsize=inches, layout="constrained")
        return figure, figure.add_gridspec(*shape), True
    if shape == (1, 1):
        return ax.figure, None, False
    place = ax.get_subplotspec()
    ax.set_axis_off()
    if place is not None:
        return ax.figure, place.subgridspec(*shape), False
    box = ax.get_position()
    edges = {"left": box.x0, "right": box.x1, "bottom": box.y0, "top": box.y1}
    return ax.figure, ax.figure.add_gridspec(*shape, **edges), False


def dress(ax):
    """Return the axes without frame, on a faint grid."""
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(True, color=GRID, linewidth=0.8)
    ax.set_axisbelow(True)
    return ax


def add_legend(panels, handles, side="upper", n_columns=6, **options):
    """Add one legend outside the panels of an own figure, else in the first panel."""
    if panels.is_own:
        place = {"loc": "outside right upper"}
        if side == "upper":
            place = {"loc": "outside upper left", "ncols": min(len(handles), n_columns)}
        return panels.figure.legend(handles=handles, **place, **options)
    return panels.axes[0].legend(handles=handles, **options)


def add_note(panels, text):
    """Add a line of small text below the label of the x axis of an own figure."""
    if not panels.is_own:
        return None
    last = panels.axes[-1]
    below = panels.figure.get_supxlabel()
    target = last.xaxis.label if not below else panels.figure.supxlabel(below)
    target.set_text(f"{target.get_text()}\n{text}")
    return target


def short(name, most=24):
    """Return a name as text, cut in its middle where it is long."""
    text = str(name)
    if len(text) <= most:
        return text
    half = (most - 1) // 2
    return f"{text[:half]}…{text[-half:]}"

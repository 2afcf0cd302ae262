"""Lines of tasks: together in one pair of axes, or a small panel for each."""

from collections.abc import Callable
from dataclasses import dataclass, field

from sk_mtl.inspection._plots._style import (
    FAINT,
    MOST_TOGETHER,
    PALETTE,
    add_legend,
    house_style,
    make_panels,
    short,
)


@dataclass
class LineBlock:
    """The lines of one quantity, one for each task.

    Attributes
    ----------
    lines : dict of task to (x, y)
    x_label, y_label : str
    notes : dict of task to str
        Words beside the name of a task, such as a score.
    options : dict
        Keywords of `Axes.plot`.
    before : callable
        Called with each pair of axes and the tasks in it, before the lines.
    after : callable
        Called with axes, task and colour, after the line of the task.
    legend : str
        Location of the legend inside the axes, or "outside" beside them.
    """

    lines: dict
    x_label: str
    y_label: str
    notes: dict = field(default_factory=dict)
    options: dict = field(default_factory=dict)
    before: Callable | None = None
    after: Callable | None = None
    legend: str = "best"

    def label(self, task, gap="  "):
        """Return the name of a task and the note about it."""
        note = self.notes.get(task)
        return short(task) + (f"{gap}{note}" if note else "")


def plot_task_lines(blocks, ax=None):
    """Draw blocks of lines; return the panels and the lines by task.

    Up to six tasks share the axes of a block. More get a panel each, in which the other
    tasks are faint lines.
    """
    tasks = list(blocks[0].lines)
    labels = [(block.x_label, block.y_label) for block in blocks]
    artists = {task: [] for task in tasks}
    with house_style():
        if len(tasks) <= MOST_TOGETHER:
            alone = (4.3 + _legend_width(blocks[0]) / len(blocks), 3.9)
            panels = make_panels(
                1, ax, n_blocks=len(blocks), labels=labels, alone=alone, beside=True
            )
            for block, (axes,) in zip(blocks, panels.blocks, strict=True):
                _draw_together(block, axes, artists)
            if blocks[0].legend == "outside":
                add_legend(panels, [each[0] for each in artists.values()], "right")
        else:
            panels = make_panels(
                len(tasks),
                ax,
                n_blocks=len(blocks),
                labels=labels,
                share_x=True,
                share_y=True,
            )
            for block, axes in zip(blocks, panels.blocks, strict=True):
                # Panels in the place of other axes have no room for one line.
                _draw_apart(block, axes, artists, " · " if panels.is_own else "\n")
    return panels, artists


def _legend_width(block):
    """Return the inches of a legend beside the axes."""
    if block.legend != "outside":
        return 0.0
    return 0.6 + 0.065 * max(len(block.label(task)) for task in block.lines)


def _draw_together(block, ax, artists):
    if block.before is not None:
        block.before(ax, list(block.lines))
    for (task, (x, y)), colour in zip(block.lines.items(), PALETTE):
        label = block.label(task)
        artists[task] += ax.plot(x, y, color=colour, label=label, **block.options)
        if block.after is not None:
            block.after(ax, task, colour)
    if block.legend != "outside":
        ax.legend(loc=block.legend)


def _draw_apart(block, axes, artists, gap):
    # A smaller marker fits a smaller panel.
    options = {**block.options}
    if "markersize" in options:
        options["markersize"] *= 0.7
    for (task, (x, y)), ax in zip(block.lines.items(), axes, strict=True):
        if block.before is not None:
            block.before(ax, [task])
        for other, line in block.lines.items():
            if other != task:
                ax.plot(*line, color=FAINT, linewidth=0.7, zorder=1.5)
        artists[task] += ax.plot(x, y, color=PALETTE[0], **options)
        ax.set_title(block.label(task, gap=gap))
        if block.after is not None:
            block.after(ax, task, PALETTE[0])

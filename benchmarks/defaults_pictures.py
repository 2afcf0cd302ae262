"""Draw what the default fit and its parts are worth, from saved studies.

`python benchmarks/defaults_pictures.py` reads `results/suite_study.csv` and
`results/defaults.csv`, fits nothing, and writes three pictures to
`docs/examples/images`: the default beside LightGBM on each table, what each rule of the
default adds over the tables, and what each part of one network adds on larger ones.
"""

import os
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
from _report import RESULTS
from _suite_models import DEFAULT
from _suite_scores import LARGEST_GAP, LEVEL
from defaults import gains_over_tables
from suite_study import YARDSTICK, compare, split_sizes

IMAGES = Path(__file__).parent.parent / "docs" / "examples" / "images"
BLUE, ORANGE, GREY = "#1f5fa8", "#d9822b", "#9aa5b1"

# What a candidate of `suite_study.py` is called in the picture, from the default of
# before to that of today.
STEPS = {
    "before": "one network, five epochs, bins (before)",
    "es30_4_both": "30 epochs at most, stopped early; piecewise-linear, too",
    "es30_4_both_m4": "the same with four members",
    "m4_5_both": "four members, five epochs",
    DEFAULT: "epochs by rows and tasks, four members (today)",
}
# What a factor of `defaults.py` takes away or adds.
LEFT_OUT = (
    "no embedding of numbers",
    "no cross layer",
    "no averaging",
    "no batch normalisation",
    "no dropout",
    "nothing held out",
)
CHANGED = (
    "lr .004",
    "lr .016",
    "3 epochs",
    "8 epochs",
    "batches half as large",
    "batches twice as large",
    "constant lr .002, stopped early",
    "embeddings of 4",
    "embeddings of 16",
    "piecewise-linear and bins",
    "8 experts",
    "4 members, nothing shared",
)
COLUMNS = ("KDD 1", "Adult", "funnel", "5,000 rows", "1,000 rows")


def draw_tables(frame: pd.DataFrame) -> plt.Figure:
    """Return the gaps to LightGBM by table, before and today."""
    gaps = pd.DataFrame(
        {name: compare(frame, name, YARDSTICK)["gap"] for name in ("before", DEFAULT)}
    ).sort_values(DEFAULT)
    shown = gaps.clip(-LARGEST_GAP * 7 / 3, LARGEST_GAP * 7 / 3)
    figure, ax = plt.subplots(figsize=(7.5, 4.6), layout="constrained")
    ax.axvspan(-LEVEL, LEVEL, color="#eef1f4", zorder=0)
    ax.axvline(0, color="black", linewidth=0.8)
    heights = range(len(shown))
    ax.hlines(heights, shown["before"], shown[DEFAULT], color=GREY, linewidth=1.5)
    ax.plot(shown["before"], heights, "o", color=ORANGE, label="before")
    ax.plot(shown[DEFAULT], heights, "o", color=BLUE, label="today")
    edge = shown.to_numpy().max()
    for height, gap in enumerate(gaps[DEFAULT]):
        if gap > edge:
            where, offset = (edge, height), (-8, 5)
            note = f"{gap:+.2f}, off the scale"
            ax.annotate(
                note, where, offset, textcoords="offset points", ha="right", fontsize=8
            )
    ax.set_yticks(heights, gaps.index)
    ax.set(xlabel="score ahead of LightGBM per label (AUC, R², deviance)")
    ax.legend(loc="lower right", frameon=False)
    ax.set_title("Fifteen tables, validation rows: mean over the tasks", fontsize=11)
    return figure


def draw_steps(frame: pd.DataFrame) -> plt.Figure:
    """Return the mean gaps to LightGBM from the default of before to today's."""
    rows = {}
    for name, label in STEPS.items():
        found = compare(frame, name, YARDSTICK)
        gap = found["gap"].clip(-LARGEST_GAP, LARGEST_GAP).mean()
        rows[label] = {"gap": gap, "cpu": found["cpu"].median()}
    table = pd.DataFrame(rows).T[::-1]
    figure, (left, right) = plt.subplots(
        1, 2, figsize=(10.5, 2.6), layout="constrained", sharey=True
    )
    colours = [BLUE, *[GREY] * (len(table) - 2), ORANGE]
    left.barh(table.index, table["gap"], color=colours)
    left.set(xlabel="score ahead of LightGBM, mean")
    right.barh(table.index, table["cpu"], color=colours)
    right.axvline(1, color="black", linewidth=0.8)
    right.set(xlabel="processor time, LightGBM = 1, median")
    for ax, column, form in ((left, "gap", "{:+.3f}"), (right, "cpu", "{:.1f}")):
        for height, value in enumerate(table[column]):
            ax.annotate(
                form.format(value),
                (value, height),
                (4, 0),
                textcoords="offset points",
                va="center",
                fontsize=8,
            )
        ax.margins(x=0.25)
    return figure


def draw_parts(gains: dict[str, pd.DataFrame]) -> plt.Figure:
    """Return what parts and settings of one network add, by table and size."""
    factors = [*LEFT_OUT, *CHANGED]
    heights = [-place - (place >= len(LEFT_OUT)) for place in range(len(factors))]
    figure, axes = plt.subplots(
        1, len(COLUMNS), figsize=(11, 5.6), layout="constrained", sharey=True
    )
    for ax, column in zip(axes, COLUMNS, strict=True):
        found = gains[column].reindex(columns=factors)
        mean, spread = found.mean(), found.std()
        colours = [BLUE if value > 0 else ORANGE for value in mean]
        ax.axvline(0, color="black", linewidth=0.8)
        ax.barh(heights, mean, xerr=spread, color=colours, error_kw={"elinewidth": 0.8})
        ax.set_title(column.replace("KDD 1", "KDD, income"), fontsize=10)
        ax.set_xlim(-0.013, 0.013)
        ax.set_xticks([-0.01, 0, 0.01], ["−.01", "0", "+.01"])
        ax.grid(axis="x", linewidth=0.4)
    axes[0].set_yticks(heights, factors)
    figure.supxlabel("AUC against the default of one network, validation rows")
    return figure


def save(figure: plt.Figure, name: str) -> None:
    """Write a picture and print where."""
    path = IMAGES / f"{name}.png"
    figure.savefig(path, dpi=110)
    plt.close(figure)
    print(os.path.relpath(path))


def main() -> None:
    suite = split_sizes(pd.read_csv(RESULTS / "suite_study.csv"))[""]
    save(draw_tables(suite), "defaults_tables")
    save(draw_steps(suite), "defaults_steps")
    parts = gains_over_tables(pd.read_csv(RESULTS / "defaults.csv"), "auc")
    save(draw_parts(parts), "defaults_parts")


if __name__ == "__main__":
    main()

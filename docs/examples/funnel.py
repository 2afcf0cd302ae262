"""Conversion rates of all impressions: learnt on all of them, or on clicks alone.

The rates of `make_conversion_funnel` are known, so an estimate of the conversion rate
(CVR) can be compared with the truth on rows that nobody clicked. Per seed one log is
drawn with strong selection; its last 20,000 rows are the test part. Three estimators of
the same size learn from the rows before:

- ESMM: 40,000 impressions, click and conversion;
- clicks alone: the clicked ones of these, conversion only;
- as many clicks: 40,000 clicked rows, conversion only.

Prints a Markdown table by groups of the test rows, from those least likely to be
clicked to those most likely, and saves a picture. Then a control: conversions are
shuffled among the clicked rows, so that each of them converts with the same probability
and a CVR that varies is an invention. Takes about a minute and a half.
"""

import argparse
import os
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from scipy.special import logit

from sk_mtl import ESMMClassifier
from sk_mtl.datasets import make_conversion_funnel

IMAGE = Path(__file__).parent / "images" / "funnel.png"
N_TRAIN, N_TEST, N_GROUPS, CLICK_RATE = 40_000, 20_000, 5, 0.2
# Enough impressions before the test part for 40,000 clicked ones among them.
N_LOG = int(1.1 * N_TRAIN / CLICK_RATE) + N_TEST
STYLES = {"ESMM": "o-", "clicks alone": "s-", "as many clicks": "^:"}


def draw_log(seed):
    """Return features, labels and true rates, and the rows of each estimator."""
    X, y, truth = make_conversion_funnel(
        n_samples=N_LOG,
        click_rate=CLICK_RATE,
        selection_strength=2.0,
        random_state=seed,
    )
    rest = np.random.default_rng(seed).permutation(N_LOG - N_TEST)
    train = np.sort(rest[:N_TRAIN])
    is_clicked = y["click"].to_numpy() == 1
    parts = {
        "ESMM": train,
        "clicks alone": train[is_clicked[train]],
        "as many clicks": np.sort(rest[is_clicked[rest]][:N_TRAIN]),
    }
    return X.drop(columns="history"), y, truth, parts


def estimate_cvr(name, X, y, X_test, seed):
    """Return the conversion rate of every test row."""
    model = ESMMClassifier(random_state=seed)
    if name == "ESMM":
        return model.fit(X, y).predict_conditional_proba(X_test)[1][:, 1]
    return model.fit(X, y["conversion"]).predict_proba(X_test)[:, 1]


def log_loss(truth, estimate):
    """Return the log-loss of each row, above that of its true rate."""
    estimate = np.clip(estimate, 1e-7, 1 - 1e-7)
    return truth * np.log(truth / estimate) + (1 - truth) * np.log(
        (1 - truth) / (1 - estimate)
    )


def run_seed(seed):
    """Return the test rows of one log: group, truth, estimates and losses."""
    X, y, truth, parts = draw_log(seed)
    test = slice(N_LOG - N_TEST, N_LOG)
    rows = truth.iloc[test].reset_index(drop=True)
    rows["group"] = pd.qcut(rows["click_rate"], N_GROUPS, labels=False)
    for name, part in parts.items():
        cvr = estimate_cvr(name, X.iloc[part], y.iloc[part], X.iloc[test], seed)
        rows[name] = cvr
        rows[f"loss {name}"] = log_loss(rows["conversion_rate"], cvr)
    return rows


def run_control(seed):
    """Return what is estimated where all clicked rows convert alike."""
    X, y, truth, parts = draw_log(seed)
    test = slice(N_LOG - N_TEST, N_LOG)
    clicked = np.flatnonzero(y["click"])
    conversion = y["conversion"].to_numpy(copy=True)
    conversion[clicked] = np.random.default_rng(seed).permutation(conversion[clicked])
    y = y.assign(conversion=conversion)
    rate = conversion[clicked].mean()
    rows = {}
    for name in ("ESMM", "clicks alone"):
        part = parts[name]
        cvr = estimate_cvr(name, X.iloc[part], y.iloc[part], X.iloc[test], seed)
        pair = np.corrcoef(logit(cvr), logit(truth["click_rate"].iloc[test]))
        rows[name] = {
            "against the shuffled rate": log_loss(rate, cvr).mean(),
            "against the rates before": log_loss(
                truth["conversion_rate"].iloc[test], cvr
            ).mean(),
            "correlation with the true CTR": pair[0, 1],
        }
    return pd.DataFrame(rows).T.rename_axis("estimator").reset_index()


def print_control(runs):
    """Print mean and standard deviation over the logs of the control."""
    columns = list(runs)[1:]
    print(f"\n| shuffled conversions | {' | '.join(columns)} |")
    print("| --- " * (len(columns) + 1) + "|")
    for name, run in runs.groupby("estimator"):
        cells = (f"{run[c].mean():.3f} ± {run[c].std():.3f}" for c in columns)
        print(f"| {name} | {' | '.join(cells)} |")


def print_markdown(rows):
    """Print, per group and for all rows, the mean rates."""
    names = ["click_rate", "conversion_rate", *STYLES]
    print(f"| test rows | true CTR | true CVR | {' | '.join(STYLES)} |")
    print("| --- " * (len(names) + 1) + "|")
    groups = [(f"fifth {g + 1}", part) for g, part in rows.groupby("group")]
    for label, part in [*groups, ("all", rows)]:
        cells = " | ".join(f"{part[name].mean():.3f}" for name in names)
        print(f"| {label} | {cells} |")


def plot_results(rows):
    """Save the mean rates and losses by group."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.4), layout="constrained")
    mean = rows.groupby("group").mean()
    left.plot(mean["conversion_rate"], "k-", lw=4, alpha=0.3, label="truth")
    for name, style in STYLES.items():
        left.plot(mean[name], style, label=name)
        right.plot(mean[f"loss {name}"], style, label=name)
    left.set(title="Mean conversion rate", ylabel="CVR")
    right.set(title="Error: log-loss above that of the truth", ylabel="nats", ylim=0)
    for ax in (left, right):
        ax.set_xticks(mean.index, [f"{rate:.2g}" for rate in mean["click_rate"]])
        ax.set_xlabel("test impressions, in fifths by true click rate (its mean)")
        ax.grid(alpha=0.3)
    left.legend(fontsize="small")
    IMAGE.parent.mkdir(exist_ok=True)
    figure.savefig(IMAGE, dpi=110)
    print(f"\nThe picture: {os.path.relpath(IMAGE)}")


def main(n_seeds):
    torch.set_num_threads(1)
    rows = pd.concat([run_seed(seed) for seed in range(n_seeds)])
    print_markdown(rows)
    for name in STYLES:
        loss = rows[f"loss {name}"].mean()
        print(f" {name}: log-loss above that of the truth, all rows: {loss:.4f}")
    plot_results(rows)
    print_control(pd.concat([run_control(seed) for seed in range(n_seeds)]))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=5, help="logs to draw")
    main(parser.parse_args().seeds)

"""Is ESMM's conversion rate nearer the truth? On logs whose true rates are known.

Every estimator is scored over **all** impressions of the test part, clicked or not, by
its log-loss against the true conversion rate. Per seed one log is drawn; the last
20,000 rows are the test part, and from the rest are taken

- `ESMM`: 40,000 impressions, click and conversion;
- `clicks`: the clicked ones of these, conversion only: the usual practice;
- `clicks, more rows`: as many clicked impressions as ESMM has impressions;

each with the same embeddings and tower, stopped early on a tenth of its own rows. Then
again without selection bias, and with conversions shuffled among the clicked rows:
there every clicked row converts at the same rate, which is the truth that these labels
follow, and nothing is left to learn.
"""

import argparse

import numpy as np
import pandas as pd
from _report import write_report

from sk_mtl import ESMMClassifier
from sk_mtl.datasets import make_conversion_funnel

N_TRAIN, N_TEST, CLICK_RATE = 40_000, 20_000, 0.2
N_LOG = int(1.1 * N_TRAIN / CLICK_RATE) + N_TEST


def log_loss(truth, proba):
    """Mean log-loss against true probabilities, in nats."""
    proba = np.clip(proba, 1e-7, 1 - 1e-7)
    return -np.mean(truth * np.log(proba) + (1 - truth) * np.log1p(-proba))


def draw_log(seed, selection_strength, shuffled):
    """One log: features, labels and true conversion rates."""
    X, y, truth = make_conversion_funnel(
        n_samples=N_LOG,
        click_rate=CLICK_RATE,
        selection_strength=selection_strength,
        random_state=seed,
    )
    rate = truth["conversion_rate"].to_numpy()
    if shuffled:
        clicked = np.flatnonzero(y["click"])
        moved = np.random.default_rng(seed).permutation(clicked)
        y.loc[clicked, "conversion"] = y["conversion"].to_numpy()[moved]
        rate = np.full(N_LOG, y.loc[clicked, "conversion"].mean())
    return X.drop(columns="history"), y, rate


def compare(seed, selection_strength=2.0, shuffled=False):
    """Log-loss of each estimator's conversion rate on one log."""
    X, y, truth = draw_log(seed, selection_strength, shuffled)
    test = np.arange(N_LOG - N_TEST, N_LOG)
    rest = np.random.default_rng(seed).permutation(N_LOG - N_TEST)
    rows = np.sort(rest[:N_TRAIN])
    clicked = rows[y["click"].to_numpy()[rows] == 1]
    many = np.sort(rest[y["click"].to_numpy()[rest] == 1][:N_TRAIN])

    model = ESMMClassifier(random_state=seed).fit(X.iloc[rows], y.iloc[rows])
    esmm = model.predict_conditional_proba(X.iloc[test])[1][:, 1]
    losses = {"ESMM": log_loss(truth[test], esmm)}
    for name, part in {"clicks": clicked, "clicks, more rows": many}.items():
        model = ESMMClassifier(random_state=seed)
        model.fit(X.iloc[part], y["conversion"].iloc[part])
        proba = model.predict_proba(X.iloc[test])[:, 1]
        losses[name] = log_loss(truth[test], proba)
    constant = np.full(N_TEST, y["conversion"].to_numpy()[clicked].mean())
    losses["constant"] = log_loss(truth[test], constant)
    losses["the truth itself"] = log_loss(truth[test], truth[test])
    return losses


def main(n_seeds):
    settings = {
        "strong selection (2)": {},
        "no selection (0)": {"selection_strength": 0.0},
        "strong, conversions shuffled": {"shuffled": True},
    }
    rows = []
    for label, setting in settings.items():
        runs = pd.DataFrame([compare(seed, **setting) for seed in range(n_seeds)])
        gain = runs["clicks"] - runs["ESMM"]
        cells = [f"{runs[name].mean():.4f} ± {runs[name].std():.4f}" for name in runs]
        rows.append((label, *cells, f"{gain.mean():.4f} ± {gain.std():.4f}"))
        print(label, runs.round(4).to_string(), sep="\n", flush=True)
    write_report(
        "truth",
        "Log-loss against the true conversion rate, over all impressions",
        pd.DataFrame(rows, columns=["", *runs.columns, "clicks minus ESMM"]),
        notes=(
            f"Mean ± standard deviation over {n_seeds} logs (seeds). ESMM learns from "
            f"{N_TRAIN:,} impressions, `clicks` from the clicked ones of them (about "
            f"{int(N_TRAIN * CLICK_RATE):,}), `clicks, more rows` from {N_TRAIN:,} "
            "clicked ones."
        ),
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    main(parser.parse_args().seeds)

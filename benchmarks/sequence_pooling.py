"""What each pooling of a user's history is worth, on logs whose clicks depend on it.

The clicks of `make_conversion_funnel` depend on how like the shown item is to the items
of the history, so a pooling that compares them has something to find. Per seed one log
is drawn; every pooling sees the same rows, and the history shares its embedding with
the shown item in all of them but the first, which has no history at all.
"""

import argparse

import pandas as pd
from _report import write_report
from sklearn.metrics import roc_auc_score

from sk_mtl import ESMMClassifier
from sk_mtl.datasets import make_conversion_funnel

N_TRAIN, N_TEST = 40_000, 20_000
POOLINGS = ("none", "mean", "max", "sum", "attention", "target_attention")

# The settings of the report: one network, as poolings are compared by its seeds.
FIT = {
    "n_members": 1,
    "max_epochs": 5,
    "lr": 0.008,
    "embedding_dim": 8,
    "embedding_l2": 0.0,
    "numeric_embedding": "bins",
}


def compare(seed, poolings=POOLINGS):
    """Test AUC of click and of conversion, and seconds per epoch, by pooling."""
    X, y, _ = make_conversion_funnel(n_samples=N_TRAIN + N_TEST, random_state=seed)
    rows = {}
    for pooling in poolings:
        if pooling == "none":
            table = X.drop(columns="history")
            model = ESMMClassifier(**FIT, random_state=seed)
        else:
            table = X
            model = ESMMClassifier(
                sequence_pooling=pooling,
                sequence_target={"history": "item_id"},
                shared_embedding=[["item_id", "history"]],
                **FIT,
                random_state=seed,
            )
        model.fit(table[:N_TRAIN], y[:N_TRAIN])
        proba = model.predict_proba(table[N_TRAIN:])
        click, conversion = (
            roc_auc_score(y[N_TRAIN:].iloc[:, k], proba[k][:, 1]) for k in range(2)
        )
        seconds = model.history_["seconds"].median()
        rows[pooling] = {"click": click, "conversion": conversion, "seconds": seconds}
    return pd.DataFrame(rows).T


def main(n_seeds):
    runs = []
    for seed in range(n_seeds):
        runs.append(compare(seed))
        print(runs[-1].round(4).to_string(), flush=True)
    click = pd.DataFrame([run["click"] for run in runs])
    conversion = pd.DataFrame([run["conversion"] for run in runs])
    seconds = pd.DataFrame([run["seconds"] for run in runs]).min()
    rows = []
    for pooling in POOLINGS:
        gain = click[pooling] - click["none"]
        rows.append(
            (
                pooling,
                f"{click[pooling].mean():.4f} ± {click[pooling].std():.4f}",
                f"{gain.mean():.4f} ± {gain.std():.4f}",
                f"{conversion[pooling].mean():.4f} ± {conversion[pooling].std():.4f}",
                f"{seconds[pooling] / seconds['none']:.2f}",
            )
        )
    columns = ["pooling", "AUC of click", "more than none", "AUC of conversion", "cost"]
    write_report(
        "sequence_pooling",
        "Test AUC by pooling of the history",
        pd.DataFrame(rows, columns=columns),
        notes=(
            f"`ESMMClassifier` on {N_TRAIN:,} impressions, scored on {N_TEST:,} more; "
            f"mean ± standard deviation over {n_seeds} logs (seeds). Conversion is "
            "click and conversion, over all impressions. Cost: seconds per epoch "
            "beside no history."
        ),
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    main(parser.parse_args().seeds)

"""What each way of reading the features adds on Adult, or KDD, and what it costs.

Everything is chosen by, and shown for, validation rows: a fifth of the training file,
drawn once. The test files are not read.
"""

import argparse

import pandas as pd
from _report import write_report
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split

from sk_mtl import MMOEClassifier
from sk_mtl.datasets import load_adult, load_census_income
from sk_mtl.preprocessing import make_tabular_preprocessor

# The default network without its embedding of numbers and its cross layer.
FIRST = "scaled numbers alone"
BASE = {"numeric_embedding": None, "interaction": None}
BOTH = {"numeric": "both"}
OPTIONS = {
    FIRST: {},
    "both copies": BOTH,
    "bins": {"numeric_embedding": "bins"},
    "ple": {"numeric_embedding": "ple"},
    "periodic": {"numeric_embedding": "periodic"},
    "both copies, bins": {**BOTH, "numeric_embedding": "bins"},
    "both copies, bins, ple": {**BOTH, "numeric_embedding": ("bins", "ple")},
    "two fields, summed": {"fields": 7, "group_pooling": "sum"},
    "fm": {"interaction": "fm"},
    "cross": {"interaction": "cross"},
    "senet": {"interaction": "senet"},
    "wide": {"wide": True},
    "bins, cross: the default": {"numeric_embedding": "bins", "interaction": "cross"},
}
DATA = {"Adult": load_adult, "KDD": load_census_income}


def compare(data, seed):
    """Validation AUC of both tasks and seconds per epoch, by option."""
    X, y = DATA[data](subset="train", return_X_y=True)
    train, valid = train_test_split(range(len(X)), test_size=0.2, random_state=0)
    rows = {}
    for name, option in OPTIONS.items():
        option = BASE | option
        numeric = option.pop("numeric", "standard")
        if "fields" in option:
            n_first, columns = option.pop("fields"), list(X)
            groups = {"user": columns[:n_first], "item": columns[n_first:]}
            option["feature_groups"] = groups
        preprocessor = make_tabular_preprocessor(X.iloc[train], numeric=numeric)
        model = MMOEClassifier(preprocessor=preprocessor, random_state=seed, **option)
        model.fit(X.iloc[train], y.iloc[train])
        proba = model.predict_proba(X.iloc[valid])
        rows[name] = {
            task: roc_auc_score(y.iloc[valid, k], proba[k][:, 1])
            for k, task in enumerate(y)
        }
        rows[name]["seconds"] = model.history_["seconds"].median()
    return pd.DataFrame(rows).T


def main(n_seeds, names):
    tables = []
    for data in names:
        runs = []
        for seed in range(n_seeds):
            runs.append(compare(data, seed))
            print(data, runs[-1].round(4).to_string(), sep="\n", flush=True)
        joined = pd.concat(runs, keys=range(n_seeds))
        mean, deviation = joined.groupby(level=1).mean(), joined.groupby(level=1).std()
        least = joined["seconds"].groupby(level=1).min()
        columns = {
            f"{data}, {task}": [
                f"{mean.loc[name, task]:.4f} ± {deviation.loc[name, task]:.4f}"
                for name in OPTIONS
            ]
            for task in runs[0].columns[:-1]
        }
        columns[f"{data}, cost"] = [
            f"{least[name] / least[FIRST]:.2f}" for name in OPTIONS
        ]
        tables.append(pd.DataFrame(columns))
    frame = pd.concat(tables, axis=1)
    frame.insert(0, "features", list(OPTIONS))
    write_report(
        "features",
        "Validation AUC and cost of each way of reading the features",
        frame,
        notes=(
            "`MMOEClassifier` with its defaults, but without embedding of numbers and "
            "without cross layer, plus what is named; on four fifths of the training "
            "file, scored on the last fifth; mean ± standard deviation over "
            f"{n_seeds} seeds. Cost: seconds per epoch beside the first row."
        ),
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--data", nargs="+", choices=list(DATA), default=list(DATA))
    arguments = parser.parse_args()
    main(arguments.seeds, arguments.data)

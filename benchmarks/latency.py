"""How long a prediction takes: one row of a DataFrame, and 100,000 of them."""

import argparse

import pandas as pd
from _report import write_report
from _timing import best_seconds

from sk_mtl import MMOEClassifier
from sk_mtl.datasets import load_census_income

N_ROWS = 100_000


def main(n_rounds):
    X, y = load_census_income(return_X_y=True)
    model = MMOEClassifier(max_epochs=1, random_state=0).fit(X[:20_000], y[:20_000])
    one, many = X.iloc[[7]], X.iloc[:N_ROWS]
    model.predict_proba(one)
    row = best_seconds({"row": lambda: model.predict_proba(one)}, 10 * n_rounds)["row"]
    encoding = best_seconds(
        {"row": lambda: model.schema_.transform(model.preprocessor_, one)},
        10 * n_rounds,
    )["row"]
    table = best_seconds({"table": lambda: model.predict_proba(many)}, n_rounds)
    frame = pd.DataFrame(
        [
            ("one row, predict_proba", f"{row * 1e3:.2f} ms"),
            ("of it encoding", f"{encoding * 1e3:.2f} ms"),
            (f"{N_ROWS:,} rows", f"{N_ROWS / table['table']:,.0f} rows/s"),
        ],
        columns=["Census-Income (KDD), 40 columns", "figure"],
    )
    write_report(
        "latency",
        "Prediction from a DataFrame",
        frame,
        notes=f"Minimum of {n_rounds} runs (of {10 * n_rounds} for one row).",
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    main(parser.parse_args().rounds)

"""How long a prediction takes: one row of a DataFrame, and 100,000 of them."""

import argparse

import pandas as pd
from _recipes import RECIPES, make_model
from _report import write_report
from _timing import best_seconds

from sk_mtl.datasets import load_census_income

N_ROWS = 100_000
N_TRAINED = 20_000


def main(n_rounds):
    X, y = load_census_income(return_X_y=True)
    # Those of one kind take turns, so that recipes meet the same weather.
    one, many = {}, {}
    for recipe in RECIPES:
        model = make_model(recipe).fit(X[:N_TRAINED], y[:N_TRAINED])
        for runs, rows in ((one, X.iloc[[7]]), (many, X.iloc[:N_ROWS])):
            runs |= prediction_runs(recipe, model, rows)
    one = best_seconds(one, 100 * n_rounds)
    many = best_seconds(many, n_rounds)
    frame = pd.DataFrame({recipe: figures(recipe, one, many) for recipe in RECIPES})
    write_report(
        "latency",
        "Prediction from a DataFrame",
        frame.rename_axis("Census-Income (KDD), 40 columns").reset_index(),
        notes=f"Minimum of {n_rounds} alternating runs (of {100 * n_rounds} for one "
        'row). "From codes" is the network alone, on rows that are encoded already. '
        f"Trained on {N_TRAINED:,} rows.",
    )


def prediction_runs(recipe, model, rows):
    """Return the whole prediction and its two parts, once called."""
    arrays = model.schema_.transform(model.preprocessor_, rows)
    runs = {
        "whole": lambda: model.predict_proba(rows),
        "encoding": lambda: model.schema_.transform(model.preprocessor_, rows),
        "network": lambda: model.predictor_.logits(arrays),
    }
    for run in runs.values():
        run()
    return {(recipe, part): run for part, run in runs.items()}


def figures(recipe, one, many):
    """Return the column of the table for one recipe."""

    def per_second(part):
        return f"{N_ROWS / many[recipe, part]:,.0f} rows/s"

    return {
        "one row, predict_proba": f"{one[recipe, 'whole'] * 1e3:.2f} ms",
        "of it encoding": f"{one[recipe, 'encoding'] * 1e3:.2f} ms",
        "of it the network": f"{one[recipe, 'network'] * 1e3:.2f} ms",
        f"{N_ROWS:,} rows, predict_proba": per_second("whole"),
        "encoding alone": per_second("encoding"),
        "from codes": per_second("network"),
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    main(parser.parse_args().rounds)

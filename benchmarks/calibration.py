"""What does calibration do to the errors of probabilities, before and after?

A model learns from 20,000 rows of Census-Income (KDD), with and without balanced class
weights, and of a log of clicks and conversions. `TaskCalibrator` learns its functions
on three folds of the same rows. Both are scored on validation rows that neither has
seen, of the log on later ones: expected calibration error, Brier score and area under
the ROC curve. The test rows are not read.
"""

import argparse
from collections.abc import Iterator

import pandas as pd
from _report import write_report
from _tables import load_table, mean_and_sd, score_proba

from sk_mtl import ESMMClassifier, MMOEClassifier
from sk_mtl.calibration import TaskCalibrator

N_ROWS = 20_000
METHODS = ("isotonic", "sigmoid", "temperature", "beta")
MODELS = {
    ("KDD 1", "MMoE"): MMOEClassifier(),
    ("KDD 1", "MMoE, balanced classes"): MMOEClassifier(class_weight="balanced"),
    ("funnel", "ESMM"): ESMMClassifier(),
}


def score_fits(data: str, estimator, seed: int) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield the scores of each method by task, and of the rate of a step."""
    table = load_table(data).subset(N_ROWS, seed, validation_fraction=0)
    X, y = table.X_eval, table.y_eval
    estimator = estimator.set_params(random_state=seed)
    for number, method in enumerate(METHODS):
        model = TaskCalibrator(estimator, method, cv=3).fit(table.X, table.y)
        if number == 0:
            yield "none", scores_of(model.estimator_, X, y)
        yield method, scores_of(model, X, y)


def scores_of(model, X: pd.DataFrame, y: pd.DataFrame) -> pd.DataFrame:
    """Return the scores of each task, and of conversions among clicked rows."""
    scores = score_proba(y, model.predict_proba(X))
    if not hasattr(model, "predict_conditional_proba"):
        return scores
    clicked = (y["click"] == 1).to_numpy()
    rate = model.predict_conditional_proba(X)[1][clicked]
    own = score_proba(y.loc[clicked, ["conversion"]], [rate])
    return pd.concat([scores, own.set_axis(["conversion if clicked"])])


def main(n_seeds: int) -> None:
    found = []
    for (data, name), estimator in MODELS.items():
        for seed in range(n_seeds):
            for method, scores in score_fits(data, estimator, seed):
                print(data, name, seed, method, scores.round(4), sep="\n", flush=True)
                settings = {"data": data, "model": name, "method": method}
                found.append(
                    scores.rename_axis("task").reset_index().assign(**settings)
                )
    runs = pd.concat(found)
    rows = [
        (*key, *(mean_and_sd(fits[column]) for column in ("ece", "brier", "auc")))
        for key, fits in runs.groupby(["data", "model", "task", "method"], sort=False)
    ]
    columns = ["data", "model", "task", "calibration", "ECE", "Brier score", "AUC"]
    write_report(
        "calibration",
        "Errors of probabilities before and after calibration",
        pd.DataFrame(rows, columns=columns),
        notes=(
            f"Mean ± standard deviation over {n_seeds} seeds, each with other "
            f"{N_ROWS:,} training rows. Scored on {len(load_table('KDD 1').X_eval):,} "
            f"validation rows of KDD and {len(load_table('funnel').X_eval):,} later "
            "rows of the log. ECE: mean over 15 bins of equal size of the absolute "
            "difference between mean probability and share of positives. In the "
            "funnel, rates are calibrated and multiplied; the last task is the rate of "
            "a conversion on clicked rows."
        ),
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    main(parser.parse_args().seeds)

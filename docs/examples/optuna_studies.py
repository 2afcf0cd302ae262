"""Search an MMoE on Adult with Optuna: one number with pruning, then both tasks.

Twenty trials each on 3,000 training rows, from the ranges of `search_space`. The first
study minimises the loss on rows that `fit` holds out and stops trials that lag behind
the others; the second has an objective for each task and ends in a Pareto front, of the
trials that no other one beats on both. Both choose on rows that are not test rows.
Prints the front and saves a picture. Takes about a minute on two cores; needs the extra
`search`.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import optuna
import pandas as pd
from optuna_integration import SkorchPruningCallback

from sk_mtl import MMOEClassifier
from sk_mtl.datasets import load_adult
from sk_mtl.metrics import task_scores
from sk_mtl.model_selection import search_space

IMAGE = Path(__file__).parent / "images" / "optuna_studies.png"
N_ROWS, N_TRIALS = 3_000, 20


def study_loss(X, y, n_trials):
    """Return a study of the loss on held-out rows, in which late trials are pruned."""
    space = search_space(MMOEClassifier, len(X))

    def objective(trial):
        pruning = SkorchPruningCallback(trial, "valid_loss")
        model = MMOEClassifier(
            **space.suggest(trial),
            early_stopping=True,
            callbacks=[pruning],
            random_state=0,
        )
        return model.fit(X, y).history_["valid_loss"].min()

    study = optuna.create_study(
        sampler=optuna.samplers.TPESampler(seed=0),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=4),
    )
    study.optimize(objective, n_trials=n_trials)
    return study


def study_tasks(X, y, X_val, y_val, n_trials):
    """Return a study with the log-loss of each task as an objective."""
    space = search_space(MMOEClassifier, len(X))

    def objectives(trial):
        model = MMOEClassifier(**space.suggest(trial), random_state=0).fit(X, y)
        scores = task_scores(y_val, model.predict_proba(X_val), metrics="log_loss")
        return tuple(scores["log_loss"])

    study = optuna.create_study(
        directions=["minimize"] * y.shape[1],
        sampler=optuna.samplers.TPESampler(seed=0),
    )
    study.optimize(objectives, n_trials=n_trials)
    return study


def front_table(study, task_names):
    """Return the trials of the Pareto front, the best of the first task on top."""
    rows = [
        {
            **dict(zip(task_names, trial.values, strict=True)),
            "lr": trial.params["lr"],
            "max_epochs": trial.params["max_epochs"],
            "n_experts": trial.params["n_experts"],
            "n_members": trial.params["n_members"],
        }
        for trial in study.best_trials
    ]
    index = pd.Index([trial.number for trial in study.best_trials], name="trial")
    return pd.DataFrame(rows, index=index).sort_values(task_names[0])


def draw_front(study, task_names, ax):
    """Draw every trial by its two log-losses, and the front as a line."""
    values = pd.DataFrame([trial.values for trial in study.trials])
    front = pd.DataFrame({t.number: t.values for t in study.best_trials}).T
    front = front.sort_values(0)
    # A few bad trials would leave no room for the front.
    high = front.max() + 0.6 * (front.max() - front.min()) + 0.005
    n_beyond = int((values > high).any(axis=1).sum())
    ax.scatter(
        *values.to_numpy().T,
        s=18,
        color="0.6",
        label=f"other trials ({n_beyond} beyond the axes)",
    )
    ax.step(*front.to_numpy().T, where="post", color="#0072B2", lw=1)
    ax.scatter(*front.to_numpy().T, s=28, color="#0072B2", label="Pareto front")
    for number, place in front.iterrows():
        ax.annotate(
            str(number), place, xytext=(3, 4), textcoords="offset points", size=8
        )
    ax.set(
        xlabel=f"log-loss of {task_names[0]} (nats)",
        ylabel=f"log-loss of {task_names[1]} (nats)",
        xlim=(front[0].min() - 0.002, high[0]),
        ylim=(front[1].min() - 0.002, high[1]),
    )
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(frameon=False)


def main(n_rows=N_ROWS, n_trials=N_TRIALS):
    """Run both studies, print the front and draw it."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    X, y = load_adult(return_X_y=True)
    X_val, y_val = X[n_rows : 2 * n_rows], y[n_rows : 2 * n_rows]
    X, y = X[:n_rows], y[:n_rows]
    study = study_loss(X, y, n_trials)
    pruned = [t for t in study.trials if t.state is optuna.trial.TrialState.PRUNED]
    print(
        f"Best loss {study.best_value:.4f} in trial {study.best_trial.number}; "
        f"{len(pruned)} of {n_trials} trials were pruned."
    )
    tasks = study_tasks(X, y, X_val, y_val, n_trials)
    print(front_table(tasks, list(y)).to_string(float_format="{:.4f}".format))
    figure, ax = plt.subplots(figsize=(5.5, 4), layout="constrained")
    draw_front(tasks, list(y), ax)
    IMAGE.parent.mkdir(exist_ok=True)
    figure.savefig(IMAGE, dpi=150)


if __name__ == "__main__":
    main()

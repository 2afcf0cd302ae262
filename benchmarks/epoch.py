"""Seconds per epoch of `MMOEClassifier` beside a bare loop on the same tensors."""

import argparse

import pandas as pd
from _bare_loop import BareLoop
from _recipes import PLAIN_LARGE
from _report import write_report

from sk_mtl import MMOEClassifier
from sk_mtl.datasets import load_census_income
from sk_mtl.preprocessing import FeatureSchema, make_tabular_preprocessor


def main(n_rounds):
    X, y = load_census_income(return_X_y=True)
    preprocessor = make_tabular_preprocessor(X)
    encoded = preprocessor.fit_transform(X)
    schema = FeatureSchema.from_preprocessor(preprocessor, encoded)
    bare = BareLoop(
        schema.split(encoded),
        schema.cardinalities,
        y.to_numpy(),
        sizes=(8, 8, 128, 64),
        batch_size=1024,
        lr=1e-3,
    )
    bare.epoch()
    ours, limit = [], []
    for _ in range(n_rounds):
        model = MMOEClassifier(max_epochs=3, batch_size=1024, **PLAIN_LARGE)
        model.fit(X, y)
        ours.append(model.history_["seconds"].min())
        limit.append(min(bare.epoch() for _ in range(3)))
    rows = [("bare loop", min(limit), 1.0), ("MMOEClassifier", min(ours), None)]
    frame = pd.DataFrame(rows, columns=["", "seconds per epoch", "ratio"])
    frame.loc[1, "ratio"] = min(ours) / min(limit)
    write_report(
        "epoch",
        "Seconds per epoch beside the bare loop",
        frame.round({"seconds per epoch": 3, "ratio": 3}),
        notes=(
            f"Census-Income (KDD), {len(X):,} rows, 8 experts of 128, towers of 64, "
            f"embeddings of 8, batches of 1024; minimum of {n_rounds} alternating "
            "rounds of 3 epochs."
        ),
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=4)
    main(parser.parse_args().rounds)

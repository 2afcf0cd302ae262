"""Encoding the Census-Income (KDD) frame beside scikit-learn's encoders.

`CategoryEncoder` is timed beside `OrdinalEncoder` on the categorical columns as
`category`, `str`, `object` (strings that no two rows share, as a CSV reader makes
them) and integers; then `make_tabular_preprocessor` beside a `ColumnTransformer` of
`StandardScaler` and `OrdinalEncoder` on the whole frame.
"""

import argparse

import pandas as pd
from _report import write_report
from _timing import best_seconds
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.preprocessing import OrdinalEncoder, StandardScaler

from sk_mtl.datasets import load_census_income
from sk_mtl.preprocessing import CategoryEncoder, make_tabular_preprocessor

STR = "str" if int(pd.__version__.split(".")[0]) >= 3 else "string[pyarrow]"
N_ROWS = 100_000


def unshared(column):
    """Strings of which every row has its own object."""
    values = ["".join(list(value)) for value in column]
    return pd.Series(values, index=column.index, dtype=object)


def frames_by_kind(X, columns):
    """The frame with its categorical columns in each form."""
    category = X.astype(dict.fromkeys(columns, "category"))
    codes = {name: category[name].cat.codes.astype("int64") for name in columns}
    return {
        "category": category,
        "str": category.astype(dict.fromkeys(columns, STR)),
        "object": category.assign(**{c: unshared(category[c]) for c in columns}),
        "int64": category.assign(**codes),
    }


def ordinal_encoder():
    """scikit-learn's encoder, set to accept new categories as ours does."""
    return OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)


def column_transformer():
    """scikit-learn's preprocessing of the whole frame."""
    return ColumnTransformer(
        [
            ("num", StandardScaler(), make_column_selector(dtype_include="number")),
            ("cat", ordinal_encoder(), make_column_selector(dtype_exclude="number")),
        ]
    )


def compare(peer, ours, n_rounds):
    """The peer's and our milliseconds, and how many times faster ours is."""
    seconds = best_seconds({"peer": peer, "ours": ours}, n_rounds)
    peer, ours = seconds["peer"], seconds["ours"]
    return [f"{peer * 1e3:.2f}", f"{ours * 1e3:.2f}", f"{peer / ours:.1f} x"]


def encoder_rows(kind, X, n_rounds):
    """Rows of the table for the encoders alone, on one kind of columns."""
    peer, ours = ordinal_encoder(), CategoryEncoder()
    figures = compare(
        lambda: peer.fit_transform(X), lambda: ours.fit_transform(X), n_rounds
    )
    rows = [[kind, "encoder: fit_transform", *figures]]
    for n_samples, n_more in ((len(X), 1), (N_ROWS, 1), (1, 40)):
        part = X[:n_samples]
        figures = compare(
            lambda part=part: peer.transform(part),
            lambda part=part: ours.transform(part),
            n_more * n_rounds,
        )
        rows.append([kind, f"encoder: transform {n_samples:,}", *figures])
    return rows


def frame_row(kind, X, n_rounds):
    """The row of the table for the whole frame, numbers included."""
    figures = compare(
        lambda: column_transformer().fit_transform(X),
        lambda: make_tabular_preprocessor(X).fit_transform(X),
        n_rounds,
    )
    return [kind, "whole frame: fit_transform", *figures]


def main():
    """Time all kinds of columns and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    n_rounds = parser.parse_args().rounds
    X, _ = load_census_income(subset="train", return_X_y=True)
    columns = list(X.select_dtypes(exclude="number").columns)
    rows = []
    for kind, frame in frames_by_kind(X, columns).items():
        rows += encoder_rows(kind, frame[columns], n_rounds)
        if kind != "int64":  # A selector by dtype takes integers for numbers.
            rows.append(frame_row(kind, frame, n_rounds))
    write_report(
        "encode",
        "Encoding Census-Income (KDD)",
        pd.DataFrame(
            rows, columns=["columns", "call", "scikit-learn", "sk_mtl", "faster"]
        ),
        notes=f"{len(X):,} rows, {len(columns)} of {X.shape[1]} columns categorical. "
        f"Milliseconds; the minimum of {n_rounds} alternating rounds.",
        packages=["pyarrow"],
    )


if __name__ == "__main__":
    main()

"""Encoding sequences and hashing identifiers beside scikit-learn's transformers.

`SequenceEncoder` turns 100,000 sequences of 20 items on average into padded codes. It
is timed beside what scikit-learn has for such columns: `MultiLabelBinarizer` for lists
and `CountVectorizer` for text with a separator, which learn the same vocabulary but
keep only which items a row holds, or how often. `HashingEncoder` is timed beside
`FeatureHasher` on 1,000,000 identifiers.
"""

import argparse

import numpy as np
import pandas as pd
from _report import write_report
from encode import compare
from sklearn.feature_extraction import FeatureHasher
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.preprocessing import MultiLabelBinarizer

from sk_mtl.preprocessing import HashingEncoder, SequenceEncoder

N_SEQUENCES = 100_000
MEAN_LENGTH = 20
N_ITEMS = 50_000
N_IDENTIFIERS = 1_000_000
SEPARATOR = "|"


def sequences_by_kind():
    """The same sequences as rows of each kind of column."""
    rng = np.random.default_rng(0)
    lengths = rng.poisson(MEAN_LENGTH, N_SEQUENCES)
    ends = np.cumsum(lengths)
    numbers = rng.integers(0, N_ITEMS, ends[-1])
    # Every item is a string of its own, as a reader of files makes them.
    texts = [f"item{number}" for number in numbers]
    arrays = np.split(numbers, ends[:-1])
    words = [texts[end - n : end] for n, end in zip(lengths, ends)]
    return {
        "lists of int": [row.tolist() for row in arrays],
        "arrays of int": arrays,
        "lists of str": words,
        "text": [SEPARATOR.join(row) for row in words],
    }


def vectorizer():
    """scikit-learn's counts of the items of text, split as ours splits it."""
    return CountVectorizer(analyzer=lambda text: text.split(SEPARATOR))


def sequence_rows(kind, rows, n_rounds):
    """Rows of the table for one kind of column."""
    X = pd.DataFrame({"history": pd.Series(rows, dtype=object)})
    is_text = kind == "text"
    peer = vectorizer() if is_text else MultiLabelBinarizer(sparse_output=True)
    ours = SequenceEncoder(separator=SEPARATOR if is_text else None)
    figures = compare(
        lambda: peer.fit_transform(rows), lambda: ours.fit_transform(X), n_rounds
    )
    table = [[kind, "sequences: fit_transform", *figures]]
    for n_samples, n_more in ((N_SEQUENCES, 1), (1, 40)):
        few, part = rows[:n_samples], X[:n_samples]
        figures = compare(
            lambda few=few: peer.transform(few),
            lambda part=part: ours.transform(part),
            n_more * n_rounds,
        )
        table.append([kind, f"sequences: transform {n_samples:,}", *figures])
    return table


def hashing_row(kind, values, n_rounds):
    """The row of the table for identifiers of one kind."""
    X = pd.DataFrame({"id": values})
    peer = FeatureHasher(2**20, input_type="string", alternate_sign=False)
    figures = compare(
        lambda: peer.transform([str(value)] for value in values.tolist()),
        lambda: HashingEncoder(2**20).transform(X),
        n_rounds,
    )
    return [kind, f"hashing: transform {len(X):,}", *figures]


def main():
    """Time all kinds of columns and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    n_rounds = parser.parse_args().rounds
    rows = []
    for kind, sequences in sequences_by_kind().items():
        rows += sequence_rows(kind, sequences, n_rounds)
    numbers = np.random.default_rng(1).integers(0, 2**62, N_IDENTIFIERS)
    texts = pd.Series([f"user-{number}" for number in numbers], dtype=object)
    rows.append(hashing_row("int64", numbers, n_rounds))
    rows.append(hashing_row("object", texts, n_rounds))
    write_report(
        "sequences",
        "Encoding sequences and hashing identifiers",
        pd.DataFrame(
            rows, columns=["column", "call", "scikit-learn", "sk_mtl", "faster"]
        ),
        notes=f"{N_SEQUENCES:,} sequences, {MEAN_LENGTH} items each on average, "
        f"{N_ITEMS:,} distinct items; {N_IDENTIFIERS:,} distinct identifiers. "
        f"Milliseconds; the minimum of {n_rounds} alternating rounds.",
        packages=["pyarrow"],
    )


if __name__ == "__main__":
    main()

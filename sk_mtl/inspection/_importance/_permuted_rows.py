"""Rows of X in which one column is permuted, as a model reads them."""

import numpy as np
import pandas as pd

from sk_mtl._frames import as_pandas, column_names

# Rows on which it is checked that a permuted column changes its own features only.
_CHECKED = 1000
# Rows that are answered at a time.
_CHUNK = 65_536


class PermutedColumns:
    """Answers of an estimator for rows in which one column is permuted.

    A raw row is encoded once. Where each feature is made of one column, to permute the
    column is to permute its features, so that only the network has to answer again, and
    only for rows that get another value, once for each value: of a column that is zero
    nine times in ten, most permuted rows are the row itself or one seen before.

    That a column changes its own features only is checked on up to 1,000 rows: it is
    permuted, the rows encoded, and every feature compared. A column that fails, for
    instance one that a principal component reads, is permuted in X and encoded again.

    Parameters
    ----------
    estimator : estimator
        Fitted.
    X : {DataFrame, array-like} of shape (n_samples, n_features)
    model : MultiTaskModel or None
        The model, if it is all there is in the estimator; None otherwise.

    Attributes
    ----------
    names : list of str
        The columns of X.
    """

    def __init__(self, estimator, X, model=None):
        self._estimator, self._network = estimator, None
        self._is_frame = hasattr(X, "columns")
        self._X = as_pandas(X) if self._is_frame else np.asarray(X)
        self.names = column_names(X)
        if model is not None:
            self._network = model.predictor_
            self._arrays = self._network.encode(self._X)
            self._logits = self._network.logits(self._arrays)
            self._places = [self._find(j) for j in range(len(self.names))]

    def is_quick(self, column):
        """Return whether only the network answers again where a column is permuted."""
        return self._network is not None and self._places[column] is not None

    def answer(self):
        """Return a function of a method's name that returns what it answers for X."""
        if self._network is None:
            return self._of_raw(self._X)
        return self._of_logits(self._logits)

    def permuted(self, column, orders):
        """Yield such a function for each order of one column.

        Parameters
        ----------
        column : int
        orders : list of ndarray of shape (n_samples,)
            The row of X from which each row takes its value.
        """
        if not self.is_quick(column):
            for order in orders:
                yield self._of_raw(_permuted(self._X, column, order))
            return
        features = self._places[column]
        values, first = features.identify(self._arrays)
        wanted = np.stack([values[order] for order in orders])
        changed = wanted != values
        # A key is a row with another value; several orders may ask for it.
        keys = np.nonzero(changed)[1] * len(first) + wanted[changed]
        keys, inverse = np.unique(keys, return_inverse=True)
        rows, donors = keys // len(first), first[keys % len(first)]
        answered = self._answer_rows(features, rows, donors)[inverse]
        ends = changed.sum(axis=1).cumsum()
        for is_changed, part in zip(changed, np.split(answered, ends[:-1])):
            logits = self._logits.copy()
            logits[is_changed] = part
            yield self._of_logits(logits)

    def _answer_rows(self, features, rows, donors):
        """Return the logits of rows that have a column's features of other rows."""
        parts = [self._logits[:0]]
        for start in range(0, len(rows), _CHUNK):
            chunk = slice(start, start + _CHUNK)
            arrays = features.replace(self._arrays, rows[chunk], donors[chunk])
            parts.append(self._network.logits(arrays))
        return np.concatenate(parts)

    def _of_raw(self, X):
        return lambda method: getattr(self._estimator, method)(X)

    def _of_logits(self, logits):
        network = self._network
        answers = [
            each.astype(network.dtype, copy=False) for each in network.answers(logits)
        ]

        def answer(method):
            if method == "predict_proba":
                return network.probabilities(answers)
            return network.decode(answers)

        return answer

    def _find(self, column):
        """Return the features of a column; None if others depend on it, too."""
        schema, name = self._network.schema, self.names[column]
        if name not in schema.input_names:
            return None
        made = schema.names_of(name)
        features = _Features(
            *(
                [known.index(each) for each in made if each in known]
                for known in (
                    schema.categorical_names,
                    schema.numeric_names,
                    schema.sequence_names,
                )
            )
        )
        n_checked = min(_CHECKED, len(self._arrays.codes))
        rows = slice(0, n_checked)
        some = self._X.iloc[rows] if self._is_frame else self._X[rows]
        order = np.random.default_rng(0).permutation(n_checked)
        encoded = self._network.encode(_permuted(some, column, order))
        expected = features.replace(
            self._network.encode(some), np.arange(n_checked), order
        )
        return features if _equal(encoded, expected) else None


class _Features:
    """Positions of the features that are made of one column."""

    def __init__(self, codes, numeric, sequences):
        self._positions = codes, numeric, sequences

    def identify(self, arrays):
        """Return the number of each row's value, and the first row of each value."""
        codes, numeric, sequences = self._positions
        parts = [arrays.codes[:, codes], arrays.numeric[:, numeric]]
        parts += [arrays.sequences[k] for k in sequences]
        # Compared bit by bit, so that numbers need no tolerance.
        parts = [np.ascontiguousarray(part).view(np.uint8) for part in parts]
        table = np.concatenate(
            [part.reshape(len(arrays.codes), -1) for part in parts], axis=1
        )
        if not table.shape[1]:
            return np.zeros(len(table), np.intp), np.zeros(1, np.intp)
        table = np.ascontiguousarray(table)
        keys = table.view(np.dtype((np.void, table.shape[1])))[:, 0]
        _, first, values = np.unique(keys, return_index=True, return_inverse=True)
        return values, first

    def replace(self, arrays, rows, donors):
        """Return some rows, with these features of other rows."""
        codes, numeric, sequences = self._positions
        new_codes, new_numeric = arrays.codes[rows], arrays.numeric[rows]
        if codes:
            new_codes[:, codes] = arrays.codes[np.ix_(donors, codes)]
        if numeric:
            new_numeric[:, numeric] = arrays.numeric[np.ix_(donors, numeric)]
        new_sequences = tuple(
            each[donors if k in sequences else rows]
            for k, each in enumerate(arrays.sequences)
        )
        return arrays._replace(
            codes=new_codes, numeric=new_numeric, sequences=new_sequences
        )


def _permuted(X, column, order):
    """Return X with one column in another order of rows."""
    X = X.copy()
    if isinstance(X, pd.DataFrame):
        X.isetitem(column, X.iloc[order, column].set_axis(X.index))
    else:
        X[:, column] = X[order, column]
    return X


def _equal(first, second):
    pairs = [(first.codes, second.codes), (first.numeric, second.numeric)]
    pairs += zip(first.sequences, second.sequences, strict=True)
    return all(np.array_equal(a, b) for a, b in pairs)

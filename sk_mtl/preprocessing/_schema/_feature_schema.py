"""Which columns of a preprocessor's output are categories, sequences and numbers."""

import copy
from typing import NamedTuple

import numpy as np

from sk_mtl.preprocessing._schema._blocks import NumericBlock
from sk_mtl.preprocessing._schema._column_sources import ColumnSources
from sk_mtl.preprocessing._schema._direct_path import direct_path
from sk_mtl.preprocessing._schema._output_columns import (
    as_slice,
    as_table,
    take_columns,
)
from sk_mtl.preprocessing._schema._read_blocks import read_named_blocks
from sk_mtl.preprocessing._schema._schema_table import schema_frame, schema_text
from sk_mtl.preprocessing._schema._shared_codes import (
    Embeddings,
    check_groups,
    groups_of_sequences,
)
from sk_mtl.preprocessing._schema._training_rows import (
    learn_limits,
    report_columns,
    without_constant_columns,
)
from sk_mtl.preprocessing._tables._numbers import has_infinity


class FeatureArrays(NamedTuple):
    """The arrays that a network is fed with, rows in the order of the table.

    Attributes
    ----------
    codes : ndarray of shape (n_samples, n_categorical), dtype int32
        Codes, 0 for unknown; C-contiguous.
    numeric : ndarray of shape (n_samples, n_numeric), dtype float32 or float64
        Numbers, all of them finite and within `FeatureSchema.numeric_limits`;
        C-contiguous.
    sequences : tuple of ndarray of shape (n_samples, length), dtype int32
        One array per sequence column: the codes of its items, 0 for unknown, then -1
        up to the length of the longest sequence among these rows; C-contiguous.
    """

    codes: np.ndarray
    numeric: np.ndarray
    sequences: tuple = ()


class FeatureSchema:
    """Which output columns of a fitted preprocessor are categories, which are numbers.

    A network embeds categories and takes numbers as they are, but the output of a
    preprocessor is one array. The schema is read off the fitted preprocessor:

    - The columns of a :class:`CategoryEncoder`, of a :class:`HashingEncoder` or of
      scikit-learn's `OrdinalEncoder` are categories, also when the encoder is the last
      step of a pipeline or stands in a nested ColumnTransformer.
    - The columns of a :class:`SequenceEncoder` are read as one sequence of categories
      per column that it encoded.
    - Output columns that still hold labels (dtype `category` or text in a data frame,
      text in an array of objects) are categories, too; their vocabulary is learned
      from the training rows.
    - All other columns are numbers: scaled, one-hot, passed through. Sparse output is
      made dense.

    In every column of categories the code 0 means unknown and the known categories are
    1, 2 and so on. A missing value has a code of its own, the last one, where the
    encoder saw it in training and writes it differently from unknown; else it is 0.
    Columns may share one set of codes, and so one table of embeddings: those that
    `SequenceEncoder(share_with=)` names, and those given to
    :meth:`with_shared_embeddings`. :meth:`extend_encoders` lets the encoder of each
    know what the others saw in training.

    A column of categories or numbers that has a single value in all training rows
    tells nothing and is left out, whatever it holds later.

    Numbers are cut off at 100 times the largest of their column in size among the
    training rows, at 10,000 if that is less, so that no finite number makes a network
    answer with infinity or NaN. What is within ten times the training range is never
    touched.

    Use :meth:`from_preprocessor` to build one.

    Attributes
    ----------
    categorical_names : list of str
        Names of the columns of categories.
    sequence_names : list of str
        Names of the sequences.
    numeric_names : list of str
        Names of the columns of numbers.
    embedded_names : list of str
        Names of all that is embedded: categories, then sequences.
    cardinalities : list of int
        Number of codes of each embedded feature, the unknown one included.
    vocabularies : list of int
        Number of the set of codes of each embedded feature; features with the same
        number share it.
    embedding_dims : list of int or None
        Width of each feature's embedding, once :meth:`with_embedding_dims` set them.
    primary_numeric : list of int
        Positions, among the columns of numbers, of those that hold a number of their
        own: not an indicator of gaps, not a second copy of another column, and more
        than two distinct training values.
    missing_indicators : dict of int to int
        For columns of numbers with an indicator of their gaps, its position among the
        columns of numbers. Only those of a :class:`NumericScaler` are known.
    numeric_limits : ndarray of shape (n_numeric,)
        Numbers of each column are clipped to minus and plus this number.
    dropped : dict of str to str
        Names of the columns left out, and why.
    input_names : list of str
        Names of the columns that the preprocessor was fitted on; `x0`, `x1` and so on
        for an array.
    n_categorical, n_sequences, n_numeric : int
        Number of columns of categories, of sequences and of columns of numbers.
    n_outputs : int
        Number of output columns of the preprocessor.
    summary : list of str
        Lines below the table in the text form, set by :meth:`with_notes`.

    Examples
    --------
    The table of features is the schema's text form.

    >>> import pandas as pd
    >>> from sk_mtl.preprocessing import FeatureSchema, make_tabular_preprocessor
    >>> X = pd.DataFrame({"town": ["Oslo", "Rome", "Oslo"], "age": [30, 40, 50]})
    >>> preprocessor = make_tabular_preprocessor(X)
    >>> schema = FeatureSchema.from_preprocessor(
    ...     preprocessor, preprocessor.fit_transform(X)
    ... )
    >>> schema.with_embedding_dims([4])
    FeatureSchema: 1 categorical, 1 numeric
    feature        kind  cardinality  width
        age     numeric         <NA>      1
       town categorical            3      4

    It turns raw rows into a network's arrays; an unseen town has the code 0.

    >>> schema.transform(preprocessor, pd.DataFrame({"town": ["Bonn"], "age": [40]}))
    FeatureArrays(codes=array([[0]], dtype=int32),
                  numeric=array([[0.]], dtype=float32),
                  sequences=())
    """

    def __init__(self, blocks, n_outputs):
        self.n_outputs = n_outputs
        self.embedding_dims = None
        self.dropped, self.summary = {}, []
        self.primary_numeric, self.missing_indicators = [], {}
        self._blocks = blocks
        self._columns = [as_slice(block.positions) for block in blocks]
        self._targets, self._notes, self._dropped_positions = [], {}, {}
        self._direct, self._reports, self._made_of = None, {}, None
        names = {"categorical": [], "sequence": [], "numeric": []}
        known = {"categorical": [], "sequence": []}
        for block in blocks:
            start = len(names[block.kind])
            self._targets.append(slice(start, start + len(block.names)))
            names[block.kind] += block.names
            if block.kind == "numeric":
                self._mark_numbers(block, start)
            else:
                known[block.kind] += [column.vocabulary for column in block.columns]
        self.categorical_names, self.sequence_names, self.numeric_names = names.values()
        self.embedded_names = self.categorical_names + self.sequence_names
        self.n_categorical = len(self.categorical_names)
        self.n_sequences = len(self.sequence_names)
        self.n_numeric = len(self.numeric_names)
        vocabularies = known["categorical"] + known["sequence"]
        self._set_embeddings(Embeddings(self.embedded_names, vocabularies))

    @classmethod
    def from_preprocessor(cls, preprocessor, transformed, X=None):
        """Read the schema off a fitted preprocessor.

        Parameters
        ----------
        preprocessor : fitted transformer, "passthrough" or None
            ColumnTransformer, Pipeline or any transformer.
        transformed : array, sparse matrix or data frame of shape (n_samples, n_outputs)
            What it made of the training rows.
        X : data frame or array of shape (n_samples, n_features), default=None
            The training rows. With them, codes are found that a later step of a
            pipeline, or a transformer of another library, hands on unchanged, and a
            `ColumnWarning` names those that it changes.

        Returns
        -------
        schema : FeatureSchema
            The schema of its output.
        """
        shape = getattr(transformed, "shape", ())
        if len(shape) != 2 or shape[1] == 0:
            raise ValueError(
                "The preprocessor must return a table with at least one column; found "
                f"the shape {shape}; let one of its steps keep a column."
            )
        Z = as_table(transformed)
        blocks, names = read_named_blocks(preprocessor, Z, X)
        blocks, dropped, reasons = without_constant_columns(blocks, Z)
        learn_limits(blocks, Z)
        schema = cls(blocks, shape[1])
        schema.dropped = reasons
        schema._dropped_positions = dropped
        schema._notes = dict(schema.dropped)
        schema._direct = direct_path(preprocessor, blocks)
        schema._sources = ColumnSources(preprocessor, names)
        schema.input_names = schema._sources.input_names
        schema._reports = report_columns(blocks, Z)
        return schema._share(groups_of_sequences(blocks, schema))

    def with_embedding_dims(self, embedding_dims):
        """Return a copy that knows the widths of the embeddings.

        Parameters
        ----------
        embedding_dims : list of int
            One width per embedded feature: categories first, then sequences.

        Returns
        -------
        schema : FeatureSchema
            The copy.
        """
        if len(embedding_dims) != len(self.embedded_names):
            raise ValueError(
                "`embedding_dims` must have one entry per column of categories, then "
                f"one per sequence; found {len(embedding_dims)} for "
                f"{len(self.embedded_names)} columns."
            )
        schema = copy.copy(self)
        schema.embedding_dims = [int(width) for width in embedding_dims]
        return schema

    def with_shared_embeddings(self, groups):
        """Return a copy in which the columns of each group share one set of codes.

        The common codes are those of the categories that at least one of the columns
        keeps, sorted by value, after the 0 of unknown ones; then follow one code for
        rare categories, if a column has any, and one for missing values, if a column
        has it. Numbers are compared exactly whatever their type. A category that is
        rare in one column keeps its rare code there, although another column may keep
        it. Hashed columns share as they are, if `n_buckets` and `seed` are equal.

        The preprocessor stays as it is, and so a category that only another column
        held in training is still unknown to the encoder of this one, until
        :meth:`extend_encoders` tells it.

        Parameters
        ----------
        groups : list of list of str
            Names of embedded features. Groups that `SequenceEncoder(share_with=)` has
            made are joined with those that have a column in common with them.

        Returns
        -------
        schema : FeatureSchema
            The copy.

        Examples
        --------
        What is sold and what was bought before have the same codes.

        >>> import pandas as pd
        >>> from sk_mtl.preprocessing import CategoryEncoder, FeatureSchema
        >>> X = pd.DataFrame({"item": ["tea", "ink"], "last": ["tea", "pen"]})
        >>> encoder = CategoryEncoder()
        >>> schema = FeatureSchema.from_preprocessor(encoder, encoder.fit_transform(X))
        >>> schema.transform(encoder, X).codes.tolist()
        [[2, 2], [1, 1]]
        >>> shared = schema.with_shared_embeddings([["item", "last"]])
        >>> shared.transform(encoder, X).codes.tolist()
        [[3, 3], [1, 2]]
        """
        return self._share(check_groups(groups, self))

    def extend_encoders(self):
        """Let the encoders of columns that share their codes know all of each other's.

        This changes the fitted preprocessor that the schema was read off, in place: a
        :class:`CategoryEncoder` or :class:`SequenceEncoder` learns, for each column,
        the categories that the columns it shares with held in training. They get codes
        behind all that it has, so that rows it encoded before are read as before. From
        then on such a category has its common code in every column of the group. One
        that no column keeps is rare in all of them; one that is rare in a column stays
        rare there. The encoder's attributes follow.

        The copy that is returned reads the codes. Other schemas of the preprocessor
        refuse those that are additional. scikit-learn's `OrdinalEncoder` cannot learn:
        its columns read what they did not hold in training as unknown.

        Returns
        -------
        schema : FeatureSchema
            The copy; without shared codes nothing is changed.

        Examples
        --------
        The pen was only the last thing bought in training, and has its code as an item.

        >>> import pandas as pd
        >>> from sk_mtl.preprocessing import CategoryEncoder, FeatureSchema
        >>> X = pd.DataFrame({"item": ["tea", "ink"], "last": ["tea", "pen"]})
        >>> encoder = CategoryEncoder()
        >>> schema = FeatureSchema.from_preprocessor(encoder, encoder.fit_transform(X))
        >>> shared = schema.with_shared_embeddings([["item", "last"]])
        >>> new = pd.DataFrame({"item": ["pen", "ink"], "last": ["pen", "fan"]})
        >>> shared.transform(encoder, new).codes.tolist()
        [[0, 2], [1, 0]]
        >>> extended = shared.extend_encoders()
        >>> extended.transform(encoder, new).codes.tolist()
        [[2, 2], [1, 0]]
        """
        schema, embeddings = copy.copy(self), self._embeddings.extended()
        vocabularies = embeddings.vocabularies
        kinds = {"categorical": vocabularies[: self.n_categorical]}
        kinds["sequence"] = vocabularies[self.n_categorical :]
        schema._blocks = [
            block if block.kind == "numeric" else block.extended(kinds[block.kind][own])
            for block, own in zip(self._blocks, self._targets, strict=True)
        ]
        schema._set_embeddings(embeddings)
        return schema

    def with_notes(self, notes, summary=()):
        """Return a copy that shows what is done with the features.

        Parameters
        ----------
        notes : dict of str to str
            Texts by the names of features.
        summary : list of str, default=()
            Lines below the table in the schema's text form.

        Returns
        -------
        schema : FeatureSchema
            The copy.
        """
        known = {*self.embedded_names, *self.numeric_names, *self.dropped}
        for name in notes:
            if name not in known:
                raise ValueError(
                    f"`notes` must be keyed by features or dropped columns; found "
                    f"{name!r}. Correct the name."
                )
        schema = copy.copy(self)
        schema._notes = {**self.dropped, **notes}
        schema.summary = list(summary)
        return schema

    def names_of(self, column):
        """Return the names of the features that were made of a column of the raw table.

        All outputs of a step that reads a single column are made of this one. Others
        are told by their names: `town`, `town_Oslo` and `missingindicator_town` are
        made of `town`, unless there is a column with a longer name that fits.

        Parameters
        ----------
        column : str
            One of `input_names`, or the name of a feature, which stands for itself.

        Returns
        -------
        names : list of str
            In the order of the preprocessor's output; none if the column was dropped.
        """
        if self._made_of is None:
            self._made_of = self._sources.group(self._blocks)
        if column in self.input_names:
            return list(self._made_of.get(column, []))
        is_feature = column in self.embedded_names or column in self.numeric_names
        return [column] if is_feature else []

    def numbers_of(self, column):
        """Return the positions of the numbers made of a column of the raw table.

        Parameters
        ----------
        column : str
            One of `input_names`.

        Returns
        -------
        positions : list of int or None
            Among the columns of numbers; none if all were dropped as constant. None if
            nothing was made of the column, or a category.
        """
        names = self.names_of(column)
        if names:
            is_number = all(name in self.numeric_names for name in names)
            return [*map(self.numeric_names.index, names)] if is_number else None
        dropped = NumericBlock(
            np.array([*self._dropped_positions.values()], dtype=int),
            [*self._dropped_positions],
        )
        return [] if column in self._sources.group([dropped]) else None

    def split(self, transformed, dtype=np.float32):
        """Split the preprocessor's output into codes, numbers and sequences.

        NaN and infinity among the numbers are refused.

        Parameters
        ----------
        transformed : array, sparse matrix or data frame of shape (n_samples, n_outputs)
            Output of the preprocessor that the schema was read off.
        dtype : {np.float32, np.float64}, default=np.float32
            Type of the numbers.

        Returns
        -------
        arrays : FeatureArrays
            Codes, numbers and sequences.
        """
        return self._split(transformed, dtype, raw=None)

    def _split(self, transformed, dtype, raw):
        if transformed.shape[1] != self.n_outputs:
            raise ValueError(
                f"The preprocessor must return {self.n_outputs} columns, as in "
                f"training; found {transformed.shape[1]}; transform the rows with the "
                "preprocessor that the schema was read off."
            )
        Z = as_table(transformed)
        columns = (take_columns(Z, where) for where in self._columns)
        return self._arrays(Z.shape[0], enumerate(columns), dtype, raw)

    def transform(self, preprocessor, X, dtype=np.float32):
        """Transform raw rows into codes, numbers and sequences.

        The result is that of `split(preprocessor.transform(X))`, but where a finite
        number becomes infinite in the preprocessor it is cut off like any large one.
        The steps of a plain ColumnTransformer are applied one by one, which is faster
        and keeps large codes out of arrays of floats.

        Parameters
        ----------
        preprocessor : fitted transformer, "passthrough" or None
            The preprocessor that the schema was read off.
        X : data frame or array of shape (n_samples, n_features)
            Raw rows.
        dtype : {np.float32, np.float64}, default=np.float32
            Type of the numbers.

        Returns
        -------
        arrays : FeatureArrays
            Codes, numbers and sequences.
        """
        if self._direct is not None and self._direct.takes(X):
            columns = self._direct.read(preprocessor, X)
            return self._arrays(X.shape[0], columns, dtype, X)
        if preprocessor is None or preprocessor == "passthrough":
            return self._split(X, dtype, X)
        with np.errstate(over="ignore"):
            transformed = preprocessor.transform(X)
        return self._split(transformed, dtype, X)

    def frame(self):
        """Return the features as a table.

        Returns
        -------
        frame : DataFrame
            One row per feature in the order of the preprocessor's output, with the
            columns

            - `feature`, its name;
            - `kind`: "numeric", "categorical", "sequence", or "dropped" for a column
              that is left out;
            - `cardinality`, the number of codes (of common codes where features share
              them);
            - `width` that it has in a network, missing for embeddings whose width is
              not set;
            - `kept`, the number of categories with a code of their own;
            - `rare_share`, the share of training rows whose category shares the rare
              code; of the items, for a sequence;
            - `missing_share`, the share of training rows without a value; without an
              item, for a sequence. Of numbers known for those of a `NumericScaler`;
            - `note`, what is done with it.
        """
        return schema_frame(
            self, self._blocks, self._reports, self._dropped_positions, self._notes
        )

    def __repr__(self):
        return schema_text(self)

    def _mark_numbers(self, block, start):
        self.primary_numeric += [start + j for j in block.primary]
        self.missing_indicators |= {
            start + j: start + indicator for j, indicator in block.indicators.items()
        }

    def _set_embeddings(self, embeddings):
        self._embeddings = embeddings
        self.cardinalities = embeddings.cardinalities
        self.vocabularies = embeddings.tables

    def _share(self, groups):
        schema = copy.copy(self)
        schema._set_embeddings(self._embeddings.shared(groups))
        return schema

    @property
    def numeric_limits(self):
        """Bound of each number's size; larger numbers are cut off."""
        limits = [block.limits for block in self._blocks if block.kind == "numeric"]
        return np.concatenate([np.empty(0), *limits])

    def _arrays(self, n_samples, columns, dtype, raw):
        """Arrays filled with what each block reads from its columns."""
        codes = np.empty((n_samples, self.n_categorical), dtype=np.int32)
        numeric = np.empty((n_samples, self.n_numeric), dtype=dtype)
        sequences = [None] * self.n_sequences
        with np.errstate(over="ignore"):
            for i, block_columns in columns:
                block, target = self._blocks[i], self._targets[i]
                values = block.read(block_columns)
                if block.kind == "sequence":
                    sequences[target.start] = values
                elif block.kind == "numeric":
                    _refuse_not_finite(values, block.names, raw)
                    np.clip(values, -block.limits, block.limits, out=numeric[:, target])
                else:
                    codes[:, target] = values
        self._write_common_codes(codes, sequences)
        return FeatureArrays(codes, numeric, tuple(sequences))

    def _write_common_codes(self, codes, sequences):
        """Replace local codes by those that features share, where they differ."""
        for i, remap in enumerate(self._embeddings.remaps):
            if remap is None:
                continue
            j = i - self.n_categorical
            if j < 0:
                codes[:, i] = remap[codes[:, i]]
            else:
                sequences[j] = remap[sequences[j]]


def _refuse_not_finite(values, names, raw):
    """Raise for NaN, and for infinity unless the raw rows hold none."""
    # A sum is finite only where every term is: one pass that seldom needs a second.
    with np.errstate(invalid="ignore"):
        if np.isfinite(values.sum()):
            return
    wrong = np.isnan(values)
    if not wrong.any() and (raw is None or has_infinity(raw)):
        wrong = np.isinf(values)
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        raise ValueError(
            f"Column {names[column]!r} must be finite after the preprocessor; found "
            f"{values[row, column]} in row {row}; impute missing values in the "
            "preprocessor (such as SimpleImputer in front of the scaler), and replace "
            "infinite ones."
        )

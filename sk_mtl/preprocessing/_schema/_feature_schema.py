"""The schema of a preprocessor's output: categories, sequences and numbers."""

import copy

import numpy as np

from sk_mtl.preprocessing._schema._blocks import NumericBlock
from sk_mtl.preprocessing._schema._column_sources import ColumnSources
from sk_mtl.preprocessing._schema._direct_path import direct_path
from sk_mtl.preprocessing._schema._feature_arrays import FeatureArrays
from sk_mtl.preprocessing._schema._output_columns import (
    as_slice,
    as_table,
    take_columns,
)
from sk_mtl.preprocessing._schema._read_blocks import read_named_blocks
from sk_mtl.preprocessing._schema._schema_table import (
    schema_frame,
    schema_html,
    schema_text,
)
from sk_mtl.preprocessing._schema._shared_vocabularies import (
    check_encoders,
    check_groups,
    check_numbers,
    declared_groups,
    merge_groups,
    number_tables,
    recode_arrays,
    replace_encoders,
    united_columns,
)
from sk_mtl.preprocessing._schema._training_rows import (
    learn_limits,
    report_columns,
    without_constant_columns,
)


class FeatureSchema:
    """The output columns of a fitted preprocessor: categories, sequences and numbers.

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
    Columns may share one set of codes, and so one table of embeddings: by their encoder
    (`CategoryEncoder(share=)`), or by :meth:`share_vocabularies`.

    A column of categories or numbers that has a single value in all training rows
    carries no information and is left out, also if later rows hold others.

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
        columns of numbers. Known for a :class:`NumericScaler` only.
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
        self._shared = None  # The preprocessor with new encoders, if there are any.
        names = {"categorical": [], "sequence": [], "numeric": []}
        columns = {"categorical": [], "sequence": []}
        for block in blocks:
            start = len(names[block.kind])
            self._targets.append(slice(start, start + len(block.names)))
            names[block.kind] += block.names
            if block.kind == "numeric":
                self._mark_numbers(block, start)
            else:
                columns[block.kind] += block.columns
        self.categorical_names, self.sequence_names, self.numeric_names = names.values()
        self.embedded_names = self.categorical_names + self.sequence_names
        self.n_categorical = len(self.categorical_names)
        self.n_sequences = len(self.sequence_names)
        self.n_numeric = len(self.numeric_names)
        columns = columns["categorical"] + columns["sequence"]
        self._set_codes(columns, declared_groups(columns, self.embedded_names))

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
                f"the shape {shape}. Let one of its steps keep a column."
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
        return schema

    def with_embedding_dims(self, embedding_dims):
        """Return a copy with the widths of the embeddings.

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

    def share_vocabularies(self, preprocessor, groups, X=None):
        """Return a schema and a preprocessor in which columns share their codes.

        Code 0 of a group is unknown. Then follow the categories that at least one of
        its columns keeps, sorted by value, one code for rare categories, if a column
        has any, and one for missing values, if a column has it. So a category that one
        column held in training is known in all of them. One that is rare in a column
        stays rare there, and one that no column keeps is rare in all. Numbers are
        compared exactly whatever their type.

        The :class:`CategoryEncoder` and :class:`SequenceEncoder` of such columns are
        replaced by new ones. This schema and the preprocessor stay as they are.
        Columns of a :class:`HashingEncoder` share as they are, if `n_buckets` and
        `seed` are equal, and columns of scikit-learn's `OrdinalEncoder`, which cannot
        learn other categories, if the categories are equal.

        Parameters
        ----------
        preprocessor : fitted transformer, "passthrough" or None
            The preprocessor that the schema was read off.
        groups : list of list of str
            Names of embedded features. Groups that share already are joined with those
            that have a column in common with them.
        X : data frame or array of shape (n_samples, n_features), default=None
            The training rows. With them, a step behind the encoders that computes
            numbers from the codes is refused.

        Returns
        -------
        schema : FeatureSchema
            The schema of the new preprocessor.
        preprocessor : fitted transformer, "passthrough" or None
            The new preprocessor, or the same where no encoder has to change.

        Examples
        --------
        The pen was only the last thing bought in training, and has its code as an item.

        >>> import pandas as pd
        >>> from sk_mtl.preprocessing import CategoryEncoder, FeatureSchema
        >>> X = pd.DataFrame({"item": ["tea", "ink"], "last": ["tea", "pen"]})
        >>> encoder = CategoryEncoder()
        >>> schema = FeatureSchema.from_preprocessor(encoder, encoder.fit_transform(X))
        >>> new = pd.DataFrame({"item": ["tea", "pen"], "last": ["pen", "fan"]})
        >>> schema.transform(encoder, new).codes.tolist()
        [[2, 1], [0, 0]]
        >>> schema, encoder = schema.share_vocabularies(encoder, [["item", "last"]])
        >>> schema.transform(encoder, new).codes.tolist()
        [[3, 2], [2, 0]]
        """
        check_encoders(preprocessor, self._shared)
        groups = merge_groups(self._groups + check_groups(groups, self))
        columns = self._code_columns
        for group in groups:
            columns = united_columns(columns, self.embedded_names, group)
        schema = copy.copy(self)
        schema._blocks = [
            block if block.kind == "numeric" else block.with_columns(columns[place])
            for block, place in zip(self._blocks, self._places(), strict=True)
        ]
        schema._set_codes(columns, groups)
        shared = replace_encoders(preprocessor, self._code_columns, columns)
        if shared is not preprocessor:
            schema._shared = shared
            if X is not None:
                check_numbers((self, preprocessor), (schema, shared), X)
        return schema, shared

    def recode(self, arrays, former):
        """Return the arrays of a former schema in the codes of this one.

        It spares encoding rows again after :meth:`share_vocabularies`.

        Parameters
        ----------
        arrays : FeatureArrays
            Arrays that the former schema made.
        former : FeatureSchema
            The schema whose `share_vocabularies` returned this one.

        Returns
        -------
        arrays : FeatureArrays
            The same rows by this schema. A category that is rare in a column stays
            rare there.
        """
        return recode_arrays(arrays, former._code_columns, self._code_columns)

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

        All outputs of a step that reads a single column are made of this one. The
        names show the others: `town`, `town_Oslo` and `missingindicator_town` are
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
                f"training; found {transformed.shape[1]}. Transform the rows with the "
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
        check_encoders(preprocessor, self._shared)
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
              item, for a sequence. Of numbers known for a `NumericScaler`;
            - `note`, what is done with it.
        """
        return schema_frame(
            self, self._blocks, self._reports, self._dropped_positions, self._notes
        )

    def __repr__(self):
        return schema_text(self)

    def _repr_html_(self):
        return schema_html(self)

    def _mark_numbers(self, block, start):
        self.primary_numeric += [start + j for j in block.primary]
        self.missing_indicators |= {
            start + j: start + indicator for j, indicator in block.indicators.items()
        }

    def _set_codes(self, columns, groups):
        """Set the columns of codes, categories first, and the groups that share."""
        self._code_columns, self._groups = columns, groups
        self.cardinalities = [column.vocabulary.cardinality for column in columns]
        self.vocabularies = number_tables(self.embedded_names, groups)

    def _places(self):
        """Return the place of each block among all embedded features."""
        shift = {"categorical": 0, "sequence": self.n_categorical, "numeric": 0}
        return [
            slice(place.start + shift[block.kind], place.stop + shift[block.kind])
            for block, place in zip(self._blocks, self._targets, strict=True)
        ]

    @property
    def numeric_limits(self):
        """Bound of each number's size; larger numbers are cut off."""
        limits = [block.limits for block in self._blocks if block.kind == "numeric"]
        return np.concatenate([np.empty(0), *limits])

    def _arrays(self, n_samples, columns, dtype, raw):
        """Return arrays of the columns that each block, by its index, reads."""
        parts = ((self._blocks[i], self._targets[i], Z) for i, Z in columns)
        counts = self.n_categorical, self.n_numeric, self.n_sequences
        return FeatureArrays.filled(n_samples, parts, counts, dtype, raw)

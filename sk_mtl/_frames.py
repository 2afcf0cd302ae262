"""Tables of pandas, polars and pyarrow, and arrays, as pandas data frames.

No integer passes through a float on the way: where nulls stand among integers, the
column becomes a nullable one. Numbers share their memory with the table they come
from, category columns keep their codes, and lists and decimals keep Arrow's types.
"""

import sys

import numpy as np
import pandas as pd
import pyarrow as pa

from sk_mtl._masked_arrays import without_mask

_NULLABLE = {
    pa.bool_(): pd.BooleanDtype(),
    pa.int8(): pd.Int8Dtype(),
    pa.int16(): pd.Int16Dtype(),
    pa.int32(): pd.Int32Dtype(),
    pa.int64(): pd.Int64Dtype(),
    pa.uint8(): pd.UInt8Dtype(),
    pa.uint16(): pd.UInt16Dtype(),
    pa.uint32(): pd.UInt32Dtype(),
    pa.uint64(): pd.UInt64Dtype(),
}


def is_polars(X):
    """Return whether X is a polars DataFrame; polars is never imported for this."""
    polars = sys.modules.get("polars")
    return polars is not None and isinstance(X, polars.DataFrame)


def is_lazy(X):
    """Return whether X is a query of polars, of which no row has been computed."""
    polars = sys.modules.get("polars")
    return polars is not None and isinstance(X, polars.LazyFrame)


def is_arrow(X):
    """Return whether X is a table of pyarrow."""
    return isinstance(X, pa.Table | pa.RecordBatch)


def is_frame(X):
    """Return whether `X` has named columns, as tables of any library have."""
    return hasattr(X, "columns") and hasattr(X, "shape")


def has_fitted_columns(X, estimator):
    """Return whether `X` is a pandas frame with the columns of an estimator's training.

    scikit-learn's own check of names costs a good part of the time in which one row is
    predicted; where there is nothing to find it is not needed.
    """
    names = getattr(estimator, "feature_names_in_", None)
    return (
        names is not None
        and isinstance(X, pd.DataFrame)
        and X.columns.tolist() == names.tolist()
    )


def column_names(X):
    """Return the names of columns; an array's are `x0`, `x1` and so on."""
    if not is_frame(X):
        return [f"x{j}" for j in range(np.shape(X)[1])]
    return [str(name) for name in X.columns]


def as_pandas(X):
    """Return a data frame or array as a pandas data frame."""
    if isinstance(X, pd.DataFrame):
        return X
    if is_polars(X):
        _refuse_unreadable(_polars_types(X))
        nullable = any(c.null_count() and _is_whole(c.dtype) for c in X.iter_columns())
        return _from_arrow(X, nullable)
    if isinstance(X, pa.RecordBatch):
        X = pa.Table.from_batches([X])
    if isinstance(X, pa.Table):
        _refuse_unreadable((field.name, field.type) for field in X.schema)
        nullable = any(c.null_count and c.type in _NULLABLE for c in X.columns)
        return _from_arrow(_with_signed_codes(X), nullable, date_as_object=False)
    if hasattr(X, "to_pandas"):
        return X.to_pandas()
    X = without_mask(X)
    if isinstance(X, pd.DataFrame):
        return X
    X = np.asarray(X)
    frame = pd.DataFrame(X)
    return frame.infer_objects() if X.dtype.kind == "O" else frame


def frame_of_records(rows, names):
    """Return rows that are dicts as a pandas data frame; absent keys are missing.

    Integers with missing values become a nullable column, which does not round them.

    Parameters
    ----------
    rows : list of dict
    names : list
        Keys, in the order of the columns.

    Returns
    -------
    frame : DataFrame
    """
    columns = [
        _inferred(np.fromiter((row.get(name) for row in rows), object, len(rows)))
        for name in names
    ]
    frame = pd.concat(columns, axis=1) if columns else pd.DataFrame(index=[*rows])
    return frame.set_axis(pd.Index(names, tupleize_cols=False), axis=1)


def _inferred(values):
    """Return objects as a pandas series of the type that holds them all exactly."""
    missing = pd.isna(values)
    kinds = set(map(type, values[~missing]))
    if missing.any() and kinds and kinds <= {int, bool}:
        for dtype in ("boolean",) if kinds == {bool} else ("Int64", "UInt64"):
            try:
                return pd.Series(pd.array(values, dtype=dtype))
            except (OverflowError, TypeError, ValueError):
                continue
    if missing.any() and kinds and kinds <= {float, np.float64, int}:
        return pd.Series(np.where(missing, np.nan, values).astype(np.float64))
    return pd.Series(values).infer_objects()


def refuse_unreadable(frame):
    """Raise for a pandas frame with columns of Arrow's types that no step reads."""
    _refuse_unreadable(
        (name, dtype.pyarrow_dtype)
        for name, dtype in zip(frame.columns, frame.dtypes)
        if isinstance(dtype, pd.ArrowDtype)
    )


def _polars_types(X):
    """Yield names and Arrow's types of polars columns, without columns of objects."""
    for column in X.head(0).iter_columns():
        if str(column.dtype) in ("Int128", "UInt128"):
            raise TypeError(
                f"Column {column.name!r} must hold integers of 64 bits at most; found "
                f"polars' type {column.dtype}. Cast it to Int64 or UInt64, or to text "
                "where the numbers are identifiers."
            )
        if str(column.dtype) != "Object":
            yield column.name, column.to_arrow().type


def _refuse_unreadable(columns):
    for name, arrow_type in columns:
        remedy = _remedy(arrow_type)
        if remedy is not None:
            raise TypeError(
                f"Column {name!r} must hold numbers, text, times or lists of these; "
                f"found Arrow's type {arrow_type}. {remedy}, or drop the column."
            )


def _remedy(arrow_type):
    """Return the remedy for a column of a type that no step reads, or None."""
    types = pa.types
    if isinstance(arrow_type, pa.BaseExtensionType):
        return None
    if types.is_dictionary(arrow_type):
        value = arrow_type.value_type
        extended = isinstance(value, pa.BaseExtensionType)
        if extended or types.is_nested(value) or _remedy(value):
            return "Convert its categories to text"
        return None
    if types.is_struct(arrow_type):
        return "Make a column of each of its fields"
    if types.is_map(arrow_type):
        return "Make a column of each of its keys, or a list of them"
    if types.is_union(arrow_type) or types.is_run_end_encoded(arrow_type):
        return "Cast it to the plain type of its values"
    if arrow_type == pa.month_day_nano_interval():
        return "Make columns of its numbers of months and of days"
    if types.is_time(arrow_type):
        return "Convert it to seconds since midnight, a number, or to the hour as text"
    if types.is_nested(arrow_type) and not _is_list(arrow_type.value_type):
        return _remedy(arrow_type.value_type)
    return None


def column_of(X, position):
    """Return one column of a pandas frame or array as a pandas series."""
    if type(X) is np.ndarray and X.dtype.kind in "biuf":
        # Needs no inference of a type, nor the frame around it.
        return pd.Series(X[:, position].copy(), name=0)
    if isinstance(X, np.ndarray):
        X, position = X[:, [position]], 0
    return as_pandas(X).iloc[:, position]


def column_as_pandas(column):
    """Return a column of polars or pyarrow as a pandas series; without a name if none.

    Parameters
    ----------
    column : polars.Series, pyarrow.Array or pyarrow.ChunkedArray

    Returns
    -------
    series : Series
    """
    if isinstance(column, pa.Array | pa.ChunkedArray):
        return as_pandas(pa.table({"": column})).iloc[:, 0].rename(None)
    if hasattr(column, "to_frame"):
        return as_pandas(column.to_frame()).iloc[:, 0].rename(column.name or None)
    return column.to_pandas()


def is_list_type(dtype):
    """Return whether a type of pandas is one of Arrow's lists."""
    return _is_list(getattr(dtype, "pyarrow_dtype", None))


def is_decimal_type(dtype):
    """Return whether a type of pandas is one of Arrow's decimal numbers."""
    return _is_decimal(getattr(dtype, "pyarrow_dtype", None))


def _is_whole(dtype):
    """Return whether pandas makes floats or objects of a polars type with nulls."""
    return dtype.is_integer() or str(dtype) == "Boolean"


def _from_arrow(X, nullable, **options):
    def pandas_type(arrow_type):
        if _is_list(arrow_type) or _is_decimal(arrow_type):
            return pd.ArrowDtype(arrow_type)
        return _NULLABLE.get(arrow_type) if nullable else None

    # A block per column, as a common block of several would be a copy of them.
    frame = X.to_pandas(types_mapper=pandas_type, split_blocks=True, **options)
    if nullable:
        _simplify(frame)
    return frame


def _simplify(frame):
    """Make plain columns of the nullable ones that have no nulls, in place."""
    for j, dtype in enumerate(frame.dtypes):
        if dtype in _NULLABLE.values() and not (column := frame.iloc[:, j]).hasnans:
            frame.isetitem(j, column.to_numpy(dtype=dtype.numpy_dtype))


def _is_list(arrow_type):
    return isinstance(arrow_type, pa.DataType) and (
        pa.types.is_list(arrow_type)
        or pa.types.is_large_list(arrow_type)
        or pa.types.is_fixed_size_list(arrow_type)
    )


def _is_decimal(arrow_type):
    return isinstance(arrow_type, pa.DataType) and pa.types.is_decimal(arrow_type)


def _with_signed_codes(table):
    """Return a table without unsigned codes of categories, which pandas refuses."""
    for j, field in enumerate(table.schema):
        dtype = field.type
        if pa.types.is_dictionary(dtype) and pa.types.is_unsigned_integer(
            dtype.index_type
        ):
            signed = pa.dictionary(pa.int64(), dtype.value_type, dtype.ordered)
            chunks = [
                pa.DictionaryArray.from_arrays(
                    chunk.indices.cast(pa.int64()),
                    chunk.dictionary,
                    ordered=dtype.ordered,
                )
                for chunk in table.column(j).chunks
            ]
            column = pa.chunked_array(chunks, type=signed)
            table = table.set_column(j, field.name, column)
    return table

"""A ColumnTransformer for tables of numbers, categories, times and lists."""

from sklearn.base import clone
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import QuantileTransformer, RobustScaler, StandardScaler

from sk_mtl._frames import as_pandas, column_names, is_frame
from sk_mtl.preprocessing._encoders._category_encoder import CategoryEncoder
from sk_mtl.preprocessing._encoders._code_reader import CodeReader
from sk_mtl.preprocessing._encoders._sequence_encoder import SequenceEncoder
from sk_mtl.preprocessing._numeric._calendar_parts import PARTS, CalendarParts
from sk_mtl.preprocessing._numeric._elapsed_time import ElapsedTime
from sk_mtl.preprocessing._numeric._numeric_scaler import NumericScaler
from sk_mtl.preprocessing._tables._categorical_features import lists_columns
from sk_mtl.preprocessing._tables._column_steps import (
    STEPS,
    ColumnsOfStep,
    columns_to_read,
    has_names,
)
from sk_mtl.preprocessing._tabular_preprocessor import TabularPreprocessor


def make_tabular_preprocessor(
    X=None,
    *,
    numeric="standard",
    min_frequency=None,
    max_categories=None,
    categorical_features=None,
):
    """Build a ColumnTransformer that makes numbers and codes of a table.

    Columns of numbers are imputed by the median, with an indicator where training had
    gaps, and scaled; decimals are numbers, too. Whole numbers are categories instead
    where the name of the column ends in a word for identifiers (`user_id`, `itemId`,
    `postal_code`), or is "id" and a thing (`id_user`), however few there are. Rename
    the column if they are quantities.
    Identifiers of any type whose values are new in more than half of the rows
    (`order_id`) are left out with a warning, unless they are the only column.

    Points in time, and periods by their start, become elapsed time, a number, and
    month, weekday and hour, which are categories; durations become numbers. Lists
    become sequences of codes. Everything else (`category`, text, objects, bool) is
    encoded by :class:`CategoryEncoder`. The steps are named

    - `num`: a :class:`NumericScaler` (`num__scaler__with_mean`),
    - `time`, for points in time and durations: a pipeline of :class:`ElapsedTime` and a
      `NumericScaler` (`time__scale__scaler__with_mean`),
    - `cat`: a :class:`CategoryEncoder` (`cat__min_frequency`),
    - `codes`, only where `categorical_features` lists columns: a pipeline of a reader
      of integer codes and a `CategoryEncoder` (`codes__encode__min_frequency`),
    - `calendar`, for points in time: a pipeline of :class:`CalendarParts` and a
      `CategoryEncoder` (`calendar__parts__parts`),
    - `seq`, for columns of lists, tuples or arrays: a :class:`SequenceEncoder`
      (`seq__max_length`).

    `time`, `calendar` and `seq` are left out where X is given and has no such column.
    Dates that come as text are categories like any text, with a warning: give them to
    `pandas.to_datetime` first. So are times of day without a date (`datetime.time`),
    each value for itself, while Arrow's and polars' type of them raises an error: turn
    them into seconds, or into hours as text. Lists of fractions are vectors and raise
    an error: give each element a column of its own. In a data frame of pandas a column
    of objects that are integers or floats is one of categories, as `astype(object)`
    marks codes. Convert it to float if they are quantities.

    Parameters
    ----------
    X : data frame or array of shape (n_samples, n_features), default=None
        Table whose columns are assigned to the steps now. None assigns them by dtype
        when the preprocessor is fitted. In a column of objects, the first value that
        is not missing decides.
    numeric : {"standard", "quantile", "robust", "both"} or transformer, \
            default="standard"
        Scaling of the numbers after imputation. "standard" subtracts the mean and
        divides by the standard deviation; "robust" does so with median and quartiles,
        for columns with outliers; "quantile" maps each column to a normal
        distribution, for skewed columns such as incomes, through one quantile per 30
        rows of X (10 to 1000 of them; 1000 without X), and never more than one per row
        in training. "both" gives two copies of each number, the standardized one under
        its plain name and the quantile-normal one as `quantile__<name>`: a network
        reads large steps off the first, and small ones where most rows lie off the
        second.
    min_frequency : int or float, default=None
        Categories with fewer rows, or a smaller share of the rows, are joined.
    max_categories : int, default=None
        Largest number of categories per column; the rarest are joined.
    categorical_features : None, "from_dtype", list or boolean mask, default=None
        None and "from_dtype" take the categories from the dtypes, and from the names
        of identifiers. Names, indices or a mask say which columns are categories,
        whatever their names; all others must then be numbers, points in time,
        durations or lists. Listed columns of text or `category` are
        labels. Listed columns of numbers are opaque codes of an earlier encoder: read
        back exactly as integers, with a vocabulary of their own; -1 and NaN mean
        unknown (code 0), other negative numbers, fractions and infinity raise an error.
        Points in time must not be listed.

    Returns
    -------
    preprocessor : ColumnTransformer
        Not fitted. Its output holds the numbers first, then the codes, then the
        sequences. It is a `TabularPreprocessor`, a subclass that hands its output to an
        estimator with codes and numbers in arrays of their own.

    Warns
    -----
    ColumnWarning
        One for each column that needs attention, if `categorical_features` does not
        list columns: an identifier that is left out, numbers or dates that are held as
        text, and text that is new in nearly every row. Each says what to do. Without X
        they come when the preprocessor is fitted.

    Examples
    --------
    Numbers come first, then one code per category column; a category that was not seen
    in training has the code 0.

    >>> import pandas as pd
    >>> from sk_mtl.preprocessing import make_tabular_preprocessor
    >>> X = pd.DataFrame({"town": ["Oslo", "Rome", "Oslo"], "age": [30, 40, 50]})
    >>> preprocessor = make_tabular_preprocessor(X).fit(X)
    >>> preprocessor.transform(pd.DataFrame({"town": ["Bonn"], "age": [40]}))
    array([[0., 0.]])
    >>> preprocessor.get_feature_names_out()
    array(['age', 'town'], dtype=object)

    A column of dates gives a number and three categories.

    >>> X = pd.DataFrame({"day": pd.to_datetime(["2024-02-29", "2024-03-01"])})
    >>> make_tabular_preprocessor(X).fit(X).get_feature_names_out()
    array(['day', 'day_month', 'day_weekday', 'day_hour'], dtype=object)
    """
    encoder = {"min_frequency": min_frequency, "max_categories": max_categories}
    return preprocessor_for(X, categorical_features, numeric, encoder)


def preprocessor_for(
    X, categorical_features=None, numeric="standard", encoder=None, wanted=()
):
    """Build the preprocessor of `make_tabular_preprocessor`.

    Parameters
    ----------
    X, categorical_features, numeric
        As there.
    encoder : dict, default=None
        Parameters of the encoders of categories.
    wanted : collection of str and int, default=()
        Names and positions of columns of X of which none is left out.

    Returns
    -------
    preprocessor : TabularPreprocessor
    """
    X = as_pandas(X) if is_frame(X) else X
    listed = lists_columns(categorical_features)
    columns, code_names = _columns(X, categorical_features, wanted)
    steps = _steps(_make_scaler(numeric, X), encoder or {}, code_names)
    return TabularPreprocessor(
        [
            (name, step, columns[name])
            for name, step in steps.items()
            if name in ("num", "cat") or (listed if name == "codes" else columns[name])
        ],
        verbose_feature_names_out=_meet(columns["calendar"], X),
    )


def _steps(scaler, encoder, code_names):
    """Return all steps by name, in the order of their output."""
    return {
        "num": NumericScaler(scaler),
        "time": Pipeline(
            [
                ("elapsed", ElapsedTime()),
                ("scale", NumericScaler(clone(scaler, safe=False))),
            ]
        ),
        "cat": CategoryEncoder(**encoder),
        "codes": Pipeline(
            [
                ("read", CodeReader(names=code_names)),
                ("encode", CategoryEncoder(missing="unknown", **encoder)),
            ]
        ),
        "calendar": Pipeline(
            [("parts", CalendarParts()), ("encode", CategoryEncoder(**encoder))]
        ),
        "seq": SequenceEncoder(**encoder),
    }


def _columns(X, categorical_features, wanted):
    """Return columns of each step, and the names of the code columns of an array."""
    if X is None:
        return {step: ColumnsOfStep(step, categorical_features) for step in STEPS}, None
    names = column_names(X)
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise ValueError(
            f"Columns of X must have different names; found {repeated} more than once. "
            "Rename or drop the repeated columns."
        )
    positions = columns_to_read(X, categorical_features, wanted)
    if has_names(X):
        columns = {step: [names[j] for j in js] for step, js in positions.items()}
        return columns, None
    return positions, [names[j] for j in positions["codes"]]


def _meet(times, X):
    """Return whether a part of the calendar would be named as a column of X is.

    The names of the steps then distinguish the two.
    """
    if X is None or not has_names(X):
        return False
    return not {f"{time}_{part}" for time in times for part in PARTS}.isdisjoint(X)


def _make_scaler(numeric, X):
    """Transformer of the imputed numbers that `numeric` asks for."""
    if numeric == "standard":
        return StandardScaler()
    if numeric == "robust":
        return RobustScaler()
    if numeric in ("quantile", "both"):
        n_quantiles = 1000 if X is None else max(10, min(1000, len(X) // 30))
        quantile = QuantileTransformer(
            n_quantiles=n_quantiles, output_distribution="normal", random_state=0
        )
        if numeric == "quantile":
            return quantile
        return FeatureUnion([("standard", StandardScaler()), ("quantile", quantile)])
    if hasattr(numeric, "fit") and hasattr(numeric, "transform"):
        return numeric
    raise ValueError(
        "`numeric` must be 'standard', 'quantile', 'robust', 'both' or a transformer "
        f"with fit and transform; found {numeric!r}."
    )

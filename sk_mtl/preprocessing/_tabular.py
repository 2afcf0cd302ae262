"""A ColumnTransformer for tables of numbers and categories."""

from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import QuantileTransformer, RobustScaler, StandardScaler

from sk_mtl.preprocessing._category_encoder import CategoryEncoder
from sk_mtl.preprocessing._code_reader import CodeReader
from sk_mtl.preprocessing._columns import (
    ColumnsOfStep,
    column_names,
    columns_by_step,
    is_frame,
)
from sk_mtl.preprocessing._numeric_scaler import NumericScaler


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
    gaps, and scaled. Everything else (`category`, text, objects, bool) is encoded by
    :class:`CategoryEncoder`. The steps are named

    - `num`: a :class:`NumericScaler`, which shows the parameters of its scaler
      (`num__with_mean`, `num__n_quantiles`),
    - `cat`: a :class:`CategoryEncoder` (`cat__min_frequency`),
    - `codes`, only where `categorical_features` lists columns: a pipeline of a reader
      of integer codes and a `CategoryEncoder` (`codes__encode__min_frequency`).

    Parameters
    ----------
    X : data frame or array of shape (n_samples, n_features), default=None
        Table whose columns are assigned to the steps now. None assigns them by dtype
        when the preprocessor is fitted.
    numeric : {"standard", "quantile", "robust"} or transformer, default="standard"
        Scaling of the numbers after imputation. "standard" subtracts the mean and
        divides by the standard deviation; "robust" does so with median and quartiles,
        for columns with outliers; "quantile" maps each column to a normal
        distribution, for skewed columns such as incomes, through one quantile per 30
        rows of X (10 to 1000 of them; 1000 without X).
    min_frequency : int or float, default=None
        Categories with fewer rows, or a smaller share of the rows, are joined.
    max_categories : int, default=None
        Largest number of categories per column; the rarest are joined.
    categorical_features : None, "from_dtype", list or boolean mask, default=None
        None and "from_dtype" take the categories from the dtypes. Names, indices or a
        mask say which columns are categories, and all others must then be numbers.
        Listed columns of text or `category` are labels. Listed columns of numbers are
        opaque codes of an earlier encoder: read back exactly as integers, with a
        vocabulary of their own; -1 and NaN mean unknown (code 0), other negative
        numbers, fractions and infinity raise an error.

    Returns
    -------
    preprocessor : ColumnTransformer
        Not fitted. Its output holds the numbers first, then the codes.

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
    """
    encoder = {"min_frequency": min_frequency, "max_categories": max_categories}
    columns, code_names = _columns(X, categorical_features)
    steps = [
        ("num", NumericScaler(_make_scaler(numeric, X)), columns["num"]),
        ("cat", CategoryEncoder(**encoder), columns["cat"]),
    ]
    if categorical_features is not None and not isinstance(categorical_features, str):
        codes = Pipeline(
            [
                ("read", CodeReader(names=code_names)),
                ("encode", CategoryEncoder(missing="unknown", **encoder)),
            ]
        )
        steps.append(("codes", codes, columns["codes"]))
    return ColumnTransformer(steps, verbose_feature_names_out=False)


def _columns(X, categorical_features):
    """Columns of each step, and the names of the code columns of an array."""
    if X is None:
        return {
            step: ColumnsOfStep(step, categorical_features)
            for step in ("num", "cat", "codes")
        }, None
    names = column_names(X)
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise ValueError(
            f"Columns of X must have different names; found {repeated} more than once; "
            "rename or drop the repeated columns."
        )
    positions = columns_by_step(X, categorical_features)
    if is_frame(X) and all(isinstance(name, str) for name in X.columns):
        columns = {step: [names[j] for j in js] for step, js in positions.items()}
        return columns, None
    return positions, [names[j] for j in positions["codes"]]


def _make_scaler(numeric, X):
    """Transformer of the imputed numbers that `numeric` asks for."""
    if numeric == "standard":
        return StandardScaler()
    if numeric == "robust":
        return RobustScaler()
    if numeric == "quantile":
        n_quantiles = 1000 if X is None else max(10, min(1000, len(X) // 30))
        return QuantileTransformer(
            n_quantiles=n_quantiles, output_distribution="normal", random_state=0
        )
    if hasattr(numeric, "fit") and hasattr(numeric, "transform"):
        return numeric
    raise ValueError(
        "`numeric` must be 'standard', 'quantile', 'robust' or a transformer with fit "
        f"and transform; found {numeric!r}."
    )

"""Bad input, line by line of what users get wrong: required; found; what to do."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.exceptions import NotFittedError
from skorch.callbacks import GradientNormClipping

from sk_mtl import ESMMClassifier, MMOEClassifier
from sk_mtl.exceptions import LeakWarning
from tests.estimators.common import QUICK, funnel_table, mixed_table, refuse

both = pytest.mark.parametrize("cls", [MMOEClassifier, ESMMClassifier])


@pytest.fixture(scope="module")
def table():
    return funnel_table(200)


def asked_columns(what="X", remedy="{}[model.feature_names_in_]"):
    """What is said of columns that are not those of the fit."""
    return (
        f"\n{what} must have the columns that the estimator was fitted with, in their "
        f"order. Give {remedy.format(what)}."
    )


def make(cls, **options):
    return cls(**{**QUICK, **options})


@both
def test_no_rows(cls, table):
    X, y = table
    message = (
        "Found array with 0 sample(s) (shape=(0, 4)) while a minimum of 1 is required "
        f"by {cls.__name__}. Give at least one row."
    )
    refuse(lambda: make(cls).fit(X[:0], y[:0]), message)
    refuse(lambda: make(cls).fit(X, y, X_val=X[:0], y_val=y[:0]), message)
    model = make(cls).fit(X, y)
    for method in (model.predict, model.predict_proba, model.predict_log_proba):
        refuse(lambda method=method: method(X[:0]), message)
    array = X[["age", "visits"]].to_numpy()
    with pytest.raises(ValueError, match=r"Found array with 0 sample\(s\)"):
        make(cls).fit(array[:0], y[:0])


@both
def test_lengths_that_differ(cls, table):
    X, y = table
    refuse(
        lambda: make(cls).fit(X, y[:-1]),
        "X and y must have the same number of samples; found: X has 200, y has 199. "
        "Give one row of each per sample.",
    )
    refuse(
        lambda: make(cls).fit(X, y, X_val=X[:3], y_val=y),
        "X_val and y_val must have the same number of samples; found: X_val has 3, "
        "y_val has 200. Give one row of each per sample.",
    )
    message = (
        "{} must have shape (200,) or (200, 2), one weight per row, or per row and "
        "task; found {}."
    )
    refuse(
        lambda: make(cls).fit(X, y, sample_weight=np.ones(199)),
        message.format("sample_weight", "(199,)"),
    )
    refuse(
        lambda: make(cls).partial_fit(X, y, sample_weight=np.ones((200, 3))),
        message.format("sample_weight", "(200, 3)"),
    )
    refuse(
        lambda: make(cls).fit(X, y, None, X, y, np.ones((1, 2))),
        message.format("sample_weight_val", "(1, 2)"),
    )
    refuse(
        lambda: make(cls).fit(X, y).score(X, y[:7]),
        "X and y must have the same number of samples; found 200 and 7. Give one row "
        "of each per sample.",
    )


@both
def test_y_of_three_dimensions(cls, table):
    X, _ = table
    message = (
        "y must have 1 dimension, or 2 dimensions with one column per task; found 3 "
        "dimensions. Reshape it."
    )
    refuse(lambda: make(cls).fit(X, np.zeros((200, 2, 2))), message)
    refuse(lambda: make(cls).partial_fit(X, np.zeros((200, 2, 2))), message)


@both
def test_a_task_with_one_class(cls, table):
    X, y = table
    message = (
        "Task 'conversion' must have at least two classes among its labelled rows of "
        "positive weight; found only one class: [0]. Drop the task, or give rows of "
        "another class. Where other rows have one, name all classes by classes=."
    )
    refuse(lambda: make(cls).fit(X, y.assign(conversion=0)), message)
    refuse(lambda: make(cls).partial_fit(X, y.assign(conversion=0)), message)
    weight = np.ones(y.shape)
    weight[y["conversion"] == 1, 1] = 0
    refuse(lambda: make(cls).fit(X, y, sample_weight=weight), message)


@both
def test_a_task_without_labels(cls, table):
    X, y = table
    message = (
        "Task 'conversion' must have labelled rows; found none: all 200 labels are "
        "missing. Drop the column, or give its labels."
    )
    refuse(lambda: make(cls).fit(X, y.assign(conversion=np.nan)), message)
    marked = y.assign(conversion=-1)
    refuse(lambda: make(cls, missing_label=-1).fit(X, marked), message)


@both
def test_infinite_x(cls, table):
    X, y = table
    infinite = X.assign(age=X["age"].where(X.index != 7, np.inf))
    message = (
        "X must be finite or missing (NaN); found infinity in column 'age', row 7. "
        "Replace the infinite values, for instance by NaN."
    )
    refuse(lambda: make(cls).fit(infinite, y), message)
    model = make(cls).fit(X, y)
    refuse(lambda: model.predict_proba(infinite), message)
    refuse(lambda: make(cls).fit(X, y, X_val=infinite, y_val=y), message)


@both
@pytest.mark.parametrize("form", ["csr", "dok", "lil", "coo"])
def test_sparse_x(form, cls, table):
    X, y = table
    numbers = X[["age", "visits"]].astype(float)
    model = make(cls).fit(numbers.to_numpy(), y)
    matrix = sparse.csr_matrix(numbers.to_numpy()).asformat(form)
    for action in (lambda: make(cls).fit(matrix, y), lambda: model.predict(matrix)):
        refuse(
            action,
            "Sparse data was passed for X, but dense data is required. Use "
            "'.toarray()' to convert to a dense numpy array.",
            TypeError,
        )
    refuse(
        lambda: make(cls).fit(numbers.astype(pd.SparseDtype(float)), y),
        "Sparse data was passed for column 'age' of X, but dense data is required. Use "
        "X.sparse.to_dense().",
        TypeError,
    )
    refuse(
        lambda: make(cls).fit(X, sparse.csr_matrix(y.to_numpy())),
        "y must be dense; found a sparse matrix. Use y.toarray().",
        TypeError,
    )


@both
def test_duplicate_column_names(cls, table):
    X, y = table
    refuse(
        lambda: make(cls).fit(X.rename(columns={"age": "visits"}), y),
        "The columns of X must have different names; found ['visits'] more than once. "
        "Rename or drop the repeated columns.",
    )
    refuse(
        lambda: make(cls).fit(X, y.set_axis(["buy", "buy"], axis=1)),
        "The task names in y must differ, also as text; found ['buy', 'buy']. Rename "
        "the columns.",
    )


@both
def test_other_columns_at_predict(cls, table):
    X, y = table
    model = make(cls).fit(X, y)
    start = "The feature names should match those that were passed during fit.\n"
    for method in (model.predict, model.predict_proba, model.partial_fit):
        act = (lambda X, m=method: m(X, y)) if "fit" in method.__name__ else method
        refuse(
            lambda: act(X.drop(columns="age")),  # noqa: B023
            f"{start}Feature names seen at fit time, yet now missing:\n- age"
            + asked_columns(),
        )
        refuse(
            lambda: act(X.assign(zip=1)),  # noqa: B023
            f"{start}Feature names unseen at fit time:\n- zip{asked_columns()}",
        )
        refuse(
            lambda: act(X[X.columns[::-1]]),  # noqa: B023
            f"{start}Feature names must be in the same order as they were in fit."
            + asked_columns(),
        )


@both
def test_another_number_of_columns_at_predict(cls, table):
    X, y = table
    array = X[["age", "visits"]].to_numpy()
    refuse(
        lambda: make(cls).fit(array, y).predict(array[:, :1]),
        f"X has 1 features, but {cls.__name__} is expecting 2 features as input."
        + asked_columns(remedy="the same columns"),
    )


@both
def test_text_in_a_numeric_column_at_predict(cls, table):
    X, y = table
    model = make(cls).fit(X, y)
    message = (
        "Column 'age' must hold numbers; found the text 'old'. Convert the column to "
        "numbers, and write NaN where a number is missing."
    )
    refuse(lambda: model.predict_proba(X.assign(age="old")), message)
    some = X["age"].astype(object).where(X.index != 5, "old")
    refuse(lambda: model.predict_proba(X.assign(age=some)), message)


@both
def test_complex_numbers(cls, table):
    X, y = table
    model = make(cls).fit(X, y)
    refused = X.assign(age=X["age"] + 1j)
    for action in (lambda: make(cls).fit(refused, y), lambda: model.predict(refused)):
        refuse(
            action,
            "Complex data not supported: column 'age' of X must be real; found "
            "complex128. Give real and imaginary part as two columns.",
        )
    refuse(
        lambda: make(cls).fit(X[["age"]].to_numpy() * 1j, y),
        "Complex data not supported: X must be real; found complex numbers. Give real "
        "and imaginary parts as columns of their own.",
    )
    for labels in (y * 1j, y.to_numpy() * 1j):
        refuse(
            lambda labels=labels: make(cls).fit(X, labels),
            "Complex data not supported: y must hold class labels; found complex128. "
            "Give real labels.",
        )


@both
@pytest.mark.parametrize(
    ("value", "message"),
    [
        (
            -1.0,
            "{} must not be negative; found weight -1.0 in row 3. Use weight 0 for a "
            "row that must not count.",
        ),
        (
            np.nan,
            "{} must hold finite weights; found nan in row 3. Use weight 0 for a row "
            "that must not count.",
        ),
        (
            0.0,
            "{} must hold a positive weight; found that every weight is zero. Give "
            "some row a weight above 0.",
        ),
    ],
)
def test_weights_that_make_no_sense(cls, table, value, message):
    X, y = table
    weight = np.zeros(200)
    weight[3] = value
    own, theirs = message.format("sample_weight"), message.format("sample_weight_val")
    refuse(lambda: make(cls).fit(X, y, sample_weight=weight), own)
    refuse(lambda: make(cls).partial_fit(X, y, sample_weight=weight), own)
    both_tasks = np.column_stack([weight, weight])
    refuse(lambda: make(cls).fit(X, y, sample_weight=both_tasks), own)
    refuse(lambda: make(cls).fit(X, y, None, X, y, weight), theirs)


@both
def test_validation_rows_without_their_labels(cls, table):
    X, y = table
    message = (
        "X_val and y_val must be given together; found {} without {}. Give both, or "
        "neither."
    )
    refuse(lambda: make(cls).fit(X, y, X_val=X), message.format("X_val", "y_val"))
    refuse(lambda: make(cls).fit(X, y, y_val=y), message.format("y_val", "X_val"))
    refuse(
        lambda: make(cls).fit(X, y, sample_weight_val=np.ones(200)),
        "sample_weight_val must come with the rows that it weights; found it without "
        "X_val and y_val. Give all three, or drop it.",
    )


@both
def test_validation_rows_with_other_columns(cls, table):
    X, y = table
    start = "The feature names should match those that were passed during fit.\n"
    refuse(
        lambda: make(cls).fit(X, y, X_val=X.drop(columns="plan"), y_val=y),
        f"{start}Feature names seen at fit time, yet now missing:\n- plan"
        + asked_columns("X_val"),
    )
    refuse(
        lambda: make(cls).fit(X, y, X_val=X, y_val=y[["click"]]),
        "y_val must have the columns ['click', 'conversion'], one per task; found "
        "['click']. Rename the columns, or give those that are missing.",
    )
    refuse(
        lambda: make(cls).fit(X, y, X_val=X, y_val=y + 1),
        "y_val of task 'click' must hold the classes [0, 1]; found 2. Remove these "
        "rows, or give all classes at the first fit.",
    )
    refuse(
        lambda: make(cls).fit(X, y, X_val=X, y_val=y * np.nan),
        "y_val must hold labels with positive weight, to decide when to stop; found "
        "none. Give labelled validation rows, or set early_stopping=False.",
    )


@both
def test_other_classes_at_a_later_partial_fit(cls, table):
    X, y = table
    given = [[0, 1], [0, 1]]
    model = make(cls).partial_fit(X, y, classes=given)
    refuse(
        lambda: model.partial_fit(X, y, classes=[[0, 1], [0, 2]]),
        "classes of task 'conversion' must be the same as in the first call, [0, 1]; "
        "found [0, 2]. Give the same classes, or None.",
    )
    refuse(
        lambda: model.partial_fit(X, y.assign(conversion=2)),
        "y of task 'conversion' must hold the classes [0, 1]; found 2. Remove these "
        "rows, or give all classes at the first fit.",
    )
    model.partial_fit(X, y, classes=given)


@both
def test_predictions_before_a_fit(cls, table):
    X, y = table
    model = cls()
    message = (
        f"This {cls.__name__} instance is not fitted yet. Call 'fit' with appropriate "
        "arguments before using this estimator."
    )
    names = ["predict", "predict_proba", "predict_log_proba"]
    names += (
        ["predict_gates"] if cls is MMOEClassifier else ["predict_conditional_proba"]
    )
    for name in names:
        refuse(lambda name=name: getattr(model, name)(X), message, NotFittedError)
    refuse(lambda: model.score(X, y), message, NotFittedError)


@both
def test_a_label_among_the_features(cls, table):
    X, y = table
    with pytest.warns(LeakWarning) as caught:
        make(cls).fit(X.assign(copy=y["click"]), y)
    assert [str(w.message) for w in caught] == [
        "Feature 'copy' must not tell the label of task 'click'; found that it equals "
        "the label in every labelled row, which is a leak: the model will read the "
        "answer off it. Drop 'copy' from X."
    ]


@both
def test_a_loss_that_is_nan(cls, table):
    refuse(
        lambda: make(cls, optimizer="sgd", lr=1e30).fit(*table),
        "The loss must stay finite; it became NaN or infinite in epoch 1, before any "
        "epoch was complete. Try a smaller lr, check the scale of numeric columns and "
        "the sample weights, or use precision='float64'.",
    )


@both
@pytest.mark.parametrize(
    ("odd", "found"), [(7, "found one value: 7"), ([[1], [2]], r"found a list: \[1\]")]
)
def test_a_sequence_column_with_a_scalar_or_a_nested_list(cls, table, odd, found):
    X, y = table
    X = X.assign(history=[[1, 2]] * 199 + [odd])
    with pytest.raises(TypeError, match=f"Column 'history'.*{found}"):
        make(cls).fit(X, y)


@both
def test_clipping_of_sparse_gradients(cls, table):
    clipping = GradientNormClipping(1.0)
    model = make(cls, callbacks=[clipping], sparse_embedding=True)
    refuse(
        lambda: model.fit(*table),
        "callbacks must not clip the norm of gradients where tables have sparse ones, "
        "which have no norm in torch; found GradientNormClipping. Set "
        "sparse_embedding=False, or leave the callback out.",
    )
    assert make(cls, callbacks=[clipping]).fit(*table).n_iter_ > 0


@both
def test_sparse_tables_of_every_member(cls, table):
    options = {"n_members": 2, "sparse_embedding": True}
    refuse(
        lambda: make(cls, member_sharing="none", **options).fit(*table),
        "sparse_embedding must be False or 'auto' where every member has tables of its "
        "own; found True with member_sharing='none'. Let the members share the tables "
        "(member_sharing='embedding').",
    )
    for sharing in ("most", "embedding"):
        make(cls, member_sharing=sharing, **options).fit(*table)


def test_weights_of_other_tasks():
    X, y = mixed_table()
    weight = y.rename(columns={"churn": "bill"}) + 1.0
    expected = r"must have the columns \['churn', 'buy'\].*found \['bill', 'buy'\]"
    with pytest.raises(ValueError, match=expected):
        MMOEClassifier(**QUICK).fit(X, y, sample_weight=weight)
    model = MMOEClassifier(**QUICK).fit(X, y)
    with pytest.raises(ValueError, match=expected):
        model.score(X, y, sample_weight=weight)


def test_a_callback_that_is_none():
    X, y = mixed_table()
    with pytest.raises(ValueError, match=r"must hold skorch callbacks.*found 'foo'"):
        MMOEClassifier(callbacks=["foo"], **QUICK).fit(X, y)


def test_groups_with_a_missing_value():
    X, y = mixed_table()
    groups = [None, *["a", "b"] * 119, "c"]
    with pytest.raises(ValueError, match=r"groups must name.*missing values"):
        MMOEClassifier(early_stopping=True, **QUICK).fit(X, y, groups=groups)


def test_too_large_a_share_of_validation_rows():
    X, y = mixed_table()
    model = MMOEClassifier(early_stopping=True, validation_fraction=0.9999, **QUICK)
    with pytest.raises(ValueError, match=r"validation_fraction=0.9999 of 240 rows"):
        model.fit(X, y)

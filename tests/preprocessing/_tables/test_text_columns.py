import warnings

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from sk_mtl import MMOEClassifier
from sk_mtl.datasets import load_adult, load_census_income
from sk_mtl.exceptions import ColumnWarning
from sk_mtl.metrics import task_scores
from sk_mtl.preprocessing import make_tabular_preprocessor
from sk_mtl.preprocessing._tables._column_steps import columns_by_step
from sk_mtl.preprocessing._tables._text_columns import warn_of_text
from tests.preprocessing._sample_tables import import_polars

N = 120
RNG = np.random.default_rng(0)
AMOUNTS = RNG.lognormal(8, 1, N)


def frame_of(values, name="a", dtype=None):
    return pd.DataFrame({name: pd.Series(values, dtype=dtype), "price": 1.0})


def messages(X, **parameters):
    """What a preprocessor of X warns of."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        make_tabular_preprocessor(X, **parameters)
    assert {warning.category for warning in caught} <= {ColumnWarning}
    return [str(warning.message) for warning in caught]


def followed(X, message):
    """X as the call in a message converts it."""
    call = message.partition("Convert it with ")[2].partition(", or, if they")[0]
    X = X.copy()
    exec(call, {"X": X, "pd": pd})
    return X


NUMBERS = {
    "fractions": [f"{v:.2f}" for v in AMOUNTS],
    "one gap": ["?", *(f"{v:.2f}" for v in AMOUNTS[1:])],
    "some gaps": ["n/a" if i % 20 == 0 else f"{v:.1f}" for i, v in enumerate(AMOUNTS)],
    "missing": [None if i % 3 == 0 else f"{v:.1f}" for i, v in enumerate(AMOUNTS)],
    "integers": [f"{v:.0f}" for v in AMOUNTS],
    "negative": [f"{v:.0f}" for v in AMOUNTS - 3000],
    "ages with a gap": ["?", *map(str, range(20, 79))] * 2,
    "exponents": [f"{v:e}" for v in AMOUNTS],
    "spaces": [f" {v:.2f} " for v in AMOUNTS],
    "thousands": [f"{v:,.0f}" for v in AMOUNTS],
    "dollars": [f"${v:,.2f}" for v in AMOUNTS],
    "percent": [f"{v:.2f}%" for v in AMOUNTS],
    "decimal comma": [f"{v:.1f}".replace(".", ",") for v in AMOUNTS],
}


@pytest.mark.parametrize("values", NUMBERS.values(), ids=NUMBERS)
@pytest.mark.parametrize("dtype", [object, "str", "string", "category"])
def test_numbers_held_as_text_are_named_and_the_call_reads_them(values, dtype):
    X = frame_of(values, dtype=dtype)
    (message,) = messages(X)
    if dtype == "category" and values is NUMBERS["integers"]:
        # Integers that are declared as categories are codes, and here seldom come back.
        assert message.startswith("Column 'a' must hold text that comes back")
        return
    assert message.startswith("Column 'a' must not hold numbers as text, of which each")
    read = followed(X, message)["a"]
    assert read.dtype.kind in "fi"
    assert read.notna().sum() >= 0.9 * X["a"].notna().sum()
    assert messages(X.assign(a=read)) == []


def test_the_warning_of_numbers_says_what_to_do():
    X = frame_of(["?"] * 3 + [f"{v:.2f}" for v in AMOUNTS[3:]], "inc")
    with pytest.warns(ColumnWarning) as caught:
        make_tabular_preprocessor(X)
    assert [str(warning.message) for warning in caught] == [
        "Column 'inc' must not hold numbers as text, of which each would be a category "
        f"of its own; found numbers such as '{AMOUNTS[3]:.2f}' in 97 % of its values. "
        "Convert it with X['inc'] = pd.to_numeric(X['inc'], errors='coerce'), or, if "
        "they are labels, list it among the columns of categories in "
        "`categorical_features`."
    ]
    assert caught[0].filename == __file__


CODES = {
    "leading zeros": [f"{k:03d}" for k in range(60)] * 2,
    "zip codes": [str(k) for k in RNG.integers(10_000, 99_999, 60)] * 2,
    "years": [str(k) for k in range(1960, 2020)] * 2,
    "one after the other": [str(k) for k in range(60)] * 2,
    "codes that were floats": [f"{k}.0" for k in range(60)] * 2,
    "few": [f"{k / 2}" for k in range(12)] * 10,
    "mixed": [f"{k / 2}" if k % 2 else f"size {k}" for k in range(60)] * 2,
    "letters": [f"A{k}" for k in range(60)] * 2,
    "towns": ["Oslo", "Rome", "Bonn", None] * 30,
}


@pytest.mark.parametrize("values", CODES.values(), ids=CODES)
def test_codes_are_no_numbers(values):
    for dtype in (object, "category"):
        assert messages(frame_of(values, dtype=dtype)) == []


@pytest.mark.parametrize("name", ["zip", "PLZ", "phone", "user_id", "country_code"])
def test_names_of_codes_keep_them_categories(name):
    values = ["?", *map(str, RNG.integers(1000, 30_000, 59))] * 4
    assert messages(frame_of(values, name)) == []
    assert len(messages(frame_of(values, "amount"))) == 1


@pytest.mark.parametrize("gap", ["?", "n/a"])
@pytest.mark.parametrize("n_text", [0, 30])
def test_numbers_beside_text_are_named(gap, n_text):
    values = [gap, *(f"{v:.2f}" for v in AMOUNTS[:n_text]), *AMOUNTS[n_text:-1]]
    X = frame_of(pd.Series(values, dtype=object))
    (message,) = messages(X)
    assert "found numbers such as" in message
    assert "in 99 % of its values" in message
    read = followed(X, message)["a"]
    np.testing.assert_allclose(read[1:], AMOUNTS[:-1], atol=0.01)
    assert messages(X.assign(a=read)) == []
    assert messages(X.to_numpy(dtype=object))


def test_integers_beside_text_may_be_codes():
    values = pd.Series([*range(60), *map(str, range(60))] * 2, dtype=object)
    assert messages(frame_of(values)) == []


def test_integers_that_are_declared_as_categories_are_codes():
    values = [str(k) for k in RNG.choice(195, 32, replace=False)] * 5
    assert len(messages(frame_of(values, "job"))) == 1
    assert messages(frame_of(values, "job", dtype="category")) == []


def test_numbers_that_are_no_text_are_left_alone():
    for values in (AMOUNTS.astype(object), pd.Categorical(AMOUNTS), AMOUNTS):
        assert messages(frame_of(values)) == []


DAYS = pd.date_range("2023-12-25", periods=N, freq="25h")
DATES = {
    form: DAYS.strftime(form).tolist()
    for form in ("%Y-%m-%d", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%SZ", "%Y/%m/%d")
    + ("%Y-%m-%dT%H:%M:%S.%f+0200", "%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%d-%m-%Y")
    + ("%m/%d/%y", "%d %b %Y", "%d-%b-%Y", "%b %d, %Y", "%B %d, %Y", "%Y%m%d")
    + ("%a %d %b %Y", "%m/%d/%Y %I:%M %p", "%d.%m.%Y %H:%M")
}


@pytest.mark.parametrize("form", DATES)
@pytest.mark.parametrize("dtype", [object, "str", "category"])
def test_dates_held_as_text_are_named_and_the_call_reads_them(form, dtype):
    X = frame_of([*DATES[form][:-2], "?", None], dtype=dtype)
    (message,) = messages(X)
    assert message.startswith("Column 'a' must not hold dates as text, of which each")
    read = followed(X, message)["a"]
    form = form.replace("+0200", "%z")
    expected = pd.to_datetime(X["a"][:-2].astype(object), format=form, utc=True)
    assert read[-2:].isna().all()
    assert (pd.to_datetime(read[:-2], utc=True) == expected).all()
    assert messages(X.assign(a=read)) == []


def test_months_held_as_text_are_dates():
    months = pd.date_range("2019-01-01", periods=60, freq="MS")
    X = frame_of([*months.strftime("%Y-%m"), "?"])
    (message,) = messages(X)
    assert "found dates such as '2019-01' in 98 % of its values" in message
    assert followed(X, message)["a"][:60].tolist() == months.tolist()
    ranges = [f"{k}-{k + 9}" for k in range(2000, 2600, 10)] * 2
    assert messages(frame_of(ranges)) == []


def test_the_warning_of_dates_says_what_to_do():
    assert messages(frame_of(["?"] * 6 + DATES["%d.%m.%Y"][6:], "day")) == [
        "Column 'day' must not hold dates as text, of which each would be a category "
        "of its own; found dates such as '31.12.2023' in 95 % of its values. Convert "
        "it with X['day'] = pd.to_datetime(X['day'], format='mixed', dayfirst=True, "
        "errors='coerce'), or, if they are labels, list it among the columns of "
        "categories in `categorical_features`."
    ]


@pytest.mark.parametrize(
    "values",
    [
        ["1.2.3", "1.10.0", "2.0.1", "2.0.2", "3.1.4", "3.1.5"],
        ["12:30", "13:00", "13:30", "14:00", "14:30", "15:00"],
        ["123-45-6789", "987-65-4321", "111-22-3333", "222-33-4444", "1-2-3"],
        ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday"],
        ["2024-01-01", "2024-04-01", "2024-07-01"],
        ["99/99/2024", "88/88/2024", "77/77/2024", "66/66/2024", "55/55/2024"],
    ],
    ids=["versions", "times", "numbers", "weekdays", "few", "no days"],
)
def test_what_looks_like_dates(values):
    assert messages(frame_of(values * 20)) == []


NOTES = [f"ticket {i} of today" for i in range(N)]


@pytest.mark.parametrize("dtype", [object, "str", "string", "category"])
def test_text_that_is_new_in_nearly_every_row_is_named(dtype):
    X = frame_of([*NOTES[:-10], *NOTES[:5], *[None] * 5], "note", dtype)
    assert messages(X) == [
        "Column 'note' must hold text that comes back in other rows, to be of use as a "
        "category; found 110 texts in 115 rows, new in 95 % of them. Encode its words "
        "by TfidfVectorizer and TruncatedSVD in the preprocessor, drop it, or, to keep "
        "it as a category, list it among the columns of categories in "
        "`categorical_features`."
    ]


def test_text_that_comes_back_is_a_category():
    assert messages(frame_of(NOTES[: N // 2] * 2)) == []
    assert messages(frame_of(NOTES[:19])) == []
    # New in nearly all of the rows that are looked at, but not in the others.
    many = [f"town {k}" for k in range(2000)] * 10
    assert messages(frame_of(np.random.default_rng(0).permutation(many))) == []


def test_all_tables_and_moments_warn_alike():
    pl = import_polars()
    X = pd.DataFrame({"note": NOTES, "inc": NUMBERS["one gap"], "day": DATES["%Y%m%d"]})
    expected = messages(X)
    assert len(expected) == 3
    arrow = pa.Table.from_pandas(X)
    for table in (
        pl.from_pandas(X),
        arrow,
        X.astype("category"),
        arrow.to_batches()[0],
    ):
        assert messages(table) == expected
    with pytest.warns(ColumnWarning) as caught:
        make_tabular_preprocessor().fit(X)
    assert [str(warning.message) for warning in caught] == expected
    array = messages(X.to_numpy(dtype=object))
    assert [text.partition(" must")[0] for text in array] == [
        "Column 'x0'",
        "Column 'x1'",
        "Column 'x2'",
    ]
    assert "with pd.to_numeric(column, errors='coerce'), or, if they" in array[1]


def test_listed_columns_are_taken_as_listed():
    X = pd.DataFrame({"note": NOTES, "inc": NUMBERS["one gap"], "day": DATES["%Y%m%d"]})
    assert messages(X, categorical_features=list(X)) == []
    assert len(messages(X, categorical_features="from_dtype")) == 3


def test_a_fit_warns_once_for_each_column_at_the_line_of_the_user():
    X = pd.DataFrame({"note": NOTES, "inc": NUMBERS["one gap"], "x": AMOUNTS})
    y = pd.DataFrame({"a": AMOUNTS > 3000, "b": AMOUNTS > 6000}).astype(int)
    for preprocessor in (None, make_tabular_preprocessor()):
        with pytest.warns(ColumnWarning) as caught:
            MMOEClassifier(
                preprocessor=preprocessor, max_epochs=1, check_leaks=False
            ).fit(X, y)
        assert [warning.filename for warning in caught] == [__file__] * 2


def test_numbers_held_as_text_cost_accuracy_until_converted():
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"inc": rng.lognormal(3, 1, 2000), "b": rng.normal(size=2000)})
    y = pd.DataFrame({"t": (np.log(X["inc"]) + X["b"] > 3).astype(int)})
    text = X.assign(inc=X["inc"].round(2).astype(str))
    text.loc[7, "inc"] = "?"
    (message,) = messages(text)
    scores = []
    for table in (X, followed(text, message)):
        model = MMOEClassifier(random_state=0).fit(table[:1500], y[:1500])
        proba = model.predict_proba(table[1500:])
        scores.append(task_scores(y[1500:], proba).loc["t", "roc_auc"])
    assert scores[0] == pytest.approx(scores[1], abs=0.005)
    with pytest.warns(ColumnWarning, match="'inc'"):
        model = MMOEClassifier(random_state=0).fit(text[:1500], y[:1500])
    score = task_scores(y[1500:], model.predict_proba(text[1500:])).loc["t", "roc_auc"]
    assert score < scores[1] - 0.05


def test_values_that_are_no_text_are_left_to_the_encoder():
    for values in ([{1}, {2}] * 60, [1, "a"] * 60, [None] * N, [b"a", b"b"] * 60):
        assert messages(frame_of(pd.Series(values, dtype=object))) == []
    assert messages(frame_of(["\ud800 lone", "half"] * 60, dtype=object)) == []


def test_the_bundled_tables_are_ordinary():
    for load in (load_adult, load_census_income):
        X, _ = load(return_X_y=True)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            warn_of_text(X, columns_by_step(X)["cat"])

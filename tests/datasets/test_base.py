"""Behaviour that both bundled tables share."""

from importlib.resources import files

import numpy as np
import pandas as pd
import pytest

from sk_mtl.datasets import load_adult, load_census_income

LOADERS = [load_adult, load_census_income]
KEYS = {
    "data",
    "target",
    "frame",
    "feature_names",
    "target_names",
    "sample_weight",
    "DESCR",
}


@pytest.fixture(scope="module", params=LOADERS, ids=lambda load: load.__name__)
def load(request):
    return request.param


def test_bunch_has_the_entries_of_a_scikit_learn_dataset(load):
    bunch = load(subset="test")
    assert set(bunch) == KEYS
    assert bunch.feature_names == list(bunch.data.columns)
    assert bunch.target_names == list(bunch.target.columns)
    assert list(bunch.frame.columns) == bunch.feature_names + bunch.target_names
    assert bunch.frame[bunch.feature_names].equals(bunch.data)
    assert bunch.frame[bunch.target_names].equals(bunch.target)


def test_return_X_y_is_data_and_target(load):
    bunch = load(subset="test")
    X, y = load(subset="test", return_X_y=True)
    assert X.equals(bunch.data)
    assert y.equals(bunch.target)


def test_targets_are_integers_0_and_1(load):
    y = load(subset="test").target
    assert (y.dtypes == np.int64).all()
    assert all(set(y[name]) == {0, 1} for name in y)


def test_all_is_train_followed_by_test_numbered_afresh(load):
    whole, train, test = (load(subset=name) for name in ("all", "train", "test"))
    assert whole.data.index.equals(pd.RangeIndex(len(train.data) + len(test.data)))
    for key in ("data", "target", "frame"):
        parts = pd.concat([train[key], test[key]], ignore_index=True)
        assert whole[key].equals(parts)
        assert test[key].index.equals(pd.RangeIndex(len(test[key])))


def test_categories_and_so_codes_are_the_same_in_every_subset(load):
    train, test, whole = (load(subset=name).data for name in ("train", "test", "all"))
    for name in train.select_dtypes("category"):
        categories = train[name].cat.categories
        assert list(categories) == sorted(categories)
        assert list(categories) == list(test[name].cat.categories)
        assert list(categories) == list(whole[name].cat.categories)


def test_every_column_can_be_written_to(load):
    X, y = load(subset="test", return_X_y=True)
    for frame in (X, y):
        for name in frame:
            frame.loc[0, name] = frame.loc[7, name]
        assert frame.iloc[0].astype(object).equals(frame.iloc[7].astype(object))


def test_every_call_returns_a_fresh_frame(load):
    bunch = load(subset="test")
    age, label = bunch.data.loc[0, "age"], bunch.target.iloc[0, 0]
    bunch.data.loc[0, "age"] = age + 1
    bunch.target.iloc[0, 0] = 1 - label
    assert bunch.frame.loc[0, "age"] == age
    again = load(subset="test")
    assert again.data.loc[0, "age"] == age
    assert again.target.iloc[0, 0] == label


def test_the_order_of_tasks_is_the_order_of_columns(load):
    forth = load(subset="test").target
    names = list(forth.columns)
    back = load(subset="test", tasks=names[::-1]).target
    assert back.equals(forth[names[::-1]])


def test_descr_names_source_and_licence(load):
    text = load(subset="test").DESCR
    assert "UCI Machine Learning Repository" in text
    assert "https://doi.org/10.24432/" in text
    assert "CC BY 4.0" in text


def test_attribution_lies_beside_the_files():
    folder = files("sk_mtl.datasets") / "data"
    text = (folder / "ATTRIBUTION.md").read_text(encoding="utf-8")
    tables = [path.name for path in folder.iterdir() if path.name.endswith(".parquet")]
    assert len(tables) == 4
    assert all(f"`{name}`" in text for name in tables)
    assert "CC BY 4.0" in text


@pytest.mark.parametrize("subset", ["validation", None, 1, ["train"]])
def test_wrong_subset(load, subset):
    with pytest.raises(ValueError) as error:
        load(subset=subset)
    message = str(error.value)
    assert message.startswith("subset must be one of ('train', 'test', 'all'); found ")
    assert repr(subset) in message
    assert "split subset='train'" in message


def test_a_single_task_given_as_a_string(load):
    with pytest.raises(ValueError, match=r"tasks must be .* names out of \('income',"):
        load(tasks="income")
    with pytest.raises(ValueError, match=r"For a single task write tasks=\('income'"):
        load(tasks="income")


@pytest.mark.parametrize("tasks", [(), [], None, 3, {"income"}])
def test_tasks_that_are_no_sequence_of_names(load, tasks):
    with pytest.raises(ValueError, match=r"found .* Write for instance tasks=\('inc"):
        load(tasks=tasks)


@pytest.mark.parametrize("tasks", [("incom", "income"), ("income", ["incom"])])
def test_unknown_task(load, tasks):
    with pytest.raises(ValueError, match=r"found .*incom.* table does not have"):
        load(tasks=tasks)


def test_repeated_task(load):
    with pytest.raises(ValueError, match=r"each once; found .* Drop the repetition"):
        load(tasks=("income", "income"))


def test_wrong_return_X_y(load):
    with pytest.raises(ValueError, match=r"'return_X_y' parameter .* Got 'yes'"):
        load(return_X_y="yes")

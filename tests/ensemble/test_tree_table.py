import datetime

import numpy as np
import pandas as pd

from sk_mtl.ensemble._tree_table import TreeTable


def test_codes_come_first_and_numbers_stay_what_they_are():
    X = pd.DataFrame(
        {
            "age": pd.array([30, None, 50], dtype="Int64"),
            "town": ["Rome", "Oslo", None],
            "paid": [True, False, True],
            "price": [1.5, np.nan, 2.0],
        }
    )
    table = TreeTable()
    found = table.fit_transform(X, np.zeros((3, 1)))
    assert table.n_categories_ == 2
    wanted = [[2, 2, 30, 1.5], [1, 1, np.nan, np.nan], [3, 2, 50, 2.0]]
    np.testing.assert_array_equal(found, wanted)
    new = pd.DataFrame({"age": [1], "town": ["Bonn"], "paid": [True], "price": [0.0]})
    np.testing.assert_array_equal(table.transform(new), [[0, 2, 1, 0]])


def test_lists_become_lengths_and_counts_of_their_elements():
    X = pd.DataFrame({"seen": [["tea", "milk", "tea"], ["milk"], [], None]})
    table = TreeTable()
    found = table.fit_transform(X, np.zeros((4, 1)))
    np.testing.assert_array_equal(found, [[3, 1, 2], [1, 1, 0], [0, 0, 0], [0, 0, 0]])
    new = table.transform(pd.DataFrame({"seen": [["tea", "beer"]]}))
    np.testing.assert_array_equal(new, [[2, 0, 1]])


def test_dates_become_numbers_and_parts_of_the_calendar():
    days = [datetime.date(2024, 2, 29), datetime.date(2024, 3, 1)]
    X = pd.DataFrame({"day": pd.to_datetime(days)})
    found = TreeTable().fit_transform(X, np.zeros((2, 1)))
    # One day apart; month, weekday and hour.
    assert found[1, 0] - found[0, 0] == 1
    np.testing.assert_array_equal(found[:, 1:], [[2, 3, 0], [3, 4, 0]])


def test_many_categories_get_the_mean_label_of_other_rows():
    shop = np.repeat(np.arange(300), 4)
    X = pd.DataFrame({"shop": shop.astype(str)})
    y = (shop % 2 == 0)[:, None] * 1.0
    table = TreeTable(random_state=0)
    inside = table.fit_transform(X, y)
    assert table.n_categories_ == 1
    assert inside[:, 0].max() <= 252
    means = table.transform(X)[:, 1]
    assert means[y[:, 0] == 1].min() > means[y[:, 0] == 0].max()
    # Labels without a pattern are not told to their own rows.
    noise = np.random.default_rng(0).normal(size=(1200, 1))
    own = TreeTable(random_state=0).fit_transform(X, noise)[:, 1]
    assert abs(np.corrcoef(own, noise[:, 0])[0, 1]) < 0.1
    unseen = table.transform(pd.DataFrame({"shop": ["new"]}))
    np.testing.assert_allclose(unseen, [[0, y.mean()]])


def test_arrays_are_tables_of_numbers():
    X = np.array([[1.0, np.nan], [2.0, 3.0]])
    np.testing.assert_array_equal(TreeTable().fit_transform(X, X[:, :1]), X)

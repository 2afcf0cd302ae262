import numpy as np

from sk_mtl.datasets._funnel_world import (
    draw_items,
    draw_log,
    draw_users,
    earlier_items,
)


def test_earlier_items_by_hand():
    user = np.array([7, 3, 7, 7, 3, 7])
    item = np.array([10, 11, 12, 13, 14, 15])
    assert earlier_items(user, item, length=2).tolist() == [
        [-1, -1],
        [-1, -1],
        [-1, 10],
        [10, 12],
        [-1, 11],
        [12, 13],
    ]


def test_users_are_shown_what_they_like_and_items_by_popularity():
    rng = np.random.RandomState(0)
    users, items = draw_users(50, rng), draw_items(40, rng)
    log = draw_log(100_000, users, items, 3, rng)
    liking = users.taste @ items.centre.T
    shown = np.zeros_like(liking)
    np.add.at(shown, (log.user, items.category[log.item]), 1)
    share = np.exp(liking) / np.exp(liking).sum(axis=1, keepdims=True)
    share_shown = shown / shown.sum(axis=1, keepdims=True)
    busy = shown.sum(axis=1) > 1000
    np.testing.assert_allclose(share_shown[busy], share[busy], atol=0.05)

    favourite = np.bincount(items.category).argmax()
    of_it = np.flatnonzero(items.category == favourite)
    count = np.bincount(log.item, minlength=40)[of_it]
    popularity = items.popularity[of_it]
    np.testing.assert_allclose(
        count / count.sum(), popularity / popularity.sum(), atol=0.02
    )


def test_active_users_have_more_rows():
    rng = np.random.RandomState(0)
    users, items = draw_users(20, rng), draw_items(10, rng)
    log = draw_log(50_000, users, items, 3, rng)
    share = np.bincount(log.user, minlength=20) / 50_000
    np.testing.assert_allclose(share, users.activity, atol=0.01)

"""Means of answers and their weights, on numbers worked out by hand."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from sk_mtl.ensemble._voted_tasks import VotedTasks
from sk_mtl.ensemble._votes import join_answers, least_loss_weights, multiply_steps


def test_two_classes_are_a_mean_of_log_odds():
    # Odds 4 and 1: their geometric mean is 2, hence 2/3.
    answers = [np.log([[0.2, 0.8]]), np.log([[0.5, 0.5]])]
    np.testing.assert_allclose(
        np.exp(join_answers(answers, [0.5, 0.5])), [[1 / 3, 2 / 3]]
    )


def test_weights_count_in_the_log_odds():
    # Odds 16 to the power of 3/4 are 8.
    answers = [np.log([[1 / 17, 16 / 17]]), np.log([[0.5, 0.5]])]
    np.testing.assert_allclose(
        np.exp(join_answers(answers, [0.75, 0.25])), [[1 / 9, 8 / 9]]
    )


def test_several_classes_are_a_normalised_geometric_mean():
    # sqrt(.8 * .2) = .4, sqrt(.1 * .4) = .2 twice: 1/2, 1/4, 1/4.
    answers = [np.log([[0.8, 0.1, 0.1]]), np.log([[0.2, 0.4, 0.4]])]
    np.testing.assert_allclose(
        np.exp(join_answers(answers, [0.5, 0.5])), [[0.5, 0.25, 0.25]]
    )


def test_numbers_are_a_weighted_mean():
    answers = [np.array([1.0, 2.0]), np.array([5.0, 6.0])]
    assert join_answers(answers, [0.75, 0.25]).tolist() == [2.0, 3.0]


def test_steps_are_products_along_the_tree():
    tasks = VotedTasks(
        ["buy", "click", "like"], [np.array([0, 1])] * 3, [1, None, 1], [1, 1, 0]
    )
    rates = [np.log([[0.5, 0.5]]), np.log([[0.8, 0.2]]), np.log([[0.25, 0.75]])]
    buy, click, like = map(np.exp, multiply_steps(rates, tasks))
    np.testing.assert_allclose(click, [[0.8, 0.2]])
    np.testing.assert_allclose(buy, [[0.9, 0.1]])
    # The first class of "like" means that it was reached: 0.25 of the clicks.
    np.testing.assert_allclose(like, [[0.05, 0.95]])


def test_weights_of_least_squared_error_are_found():
    a, b = np.array([0.0, 4.0, 0.0, 8.0]), np.array([4.0, 0.0, 8.0, 4.0])
    found = least_loss_weights([a, b], 0.25 * a + 0.75 * b)
    np.testing.assert_allclose(found, [0.25, 0.75], atol=1e-4)


def test_an_answer_that_does_not_help_has_no_weight():
    y = np.array([0.0, 1.0, 2.0, 3.0])
    assert least_loss_weights([y, -y], y).tolist() == [1.0, 0.0]


def test_sample_weights_decide_among_rows():
    a, b, y = np.array([1.0, 0.0]), np.array([0.0, 1.0]), np.array([1.0, 1.0])
    assert least_loss_weights([a, b], y, np.array([1.0, 0.0])).tolist() == [1.0, 0.0]


@pytest.mark.parametrize("n_classes", [2, 3])
def test_weights_of_least_log_loss_have_no_better_neighbour(n_classes):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 4))
    y = (X[:, :n_classes] + rng.normal(size=(300, n_classes))).argmax(axis=1)
    answers = [
        LogisticRegression().fit(X[:, own], y).predict_log_proba(X[:, own])
        for own in ([0, 3], [1, 2])
    ]

    def loss(weight):
        joined = join_answers(answers, [weight, 1 - weight])
        return -joined[np.arange(300), y].mean()

    found = least_loss_weights(answers, y.astype(float))[0]
    grid = np.linspace(0, 1, 1001)
    assert abs(found - grid[np.argmin([loss(weight) for weight in grid])]) < 2e-3


def test_without_held_out_labels_weights_are_equal():
    assert least_loss_weights([np.zeros(0)] * 2, np.zeros(0)).tolist() == [0.5, 0.5]

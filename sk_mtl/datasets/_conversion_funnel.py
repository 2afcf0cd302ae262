"""A log of impressions, clicks and conversions whose true rates are known."""

from numbers import Integral, Real

import numpy as np
import pandas as pd
from scipy.special import expit
from sklearn.utils import check_random_state

from sk_mtl._sklearn_compat import Interval, validate_params
from sk_mtl.datasets import _funnel_world as world
from sk_mtl.datasets._funnel_logits import intercept, step_logits


@validate_params(
    {
        "n_samples": [Interval(Integral, 1, None, closed="left")],
        "n_users": [Interval(Integral, 1, None, closed="left")],
        "n_items": [Interval(Integral, 1, None, closed="left")],
        "step_names": [tuple, list],
        "click_rate": [Interval(Real, 0, 1, closed="neither")],
        "conversion_rate": [Interval(Real, 0, 1, closed="neither"), tuple, list],
        "selection_strength": [Interval(Real, 0, None, closed="left")],
        "sequence_length": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def make_conversion_funnel(
    n_samples=10_000,
    *,
    n_users=500,
    n_items=100,
    step_names=("click", "conversion"),
    click_rate=0.3,
    conversion_rate=0.2,
    selection_strength=1.0,
    sequence_length=6,
    random_state=None,
):
    r"""Draw impressions, clicks and conversions whose true rates are known.

    A row is an impression: an item shown to a user. Some impressions are clicked and
    some of the clicked ones convert, so conversions are seen for clicked rows only. In
    a real log the conversion probability of the other rows is unknown. Here the true
    click-through rate (CTR) and conversion rate (CVR) of **every** row are returned,
    and an estimate can be scored on all of them.

    Rows come in the order of time. An active user is drawn, then an item category by
    the user's taste, an item of it by popularity, and the slot, the time and the
    discount at random. Each step :math:`k` of the funnel has a logit of its own, a
    function of what X shows and of what hides behind `user_id` and `item_id`,

    .. math:: o_k = \sum_p w_{kp}\, Z(f_{kp}),

    where :math:`Z` standardises over the rows and the parts :math:`f_{kp}` are

    =========  ========================================================  =====  =====
    part       what it is                                                first  later
    =========  ========================================================  =====  =====
    affinity   :math:`\sum_d a_{kd}\, t_{ud}\, q_{id}`: taste of the     0.8    0.8
               user times kind of the item, in 8 dimensions that all
               steps share
    match      :math:`\sum_j \pi_j s_j`, with :math:`s_j` the likeness   1.6    0.3
               (cosine of kinds) of the shown item and the j-th of
               `history`, and attention
               :math:`\pi = \mathrm{softmax}(5 s)`
    mood       mean of :math:`g_k^\top q` over `history`                 0.7    0.35
    user       a level of the user, in part a projection of the taste    0.4    0.5
    item       a level of the item, in part a projection of the kind     0.5    0.5
    price      minus the squared difference of log price and budget      0.3    0.6
    discount   its square root                                           0.1    0.4
    position   :math:`1 / \log_2(1 + \mathrm{position})`                 0.4    0
    freshness  :math:`\exp(-\mathrm{item\_age} / 10)`                    0.3    0.1
    hour       cosine of the time since the step's best hour             0.3    0.3
    =========  ========================================================  =====  =====

    Taste, kind, price, hour and the history act on all steps, through weights
    :math:`a_k, g_k` that differ: what is learnt of users and items for one step helps
    the others. A history is most informative to a model that compares each of its items
    with the one shown. The rates are

    .. math::

        \mathrm{rate}_k &= \sigma(b_k + 1.6\, Z(o_k)) \qquad (k > 1) \\
        \mathrm{rate}_1 &= \sigma(b_1 + 1.6\, c + s\, Z(\textstyle\sum_{k>1} Z(o_k)))

    with intercepts :math:`b_k` that give the mean rates asked for and :math:`s` the
    `selection_strength`. Here :math:`c` is :math:`Z(o_1)` without what it has in common
    with the later steps: cubic polynomials of their logits are added so that, at
    :math:`s = 0`, the probability of the first step is uncorrelated with each of those
    logits and their powers up to the third. With a single step, :math:`c = Z(o_1)`.
    Labels are independent draws given the rates.

    Parameters
    ----------
    n_samples : int, default=10_000
        Number of impressions.
    n_users : int, default=500
        Number of users. With more of them, each has fewer rows and a shorter history,
        and little can be learnt from `user_id`.
    n_items : int, default=100
        Number of items, in 8 categories. With more of them, more rows are needed to
        learn which items are alike, and so to use `history`.
    step_names : tuple or list of str, default=("click", "conversion")
        The steps, from the first to the last; one or more.
    click_rate : float, default=0.3
        The mean rate of the first step, under any name.
    conversion_rate : float, or tuple or list of float, default=0.2
        The mean rate of the later steps, given the step before: one number for all of
        them, or one for each. The mean is over **all** rows. The rate seen among the
        rows that took the step before is higher when `selection_strength` is above 0.
    selection_strength : float, default=1.0
        By how much the logit of the first step rises for each standard deviation that
        a row lies higher in the logit of the later steps. At 0, clicked rows convert
        like all rows. The larger it is, the more clicked rows convert easily, and the
        less they reveal about the others: with the default rates, the mean CVR is 0.20
        over all rows and 0.20, 0.30 and 0.36 over the clicked ones at strengths 0, 1
        and 2. X and the rates of later steps do not depend on
        it. Only the first step is freed of selection at 0: a second and a third step
        share parts of their logits and so select for each other at any strength.
    sequence_length : int, default=6
        The most items that `history` holds.
    random_state : int, RandomState instance or None, default=None
        Pass an int for the same data every time.

    Returns
    -------
    X : DataFrame of shape (n_samples, 12)
        The impressions:

        - `category` columns `user_id` and `item_id` (integers), `user_age_group`,
          `user_country`, `item_category` and `item_brand` (strings; all four are noisy
          signs of the taste and the kind);
        - numbers `price` (paid, after the discount), `discount` (a share), `position`
          (slot on the page, from 1), `hour` (0 to 23) and `item_age` (days);
        - `history`, a list of `item_id` values: the items that the same user was shown
          in earlier rows, oldest first. Empty in a user's first row.
    y : DataFrame of shape (n_samples, n_steps)
        One 0/1 column per step: whether the row reached it. A later step implies the
        earlier ones.
    truth : DataFrame of shape (n_samples, n_steps)
        The true rates, one column `<step>_rate` per step: the probability of the step
        given that the step before was reached, for every row. The product of the
        first k columns is the probability that column k of y is 1.

    See Also
    --------
    make_related_tasks : Tasks with a chosen correlation, without a funnel.

    Notes
    -----
    No model reaches the true rates, but their own AUC bounds what one can reach. With
    the defaults it is about .84 for clicks and .82 for conversions among clicked rows.

    Examples
    --------
    Clicked rows convert more easily than all rows, which a log would not show:

    >>> from sk_mtl.datasets import make_conversion_funnel
    >>> X, y, truth = make_conversion_funnel(selection_strength=2.0, random_state=0)
    >>> clicked = y["click"] == 1
    >>> cvr = truth["conversion_rate"]
    >>> round(float(cvr.mean()), 2), round(float(cvr[clicked].mean()), 2)
    (0.2, 0.36)

    A funnel of three steps:

    >>> X, y, truth = make_conversion_funnel(
    ...     step_names=("click", "cart", "purchase"), conversion_rate=(0.3, 0.5)
    ... )
    >>> list(truth.columns)
    ['click_rate', 'cart_rate', 'purchase_rate']
    """
    names = _checked_names(step_names)
    rates = [click_rate, *_checked_rates(conversion_rate, names)]
    rng = check_random_state(random_state)
    users = world.draw_users(n_users, rng)
    items = world.draw_items(n_items, rng)
    log = world.draw_log(n_samples, users, items, sequence_length, rng)
    logits = step_logits(
        users, items, log, len(names), click_rate, selection_strength, rng
    )
    rates = np.column_stack(
        [expit(logit + intercept(logit, rate)) for logit, rate in zip(logits, rates)]
    )
    truth = pd.DataFrame(rates, columns=[f"{name}_rate" for name in names])
    # A step is reached by succeeding in it and in every step before it.
    success = rng.random_sample(rates.shape) < rates
    y = np.logical_and.accumulate(success, axis=1).astype(np.int64)
    return _features(users, items, log), pd.DataFrame(y, columns=names), truth


def _checked_names(step_names):
    names = list(step_names)
    required = "step_names must hold one or more different strings"
    example = "Write for instance step_names=('click', 'cart', 'purchase')."
    if not names or not all(isinstance(name, str) for name in names):
        raise ValueError(f"{required}; found {names}. {example}")
    if len(set(names)) < len(names):
        raise ValueError(f"{required}; found {names}. Rename the repeated step.")
    return names


def _checked_rates(conversion_rate, names):
    later = names[1:]
    if isinstance(conversion_rate, Real):
        return [conversion_rate] * len(later)
    rates = list(conversion_rate)
    if len(rates) != len(later):
        raise ValueError(
            "conversion_rate must be one number or hold one for each of the "
            f"{len(later)} steps after the first; found {len(rates)}: {rates}. Give "
            f"one for each of {later}."
        )
    if not all(isinstance(rate, Real) and 0 < rate < 1 for rate in rates):
        raise ValueError(
            "conversion_rate must hold numbers strictly between 0 and 1; found "
            f"{rates}. Write percentages as shares, such as 0.02 for 2 %."
        )
    return rates


def _features(users, items, log):
    def codes(values, categories):
        return pd.Categorical.from_codes(values, categories=categories)

    user, item = log.user, log.item
    return pd.DataFrame(
        {
            "user_id": codes(user, np.arange(len(users.activity))),
            "user_age_group": codes(users.age_group[user], world.AGE_GROUPS),
            "user_country": codes(users.country[user], world.COUNTRIES),
            "item_id": codes(item, np.arange(len(items.popularity))),
            "item_category": codes(items.category[item], world.CATEGORIES),
            "item_brand": codes(items.brand[item], world.BRANDS),
            "price": log.price,
            "discount": log.discount,
            "position": log.position,
            "hour": log.hour,
            "item_age": log.item_age,
            "history": _lists(log.earlier),
        }
    )


def _lists(earlier):
    n_missing = (earlier < 0).sum(axis=1).tolist()
    lists = [row[n:] for row, n in zip(earlier.tolist(), n_missing)]
    return pd.Series(lists, dtype=object)

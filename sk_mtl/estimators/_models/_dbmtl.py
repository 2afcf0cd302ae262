"""Bayesian relations between tasks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from sk_mtl._relations import as_tuples, chain_of, resolve_parents
from sk_mtl.estimators._class_structures import step_parents
from sk_mtl.estimators._classifier import MultiTaskClassifier
from sk_mtl.estimators._constraints import LAYER_SIZES
from sk_mtl.estimators._documentation import share_documentation
from sk_mtl.estimators._layer_sizes import resolve_sizes
from sk_mtl.estimators._models._shared_bottom import SharedBottom
from sk_mtl.nn import RelationTowers


@share_documentation
@dataclass(kw_only=True, eq=False, repr=False)
class DBMTL(SharedBottom):
    """Deep Bayesian multi-target learning (DBMTL): tasks depend on tasks.

    The tasks form a directed acyclic graph. A relation layer of task k reads the result
    of the task's tower together with the results of the tasks on which k depends:

    ``r_k = relation_k([tower_k(bottom(x)), r_j, ...])``  for all parents j of k,

    so the prediction of task k uses the results of the tasks before it, and its label
    also trains their towers.

    Parameters
    ----------
    relations : dict or None, default=None
        Maps a task to the task that it depends on, or to a list of several, such as
        ``{"like": "click", "buy": ["click", "like"]}``; tasks left out depend on no
        other. With None each column of `y` depends on the one before, or on the step
        that `structure` gives.

    relation_hidden_sizes : int or tuple of int, default=(32,)
        Widths of the relation layers of each task, at least one.

    References
    ----------
    Wang, Q. et al. (2019). Deep Bayesian Multi-Target Learning for Recommender Systems.
    https://arxiv.org/abs/1902.09154
    """

    _wiring_name = "dbmtl"
    _parameter_constraints: ClassVar[dict] = {
        "relations": [Mapping, None],
        "relation_hidden_sizes": LAYER_SIZES,
    }

    relations: Mapping | None = None
    relation_hidden_sizes: int | tuple[int, ...] = (32,)

    def make_wiring(self, in_width, task_names, **layers):
        """Return the torch module of a shared bottom."""
        bottom = SharedBottom(bottom_hidden_sizes=self.bottom_hidden_sizes)
        return bottom.make_wiring(in_width, task_names, **layers)

    def make_towers(self, in_width, hidden_sizes, head_widths, task_names, **layers):
        """Return towers that read each other's rows."""
        return RelationTowers(
            in_width,
            hidden_sizes,
            head_widths,
            self._resolve_relations(task_names),
            relation_hidden_sizes=resolve_sizes(
                "relation_hidden_sizes", self.relation_hidden_sizes
            ),
            **layers,
        )

    def _resolve_relations(self, task_names: list) -> list[tuple[int, ...]]:
        """Return the positions of the tasks that each task depends on."""
        if self.relations is not None:
            return resolve_parents("relations", self.relations, task_names)
        # Only classifiers have a structure.
        parents = step_parents(getattr(self, "structure", None), task_names)
        return chain_of(task_names) if parents is None else as_tuples(parents)


@share_documentation
@dataclass(kw_only=True, eq=False, repr=False)
class DBMTLClassifier(DBMTL, MultiTaskClassifier):
    """Deep Bayesian multi-target learning (DBMTL) for tasks that depend on tasks.

    See Also
    --------
    AITMClassifier : Consecutive steps with attention between them.

    Examples
    --------
    Marriage depends on income here, and no task depends on marriage.

    >>> from sk_mtl import DBMTLClassifier
    >>> from sk_mtl.datasets import load_adult
    >>> X, y = load_adult(return_X_y=True)
    >>> model = DBMTLClassifier(relations={"married": "income"}, max_epochs=2)
    >>> model = model.fit(X[:500], y[:500])
    >>> [proba.shape for proba in model.predict_proba(X[:5])]
    [(5, 2), (5, 2)]
    """

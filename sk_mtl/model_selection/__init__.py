"""Model selection that is right for several tasks."""

from sk_mtl.model_selection._compare_tasks import compare_tasks
from sk_mtl.model_selection._out_of_fold_proba import out_of_fold_proba
from sk_mtl.model_selection._search_space import SearchSpace, search_space
from sk_mtl.model_selection._task_comparison import TaskComparison
from sk_mtl.model_selection._task_stratified_k_fold import TaskStratifiedKFold

__all__ = [
    "SearchSpace",
    "TaskComparison",
    "TaskStratifiedKFold",
    "compare_tasks",
    "out_of_fold_proba",
    "search_space",
]

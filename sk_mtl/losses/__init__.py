"""Losses: what logits mean and how far they are from the labels."""

from sk_mtl.losses._balancing._balance_methods import (
    AGGREGATORS,
    WEIGHTINGS,
    make_balancer,
)
from sk_mtl.losses._balancing._balancer import Balancer, FixedBalancer
from sk_mtl.losses._balancing._grad_norm import GradNormBalancer
from sk_mtl.losses._balancing._gradient_balancer import (
    AggregatedBalancer,
    GradientBalancer,
)
from sk_mtl.losses._balancing._gradient_conflict import GradientConflict
from sk_mtl.losses._balancing._meta_balance import MetaBalancer
from sk_mtl.losses._balancing._scalarized_balancer import ScalarizedBalancer
from sk_mtl.losses._balancing._task_gradients import check_task_gradients
from sk_mtl.losses._outputs._class_output import ClassOutput
from sk_mtl.losses._outputs._number_outputs import (
    AbsoluteErrorOutput,
    GammaOutput,
    HuberOutput,
    PoissonOutput,
    SquaredErrorOutput,
)
from sk_mtl.losses._outputs._quantile_output import QuantileOutput
from sk_mtl.losses._outputs._task_output import TaskOutput
from sk_mtl.losses._outputs._ziln_output import ZILNOutput
from sk_mtl.losses._soft_targets import SoftTargets
from sk_mtl.losses._structures._escm2 import ESCM2Structure
from sk_mtl.losses._structures._funnel import FunnelStructure
from sk_mtl.losses._structures._independent import IndependentStructure
from sk_mtl.losses._structures._sequential import SequentialStructure
from sk_mtl.losses._structures._structure import Structure
from sk_mtl.losses._structures._thinning import Thinning
from sk_mtl.losses._task_loss import TaskLoss

__all__ = [
    "AGGREGATORS",
    "WEIGHTINGS",
    "AbsoluteErrorOutput",
    "AggregatedBalancer",
    "Balancer",
    "ClassOutput",
    "ESCM2Structure",
    "FixedBalancer",
    "FunnelStructure",
    "GammaOutput",
    "GradNormBalancer",
    "GradientBalancer",
    "GradientConflict",
    "HuberOutput",
    "IndependentStructure",
    "MetaBalancer",
    "PoissonOutput",
    "QuantileOutput",
    "ScalarizedBalancer",
    "SequentialStructure",
    "SoftTargets",
    "SquaredErrorOutput",
    "Structure",
    "TaskLoss",
    "TaskOutput",
    "Thinning",
    "ZILNOutput",
    "check_task_gradients",
    "make_balancer",
]

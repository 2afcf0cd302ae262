"""Tables with several labels: two real ones, bundled, and two generators."""

from sk_mtl.datasets._adult import load_adult
from sk_mtl.datasets._census_income import load_census_income
from sk_mtl.datasets._conversion_funnel import make_conversion_funnel
from sk_mtl.datasets._related_tasks import make_related_tasks

__all__ = [
    "load_adult",
    "load_census_income",
    "make_conversion_funnel",
    "make_related_tasks",
]

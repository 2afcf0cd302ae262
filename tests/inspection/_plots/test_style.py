"""The house style: matplotlib absent, panels, names."""

import sys

import numpy as np
import pytest

from sk_mtl.inspection import TaskRocCurves
from sk_mtl.inspection._plots._style import make_panels, short
from tests.estimators.common import refuse


def test_absent_matplotlib_is_named_with_its_install_line(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    refuse(
        lambda: TaskRocCurves.from_predictions(np.array([0, 1]), np.array([0.2, 0.8])),
        "Plots need matplotlib; found that it is not installed. Run: "
        'pip install "sk-mtl[plot]"',
        ImportError,
    )


@pytest.mark.parametrize(
    ("n_panels", "n_columns"), [(1, 1), (2, 2), (4, 2), (6, 3), (9, 4), (20, 5)]
)
def test_panels_stand_in_few_columns(n_panels, n_columns):
    panels = make_panels(n_panels)
    assert len(panels.axes) == n_panels
    assert panels.axes[0].get_gridspec().ncols == n_columns


def test_style_leaves_other_plots_alone():
    import matplotlib as mpl

    before = dict(mpl.rcParams)
    TaskRocCurves.from_predictions(np.array([0, 1]), np.array([0.2, 0.8]))
    assert dict(mpl.rcParams) == before


def test_long_names_are_cut_in_the_middle():
    assert short("income") == "income"
    assert short("a" * 20 + "z" * 20, 11) == "aaaaa…zzzzz"

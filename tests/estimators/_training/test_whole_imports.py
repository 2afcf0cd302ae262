"""Ctrl-C in an import of the first fit breaks no later fit."""

import subprocess
import sys

import pytest

from sk_mtl.estimators._training._whole_imports import whole_imports

FITS = """
import importlib.abc, os, signal, sys, threading
from sk_mtl import MMOEClassifier
from tests.estimators.common import QUICK, mixed_table

class Press(importlib.abc.MetaPathFinder):
    pressed = False
    def find_spec(self, name, path=None, target=None):
        if name == sys.argv[1] and not Press.pressed:
            Press.pressed = True
            PRESS

sys.meta_path.insert(0, Press())
X, y = mixed_table(80)
model = MMOEClassifier(**QUICK)
for k in range(3):
    try:
        model.fit(X, y)
        assert k > 0
    except KeyboardInterrupt:
        assert k == 0 and not hasattr(model, "net_")
"""
RAISED = "raise KeyboardInterrupt"
SENT = "os.kill(os.getpid(), signal.SIGINT)"


@pytest.mark.nightly
@pytest.mark.parametrize(
    ("name", "press"),
    [
        ("sympy", RAISED),
        ("sympy.polys", SENT),
        ("torch._inductor.config", RAISED),
    ],
    ids=["sympy-raised", "sympy.polys-sent", "torch._inductor.config-raised"],
)
def test_later_fits_work(name, press):
    code = FITS.replace("PRESS", press)
    subprocess.run([sys.executable, "-W", "ignore", "-c", code, name], check=True)


def write_package(folder):
    """A package that reads a part of itself, and is interrupted behind it once."""
    package = folder / "interrupted_package"
    package.mkdir()
    (package / "part.py").write_text("value = 1\n")
    (package / "__init__.py").write_text(
        "from pathlib import Path\n"
        "from interrupted_package.part import value\n"
        "pressed = Path(__file__).with_name('pressed')\n"
        "if not pressed.exists():\n"
        "    pressed.touch()\n"
        "    raise KeyboardInterrupt\n"
    )
    return package


def test_parts_of_a_package_that_was_cut_off_are_forgotten(tmp_path, monkeypatch):
    write_package(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(KeyboardInterrupt), whole_imports():
        __import__("interrupted_package")
    assert not [name for name in sys.modules if "interrupted_package" in name]
    with whole_imports():
        again = __import__("interrupted_package")
    assert again.part.value == 1
    for name in ("interrupted_package", "interrupted_package.part"):
        del sys.modules[name]


def test_what_was_imported_as_a_whole_stays(tmp_path, monkeypatch):
    (write_package(tmp_path) / "pressed").touch()
    monkeypatch.syspath_prepend(tmp_path)

    def import_and_press():
        with whole_imports():
            __import__("interrupted_package")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        import_and_press()
    assert sys.modules.pop("interrupted_package").part
    del sys.modules["interrupted_package.part"]

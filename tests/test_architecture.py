"""Five floors, and a file imports only from floors below its own.

Every file of the package is parsed, imports inside functions included, and held against
the rules below. The rules themselves are tried on made-up sources that break them.
"""

import ast
import importlib
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "sk_mtl"

FLOORS = {
    "preprocessing": 1,
    "datasets": 1,
    "metrics": 1,
    "nn": 2,
    "losses": 3,
    "estimators": 4,
    "model_selection": 5,
    "calibration": 5,
    "inspection": 5,
    "ensemble": 5,
    "export": 5,
}
TOP_FLOOR = max(FLOORS.values())
# On one floor, calibration is learnt on rows that model_selection holds out.
BESIDE = {("calibration", "model_selection")}
FORBIDDEN = {
    1: {"torch", "skorch"},
    2: {"sklearn", "skorch", "pandas"},
    3: {"sklearn", "skorch", "pandas"},
    4: set(),
    5: set(),
}
SKORCH_FILE = "estimators/_training/_net.py"
# A callback of ours derives from skorch's, and some of skorch's are refused.
SKORCH_FILES = (
    *(SKORCH_FILE, "estimators/_training/_checked_callbacks.py"),
    "inspection/_gradient_conflict_recorder.py",
)
COMPAT_FILE = "_sklearn_compat.py"
# Underscored only because a named tuple's fields have the plain names.
NAMED_TUPLE_METHODS = {"_asdict", "_fields", "_field_defaults", "_make", "_replace"}

INIT = "__init__.py"
# Without docstrings and empty lines; and as they are.
MOST_LINES_OF_CODE = 300
MOST_LINES_OF_TESTS = 600

PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def module_names(requirements: list[str]) -> set[str]:
    """Return what is imported of the requirements: scikit-learn is sklearn."""
    names = {Requirement(text).name.lower() for text in requirements}
    return {"sklearn" if n == "scikit-learn" else n.replace("-", "_") for n in names}


# scipy and joblib are scikit-learn's own requirements and need no line of theirs.
REQUIRED = module_names(PYPROJECT["dependencies"]) | {"scipy", "joblib"}
# An extra may hold another one of the package's own.
OPTIONAL = (
    set().union(*map(module_names, PYPROJECT["optional-dependencies"].values()))
    - REQUIRED
    - {"sk_mtl"}
)


class Import:
    """One imported name: `from a.b import c` is module a.b, name c."""

    def __init__(self, module: str, name: str | None, *, lazy: bool) -> None:
        self.module = module
        self.name = name
        self.lazy = lazy
        self.parts = (*module.split("."), *([name] if name else []))

    def __str__(self) -> str:
        return ".".join(self.parts)


def find_imports(source: str, path: str) -> list[Import]:
    """Return all imports of a file; `path` is relative to the package."""
    return list(_walk(ast.parse(source), ["sk_mtl", *Path(path).parent.parts], False))


def _walk(node: ast.AST, package: list[str], lazy: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from (Import(a.name, None, lazy=lazy) for a in child.names)
        elif isinstance(child, ast.ImportFrom):
            base = package[: len(package) + 1 - child.level] if child.level else []
            module = ".".join([*base, *([child.module] if child.module else [])])
            yield from (Import(module, a.name, lazy=lazy) for a in child.names)
        else:
            waits = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef)
            yield from _walk(child, package, lazy or waits or _is_for_types(child))


def _is_for_types(node: ast.AST) -> bool:
    """Tell whether a block, `if TYPE_CHECKING:`, never runs."""
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)


def folder_of(path: str) -> str | None:
    parts = Path(path).parts
    return parts[0] if len(parts) > 1 else None


def find_offences(source: str, path: str) -> list[str]:
    """Return one sentence for each rule that the file breaks, with what broke it."""
    imports = find_imports(source, path)
    checks = (
        _climbing,
        _forbidden,
        _skorch_elsewhere,
        _private_sklearn,
        _private_estimators,
        _undeclared,
        _eager,
    )
    found = [
        f"{path} {check(each, path)}: {each}"
        for each in imports
        for check in checks
        if check(each, path)
    ]
    return found + _private_attributes(source, path)


def _climbing(each: Import, path: str) -> str | None:
    if each.parts[0] != "sk_mtl" or path == "__init__.py":
        return None
    target = each.parts[1] if len(each.parts) > 1 else None
    own = folder_of(path)
    if own is not None and own == target:
        return None
    # Private files beside the folders, such as _version.py, stand under all floors.
    own_floor = FLOORS.get(own, 0) if own else 0
    if (PACKAGE / f"{target}.py").exists():
        return None
    if (target in FLOORS and FLOORS[target] < own_floor) or (own, target) in BESIDE:
        return None
    return f"of floor {own_floor} imports what is not below it"


def _forbidden(each: Import, path: str) -> str | None:
    floor = FLOORS.get(folder_of(path))
    reached = _reached_package(each)
    if floor and reached in FORBIDDEN[floor]:
        return f"of floor {floor} must not import {reached}"
    return None


def _reached_package(each: Import) -> str:
    """Floor 1 and the compatibility file stand for the scikit-learn they import."""
    if each.parts[0] != "sk_mtl":
        return each.parts[0]
    target = each.parts[1] if len(each.parts) > 1 else ""
    on_sklearn = FLOORS.get(target) == 1 or f"{target}.py" == COMPAT_FILE
    return "sklearn" if on_sklearn else "sk_mtl"


def _skorch_elsewhere(each: Import, path: str) -> str | None:
    if each.parts[0] == "skorch" and path not in SKORCH_FILES:
        return f"imports skorch, which only {' and '.join(SKORCH_FILES)} may"
    return None


def _private_sklearn(each: Import, path: str) -> str | None:
    if each.parts[0] != "sklearn" or path == COMPAT_FILE:
        return None
    if any(_is_private(part) for part in each.parts):
        return f"imports a private name of scikit-learn, which only {COMPAT_FILE} may"
    return None


def _private_estimators(each: Import, path: str) -> str | None:
    if FLOORS.get(folder_of(path)) != TOP_FLOOR:
        return None
    if each.parts[:2] == ("sk_mtl", "estimators") and any(map(_is_private, each.parts)):
        return "of floor 5 imports a private part of floor 4"
    return None


def _undeclared(each: Import, path: str) -> str | None:
    known = REQUIRED | OPTIONAL | sys.stdlib_module_names | {"sk_mtl"}
    if each.parts[0] not in known:
        return "imports what pyproject.toml does not declare"
    return None


def _eager(each: Import, path: str) -> str | None:
    if each.parts[0] in OPTIONAL and not each.lazy:
        return "imports an optional package outside a function"
    return None


def _private_attributes(source: str, path: str) -> list[str]:
    """Floor 5 reads estimators through their public attributes."""
    if FLOORS.get(folder_of(path)) != TOP_FLOOR:
        return []
    return [
        f"{path} of floor 5 reads a private attribute: {ast.unparse(node)}"
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Attribute)
        and _is_private(node.attr)
        and node.attr not in NAMED_TUPLE_METHODS
        and not (isinstance(node.value, ast.Name) and node.value.id in ("self", "cls"))
    ]


def _is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


FILES = sorted(p.relative_to(PACKAGE).as_posix() for p in PACKAGE.rglob("*.py"))
FOLDERS = sorted({folder_of(path) for path in FILES} - {None})


def test_every_file_keeps_to_its_floor():
    offences = (find_offences((PACKAGE / path).read_text(), path) for path in FILES)
    assert [each for found in offences for each in found] == []


def test_every_folder_has_a_floor():
    assert set(FOLDERS) <= set(FLOORS)


def find_file(each: Import) -> str | None:
    """Return the file that an import of the package reads, a folder's `__init__`."""
    if each.parts[0] != "sk_mtl":
        return None
    # The last part is a file or a folder, or a name in what stands before it.
    for parts in (each.parts[1:], each.parts[1:-1]):
        for file in ("/".join(parts) + ".py", "/".join([*parts, INIT])):
            if (PACKAGE / file).is_file():
                return file
    return None


def import_graph() -> dict[str, set[str]]:
    """Return which files of the package each file imports, in functions too."""
    graph = {}
    for path in FILES:
        imports = find_imports((PACKAGE / path).read_text(), path)
        graph[path] = {find_file(each) for each in imports} - {None}
    return graph


def test_no_files_import_each_other_in_a_circle():
    graph = import_graph()
    assert "nn/_layers.py" in graph["nn/_towers/_towers.py"]
    assert "nn/__init__.py" in graph["estimators/_models/_mmoe.py"]
    TopologicalSorter(graph).prepare()


def count_code(source: str) -> int:
    """Return the number of lines without docstrings and empty ones."""
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    texts = [
        node.body[0]
        for node in ast.walk(ast.parse(source))
        if isinstance(node, documented) and ast.get_docstring(node) is not None
    ]
    left_out = {k for text in texts for k in range(text.lineno, text.end_lineno + 1)}
    lines = enumerate(source.splitlines(), 1)
    return sum(bool(line.strip()) for k, line in lines if k not in left_out)


def test_lines_of_code_are_counted():
    source = '"""Text."""\n\nimport os\n\ndef f():\n    """More\n    text."""\n    0'
    assert count_code(source) == 3


def test_no_file_is_long():
    sizes = {path: count_code((PACKAGE / path).read_text()) for path in FILES}
    found = {path for path, size in sizes.items() if size > MOST_LINES_OF_CODE}
    assert found == set()


def test_no_file_of_tests_is_long():
    folder = ROOT / "tests"
    sizes = {
        path.relative_to(folder).as_posix(): len(path.read_text().splitlines())
        for path in folder.rglob("*.py")
    }
    assert [path for path, size in sizes.items() if size > MOST_LINES_OF_TESTS] == []


# Alone in a package of this path, without sk_mtl/__init__.py, which imports all floors.
ALONE = """
import importlib, sys, types
package = types.ModuleType("sk_mtl")
package.__path__ = [sys.argv[1]]
sys.modules["sk_mtl"] = package
for name in sys.argv[2:]:
    importlib.import_module(f"sk_mtl.{name}")
print(sorted({"torch", "sklearn", "skorch"} & set(sys.modules)))
"""


def test_ground_floor_imports_neither_torch_nor_scikit_learn():
    """Neither does anything that these files import in their turn."""
    ground = {Path(path).stem for path in FILES if folder_of(path) is None}
    ground -= {"__init__", Path(COMPAT_FILE).stem}
    assert {"_labels", "_weights", "_task_names", "_frames", "_groups"} <= ground
    command = [sys.executable, "-c", ALONE, str(PACKAGE), *sorted(ground)]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert found.stdout.strip() == "[]", found.stderr


@pytest.mark.parametrize("folder", FOLDERS)
def test_public_folder_holds_private_modules(folder):
    names = {path.stem for path in (PACKAGE / folder).glob("*.py")} - {"__init__"}
    assert [name for name in names if not _is_private(name)] == []


@pytest.mark.parametrize("folder", FOLDERS)
def test_public_folder_reexports_its_own_names(folder):
    """Each name of `__all__` is public, exists, and is written in that folder."""
    module = importlib.import_module(f"sk_mtl.{folder}")
    assert module.__all__, f"sk_mtl.{folder} exports nothing"
    assert len(set(module.__all__)) == len(module.__all__)
    # The names of a lazy folder are in its stub.
    lists = (PACKAGE / folder / "__init__.pyi", PACKAGE / folder / INIT)
    source = next(path for path in lists if path.exists()).read_text()
    imports = find_imports(source, f"{folder}/{INIT}")
    written_here = {i.name for i in imports if i.parts[:2] == ("sk_mtl", folder)}
    for name in module.__all__:
        assert not name.startswith("_")
        assert hasattr(module, name)
        assert name in written_here
    public = {name for name in written_here if not name.startswith("_")}
    assert public == set(module.__all__)


OFFENCES = [
    ("nn/_a.py", "from sk_mtl.losses import TaskLoss", "not below it"),
    ("nn/_a.py", "def f():\n    import sk_mtl.estimators", "not below it"),
    ("nn/_a.py", "from ..losses import TaskLoss", "not below it"),
    ("nn/_a.py", "from .. import losses", "not below it"),
    ("metrics/_a.py", "from sk_mtl.datasets import load_adult", "not below it"),
    ("export/_a.py", "from sk_mtl.calibration import x", "not below it"),
    ("model_selection/_a.py", "from sk_mtl.calibration import x", "not below it"),
    ("losses/_a.py", "from sk_mtl import MMOEClassifier", "not below it"),
    ("_helpers.py", "from sk_mtl.nn import MMoE", "of floor 0"),
    ("preprocessing/_a.py", "import torch", "must not import torch"),
    ("metrics/_a.py", "def f():\n    import torch.nn as nn", "must not import torch"),
    ("nn/_a.py", "from sklearn.base import clone", "must not import sklearn"),
    ("nn/_a.py", "from sk_mtl._sklearn_compat import X", "must not import sklearn"),
    ("losses/_a.py", "from sk_mtl.metrics import X", "must not import sklearn"),
    ("losses/_a.py", "import pandas as pd", "must not import pandas"),
    ("losses/_a.py", "import skorch", "must not import skorch"),
    ("estimators/_base.py", "from skorch import NeuralNet", "which only"),
    ("estimators/_a.py", "from sklearn.utils._tags import Tags", "private name of"),
    ("metrics/_a.py", "from sklearn.base import _fit_context", "private name of"),
    (
        "export/_a.py",
        "from sk_mtl.estimators._training._net import x",
        "private part of",
    ),
    ("export/_a.py", "from sk_mtl.estimators import _net", "private part of"),
    ("inspection/_a.py", "def f(m):\n    return m._inputs", "private attribute"),
    ("metrics/_a.py", "import polars", "outside a function"),
    ("metrics/_a.py", "class A:\n    import matplotlib.pyplot", "outside a function"),
    ("metrics/_a.py", "try:\n    import onnx\nexcept ImportError: 0", "outside a"),
    ("metrics/_a.py", "import requests", "does not declare"),
]


@pytest.mark.parametrize(("path", "source", "message"), OFFENCES)
def test_rules_find_an_offence(path, source, message):
    offences = find_offences(source, path)
    assert len([each for each in offences if message in each]) == 1, offences


ALLOWED = [
    ("__init__.py", "from sk_mtl.estimators import MMOEClassifier"),
    ("nn/_a.py", "from sk_mtl.nn._layers import BatchedLinear"),
    ("nn/_a.py", "from ._layers import BatchedLinear"),
    ("estimators/_a.py", "from sk_mtl.losses import TaskLoss"),
    (SKORCH_FILE, "import skorch"),
    ("estimators/_a.py", "from sk_mtl._sklearn_compat import Interval"),
    ("_sklearn_compat.py", "from sklearn.utils._param_validation import Interval"),
    ("export/_a.py", "from sk_mtl.estimators import MMOEClassifier"),
    ("calibration/_a.py", "from sk_mtl.model_selection import out_of_fold_proba"),
    ("export/_a.py", "class A:\n    def f(self):\n        return self._x"),
    ("metrics/_a.py", "def plot():\n    import matplotlib.pyplot as plt"),
    ("nn/_a.py", "from __future__ import annotations\nimport torch"),
]


@pytest.mark.parametrize(("path", "source"), ALLOWED)
def test_rules_allow_what_is_right(path, source):
    assert find_offences(source, path) == []

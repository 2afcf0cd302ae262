"""Every model is two files, one per floor, which are short and no copies of others."""

import ast
import statistics
from collections.abc import Iterator
from pathlib import Path

import pytest

import sk_mtl
from sk_mtl.estimators._choices._wiring_choice import known_wirings

PACKAGE = Path(sk_mtl.__file__).parent
N_LINES_OF_A_COPY = 6
MEDIAN_OF_A_MODEL = 120
# What has a structure of its own instead of a wiring of its own.
NAMES = sorted([*known_wirings(), "escm2"])


def files_of(name: str) -> list[Path]:
    """Return the files of a model, one on each floor where it has something to say."""
    floors = ("nn", "losses", "estimators")
    found = (sorted((PACKAGE / floor).rglob(f"_{name}.py")) for floor in floors)
    return [path for paths in found for path in paths]


def code_of(source: str) -> list[str]:
    """Return the lines of a file without docstrings, imports and empty lines."""
    left_out: set[int] = set()
    for node in ast.walk(ast.parse(source)):
        for each in _no_code(node):
            left_out.update(range(each.lineno, each.end_lineno + 1))
    lines = enumerate(source.splitlines(), 1)
    return [text.strip() for k, text in lines if k not in left_out and text.strip()]


def _no_code(node: ast.AST) -> Iterator[ast.stmt]:
    if isinstance(node, ast.Import | ast.ImportFrom):
        yield node
    documented = ast.Module | ast.ClassDef | ast.FunctionDef
    if isinstance(node, documented) and ast.get_docstring(node) is not None:
        yield node.body[0]


def shared_runs(sources: dict[str, str]) -> dict[str, set[str]]:
    """Return every run of lines that stands in two of the sources, and in which."""
    runs: dict[str, set[str]] = {}
    for name, source in sources.items():
        lines = code_of(source)
        for start in range(len(lines) - N_LINES_OF_A_COPY + 1):
            run = "\n".join(lines[start : start + N_LINES_OF_A_COPY])
            runs.setdefault(run, set()).add(name)
    return {run: names for run, names in runs.items() if len(names) > 1}


def test_every_model_has_its_two_files():
    for name in NAMES:
        floors = [path.relative_to(PACKAGE).parts[0] for path in files_of(name)]
        assert floors[-1] == "estimators", name
        assert len(floors) == 2, name


def test_no_two_models_share_a_run_of_lines():
    paths = [path for name in NAMES for path in files_of(name)]
    sources = {str(p.relative_to(PACKAGE)): p.read_text() for p in paths}
    assert shared_runs(sources) == {}


def test_a_model_is_a_short_file():
    sizes = [
        len(code_of(path.read_text())) for name in NAMES for path in files_of(name)
    ]
    assert statistics.median(sizes) < MEDIAN_OF_A_MODEL


@pytest.mark.parametrize(("n_lines", "found"), [(5, False), (6, True)])
def test_a_copy_is_found(n_lines, found):
    body = "\n".join(f"x = {k}" for k in range(n_lines))
    first, second = f'"""One."""\nimport os\n{body}\ny = 1', f"{body}\n\nz = 2"
    assert bool(shared_runs({"a": first, "b": second})) is found

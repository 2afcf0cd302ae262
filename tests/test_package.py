"""What a user gets with the package, and whether its files agree with each other."""

import importlib.metadata
import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

import sk_mtl
from tests.fresh_process import run_python

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
# An extra may hold another one of the package's own, which stands there itself.
EXTRAS = {
    name: [text for text in texts if Requirement(text).name != PROJECT["name"]]
    for name, texts in PROJECT["optional-dependencies"].items()
}
# What `make` installs, and what users install for themselves.
INSTALLED = PROJECT["dependencies"] + EXTRAS["balance"] + EXTRAS["test"]
INSTALLED += EXTRAS["bench"]


def read_pins(name: str) -> dict[str, Version]:
    """Return the versions of a constraints file by package name."""
    lines = (ROOT / name).read_text().splitlines()
    pairs = [line.split("==") for line in lines if line and not line.startswith("#")]
    return {package: Version(version) for package, version in pairs}


def lower_bound(text: str) -> Version:
    """Return the version after `>=` in a requirement."""
    (specifier,) = Requirement(text).specifier
    assert specifier.operator == ">=", f"{text} states no lower bound"
    return Version(specifier.version)


def test_version_is_the_installed_one():
    assert sk_mtl.__version__ == importlib.metadata.version("sk-mtl")


def test_package_says_that_it_is_typed():
    assert (Path(sk_mtl.__file__).parent / "py.typed").exists()


def test_every_exported_name_exists():
    for name in sk_mtl.__all__:
        assert hasattr(sk_mtl, name), name


def test_import_needs_no_extra():
    """None of the packages of the extras is imported along with the estimators."""
    names = {Requirement(text).name for extra in EXTRAS.values() for text in extra}
    modules = sorted(name.replace("-", "_") for name in names)
    found = f"[m for m in {modules} if m in sys.modules]"
    code = f"import sk_mtl.model_selection, sys; print({found})"
    assert run_python(code) == "[]"


def test_import_leaves_the_random_generators_alone():
    code = """if True:
        import numpy, torch
        def state():
            return numpy.random.get_state()[1].tolist(), torch.get_rng_state().tolist()
        numpy.random.seed(0)
        torch.manual_seed(0)
        before = state()
        import sk_mtl.model_selection
        print(state() == before)
    """
    assert run_python(code) == "True"


@pytest.mark.parametrize("text", PROJECT["dependencies"])
def test_lower_bound_is_what_the_lower_tests_install(text):
    name = Requirement(text).name
    if name == "torch":
        pytest.skip("torch stays at the tested version: older builds are too large")
    assert read_pins("constraints-lower.txt")[name] == lower_bound(text)


@pytest.mark.parametrize("text", INSTALLED)
def test_requirement_is_pinned_within_its_bound(text):
    name = Requirement(text).name
    assert read_pins("constraints.txt")[name] in Requirement(text).specifier


def test_torch_is_the_same_in_both_constraints_files():
    pins, lower_pins = read_pins("constraints.txt"), read_pins("constraints-lower.txt")
    assert pins["torch"] == lower_pins["torch"] == Version("2.13.0")


def test_lower_pins_are_not_above_the_tested_ones():
    pins = read_pins("constraints.txt")
    for name, version in read_pins("constraints-lower.txt").items():
        assert name not in pins or version <= pins[name]


def test_make_bench_runs_every_benchmark():
    listed = re.findall(r"benchmarks/(\w+\.py)", (ROOT / "Makefile").read_text())
    scripts = {
        path.name
        for path in (ROOT / "benchmarks").glob("*.py")
        if not path.name.startswith("_")
    }
    # Run by hand: one needs a graphics card, two a folder of tables.
    by_hand = {"gpu.py", "suite.py", "suite_study.py"}
    assert {*listed, *by_hand} == scripts


def test_changelog_names_the_version():
    assert f"## {sk_mtl.__version__}" in (ROOT / "CHANGELOG.md").read_text()

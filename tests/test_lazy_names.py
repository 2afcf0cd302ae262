"""Names that are imported at their first use, from one list."""

import ast
import pickle
from pathlib import Path

import pytest

import sk_mtl
from sk_mtl import MMOEClassifier, estimators
from tests.fresh_process import run_python

PACKAGE = Path(sk_mtl.__file__).parent
STUBS = {
    path.parent.name: ast.parse(path.read_text())
    for path in PACKAGE.rglob("__init__.pyi")
}
FRAMEWORKS = ("torch", "sklearn", "skorch", "pandas", "numpy")


def imports_of(stub):
    """Return the imports of a stub."""
    return [node for node in stub.body if isinstance(node, ast.ImportFrom)]


def listed(module):
    """Return the names that the stub imports from a module of the package."""
    imports = imports_of(STUBS[PACKAGE.name])
    names = [name for node in imports if node.module == module for name in node.names]
    # Type checkers take what is written twice as exported.
    assert [name.name for name in names] == [name.asname for name in names]
    return [name.name for name in names]


def test_the_list_is_that_of_the_estimators():
    assert sorted(listed("estimators")) == sorted(estimators.__all__)


def test_the_list_of_the_estimators_names_the_file_of_each():
    for node in imports_of(STUBS["estimators"]):
        for name in node.names:
            assert name.name == name.asname
            found = getattr(estimators, name.name)
            assert found.__module__ == f"{estimators.__name__}.{node.module}"


def test_the_list_has_every_public_folder():
    public = {path.parent.name for path in PACKAGE.glob("[!_]*/__init__.py")}
    public |= {path.stem for path in PACKAGE.glob("[!_]*.py")}
    assert set(listed(None)) == public


def test_dir_and_import_star():
    assert dir(sk_mtl) == sorted(["__version__", *estimators.__all__, *listed(None)])
    found = {}
    exec("from sk_mtl import *", found)
    del found["__builtins__"]
    assert set(found) == set(sk_mtl.__all__) == {"__version__", *estimators.__all__}
    assert found["MMOEClassifier"] is MMOEClassifier


def test_a_mistyped_name_gets_the_close_ones():
    message = r"module 'sk_mtl' has no attribute 'PLEClasifier'\. .* 'PLEClassifier'\?$"
    with pytest.raises(AttributeError, match=message):
        _ = sk_mtl.PLEClasifier
    with pytest.raises(AttributeError, match=r"has no attribute 'zebra'\.$"):
        _ = sk_mtl.zebra
    with pytest.raises(ImportError, match="cannot import name 'PLEClasifier'"):
        exec("from sk_mtl import PLEClasifier")


def test_a_mistyped_name_of_a_folder_gets_the_close_ones():
    message = r"'sk_mtl\.estimators' has no attribute 'PLEClasifier'\. .* 'PLEClassi"
    with pytest.raises(AttributeError, match=message):
        _ = estimators.PLEClasifier


def test_a_model_imports_no_other_one():
    code = """if True:
        import sys
        from sk_mtl import MMOEClassifier
        folder = "sk_mtl.estimators._models."
        found = sorted(name for name in sys.modules if name.startswith(folder))
        print(*(name.removeprefix(folder) for name in found))
    """
    assert run_python(code) == "_expert_parameters _mmoe"


def test_import_loads_no_framework(tmp_path):
    """Nor does the import of a folder that needs none, such as an exporter's."""
    folder = tmp_path / "served"
    folder.mkdir()
    (folder / "__init__.py").write_text("answer = 42")
    code = f"""if True:
        import sys, sk_mtl
        assert sk_mtl.__version__ and "MMOEClassifier" in dir(sk_mtl)
        assert not hasattr(sk_mtl, "typo")
        import sk_mtl.exceptions
        sk_mtl.__path__.append(sys.argv[1])
        from sk_mtl.served import answer
        print([name for name in {FRAMEWORKS} if name in sys.modules])
    """
    assert run_python(code, str(tmp_path)) == "[]"


def test_reading_data_loads_no_torch():
    code = """if True:
        import sys, sk_mtl
        sk_mtl.datasets.load_adult, sk_mtl.metrics, sk_mtl.preprocessing
        print("torch" in sys.modules)
    """
    assert run_python(code) == "False"


def test_a_pickle_loads_in_a_fresh_process(tmp_path):
    path = tmp_path / "model.pickle"
    path.write_bytes(pickle.dumps(MMOEClassifier(n_experts=3)))
    code = """if True:
        import pickle, sys
        with open(sys.argv[1], "rb") as file:
            model = pickle.load(file)
        from sk_mtl import MMOEClassifier
        print(type(model) is MMOEClassifier, model.n_experts)
    """
    assert run_python(code, str(path)) == "True 3"


@pytest.mark.slow
def test_threads_may_ask_for_first_names_at_once():
    code = """if True:
        import threading, sk_mtl
        names, found, barrier = dir(sk_mtl), {}, threading.Barrier(len(dir(sk_mtl)))
        def ask(name):
            barrier.wait()
            found[name] = getattr(sk_mtl, name)
        threads = [threading.Thread(target=ask, args=[name]) for name in names]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        print(all(found[name] is getattr(sk_mtl, name) for name in names))
    """
    assert run_python(code) == "True"


@pytest.mark.slow
def test_a_first_use_may_be_interrupted():
    code = """if True:
        import importlib.abc, sys, sk_mtl
        class Press(importlib.abc.MetaPathFinder):
            def find_spec(self, name, path=None, target=None):
                if name == "sk_mtl.estimators._models._mmoe":
                    sys.meta_path.remove(self)
                    raise KeyboardInterrupt
        sys.meta_path.insert(0, Press())
        try:
            sk_mtl.MMOEClassifier
        except KeyboardInterrupt:
            from sk_mtl import *
            model = PLEClassifier().set_params(n_levels=3)
            print(model.n_levels, MMOEClassifier is sk_mtl.MMOEClassifier)
    """
    assert run_python(code) == "3 True"


@pytest.mark.slow
def test_eager_imports_can_be_asked_for():
    code = "import sys, sk_mtl; print('sk_mtl.model_selection' in sys.modules)"
    assert run_python(code, EAGER_IMPORT="1") == "True"
    assert run_python(code, EAGER_IMPORT="") == "False"


@pytest.mark.parametrize("package", [sk_mtl, estimators])
def test_no_file_of_a_package_reads_its_lazy_names_while_it_is_imported(package):
    """Its import would wait for the lock of a thread that waits for the import."""
    nodes = (
        (path.name, node)
        for path in Path(package.__file__).parent.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom)
    )
    readers = [name for name, node in nodes if node.module == package.__name__]
    assert readers == []

"""What every test run needs: the Markdown pages as tests, and the `gpu` marker."""

import contextlib
import doctest
import gc
import os
import re
import signal
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from sybil import Document, Example, Region, Sybil
from sybil.evaluators.doctest import NUMBER
from sybil.example import SybilFailure
from sybil.parsers.markdown import PythonCodeBlockParser

# Set before anything imports matplotlib: a test run never opens a window.
os.environ["MPLBACKEND"] = "Agg"

# Where several processes run the tests, threads of each would get in the others' way.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")

# A shell starts its background jobs with Ctrl-C ignored, which tests press.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# The examples are scripts: looking for doctests in them would run them.
collect_ignore_glob = ["docs/examples/*.py"]

FENCE = "```python"
SKIP = re.compile(r"<!--\s*skip:\s*(?P<reason>[^\n]+?)\s*-->\s*\Z")
NIGHTLY = re.compile(r"<!--\s*nightly:\s*[^\n]+?\s*-->\s*\Z")
read_python_blocks = PythonCodeBlockParser(
    doctest_optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS | NUMBER
)


def parse_page(document: Document) -> Iterable[Region]:
    """Yield each Python block of a page, or each prompt (`>>>`) in it, as a test.

    `<!-- skip: reason -->` above a block skips it with that reason, and `<!-- nightly:
    reason -->` marks it as `nightly`; it then cannot use names of other blocks.
    """
    for region in read_python_blocks(document):
        comment = SKIP.search(_text_before(document, region))
        if comment is not None:
            region.evaluator = _skip_with(comment["reason"])
        yield region


def _text_before(document: Document, region: Region) -> str:
    """Return the page up to the fence of a block."""
    fence = document.text.rfind(FENCE, 0, region.start + len(FENCE))
    return document.text[:fence]


def _skip_with(reason: str):
    def evaluate(example: Example) -> None:
        pytest.skip(reason)

    return evaluate


read_page = Sybil(parsers=[parse_page], patterns=["*.md"])


class Page(pytest.File):
    """A Markdown page. Its blocks share their names and a temporary folder.

    Sybil's own pytest classes are not used: with warnings as errors, a file that a
    block leaves open ends their whole run with an internal error.
    """

    def collect(self) -> Iterator[pytest.Item]:
        for example in read_page.parse(self.path):
            block = Block.from_parent(
                self, name=f"line {example.line}", example=example
            )
            if NIGHTLY.search(_text_before(example.document, example.region)):
                block.add_marker(pytest.mark.nightly)
                # Of packages that are nobody's requirement.
                block.add_marker(pytest.mark.filterwarnings("ignore"))
            yield block

    def setup(self) -> None:
        self.cleanup = contextlib.ExitStack()
        folder = self.cleanup.enter_context(tempfile.TemporaryDirectory())
        self.cleanup.enter_context(contextlib.chdir(folder))

    def teardown(self) -> None:
        self.cleanup.close()


class Block(pytest.Item):
    """One Python block of a page, or one prompt in it."""

    def __init__(self, *, example: Example, **kwargs) -> None:
        super().__init__(**kwargs)
        self.example = example

    def runtest(self) -> None:
        self.example.evaluate()

    def reportinfo(self) -> tuple[Path, int, str]:
        return self.path, self.example.line - 1, f"{self.parent.name}: {self.name}"

    def repr_failure(self, excinfo: pytest.ExceptionInfo, style=None):
        if isinstance(excinfo.value, SybilFailure):
            return str(excinfo.value)
        # What pytest and sybil do on the way to the block is of no interest.
        excinfo.traceback = excinfo.traceback.cut(path=self.path)
        return super().repr_failure(excinfo, style="short")


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> Page | None:
    if file_path.suffix == ".md":
        return Page.from_parent(parent, path=file_path)
    return None


def pytest_collection_finish() -> None:
    """Leave what was collected, a million objects, to no later garbage collection."""
    gc.collect()
    gc.freeze()


def pytest_runtest_teardown() -> None:
    """Close the figures of a test; matplotlib warns when there are many."""
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is not None:
        pyplot.close("all")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what is marked `gpu` where there is no CUDA device."""
    if item.get_closest_marker("gpu") is None:
        return
    import torch

    if not torch.cuda.is_available():
        pytest.skip("needs a CUDA device, and torch.cuda.is_available() is False")

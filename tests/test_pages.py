"""The Markdown pages are tests: a false page fails, a skipped block says why."""

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]

PAGE = """
```python
from pathlib import Path
number = 1
Path("note.txt").write_text("kept")
```

```python
>>> number, 0.1 + 0.2
(1, 0.30)
>>> number + 1
3
```

```python
assert Path("note.txt").read_text() == "kept"
```

```python
import warnings
warnings.warn("old", DeprecationWarning)
```

<!-- skip: needs a cluster -->
```python
1 / 0
```

```bash
exit 1
```
"""


def test_blocks_of_a_page_run_in_order_and_share_their_names(tmp_path):
    (tmp_path / "page.md").write_text(PAGE)
    shutil.copy(ROOT / "conftest.py", tmp_path)
    (tmp_path / "pytest.ini").write_text("[pytest]\nfilterwarnings = error\n")
    result = subprocess.run(
        [sys.executable, "-m", "pytest", "-rs", "-p", "no:cacheprovider"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "2 failed, 3 passed, 1 skipped" in result.stdout, result.stdout
    assert "Expected:\n    3\nGot:\n    2" in result.stdout
    assert "page.md:21: in <module>" in result.stdout
    assert "E   DeprecationWarning: old" in result.stdout
    assert "needs a cluster" in result.stdout
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == [
        "conftest.py",
        "page.md",
        "pytest.ini",
    ]

"""Code that runs in a process of its own."""

import os
import subprocess
import sys


def run_python(code: str, *args: str, **environment: str) -> str:
    """Run code in a fresh process with warnings as errors, and return its output."""
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", code, *args],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()

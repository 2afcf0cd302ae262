"""The log of what was scored on test rows."""

import _tables
import pandas as pd


def test_the_command_names_no_folder_of_the_machine(tmp_path, monkeypatch):
    log, folder = tmp_path / "runs.md", tmp_path / "suite"
    monkeypatch.setattr(_tables, "TEST_LOG", log)
    monkeypatch.setattr(_tables, "COMMIT", "abc1234")
    words = ["benchmarks/suite.py", "--data", str(folder), "--models", "best of"]
    monkeypatch.setattr("sys.argv", words)
    auc = pd.Series({"income": 0.92654, "married": 0.5})
    _tables.log_test_run("default", "Adult", auc, 3)
    cells = [cell.strip() for cell in log.read_text().split("|")]
    assert cells[2:-1] == [
        "abc1234",
        "`suite.py --data suite --models 'best of'`",
        "Adult",
        "default",
        "income 0.9265, married 0.5000",
        "3",
    ]

"""What is shown while an estimator trains, in a terminal and in a log file."""

import io
import sys

import pytest

from sk_mtl import MMOEClassifier
from sk_mtl.estimators._training._progress import Progress
from tests.estimators.common import QUICK, mixed_table


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def no_notebook(monkeypatch):
    monkeypatch.delitem(sys.modules, "ipykernel", raising=False)


@pytest.fixture
def open_terminal(monkeypatch, no_notebook):
    """Return a function, as pytest replaces the stream again before the test runs."""

    def replace_stream():
        monkeypatch.setattr(sys, "stderr", Terminal())
        return sys.stderr

    return replace_stream


def fit(verbose, **options):
    X, y = mixed_table()
    model = MMOEClassifier(verbose=verbose, **QUICK).set_params(**options)
    return model.fit(X[:160], y[:160], X_val=X[160:], y_val=y[160:])


@pytest.mark.parametrize("verbose", [0, False])
def test_nothing_is_shown_by_default(verbose, capfd):
    fit(verbose)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("verbose", [1, True])
def test_a_log_file_gets_a_line_per_epoch_and_no_carriage_return(
    verbose, capsys, no_notebook
):
    model = fit(verbose)
    out, err = capsys.readouterr()
    assert out == ""
    assert "\r" not in err
    lines = err.splitlines()
    assert len(lines) == model.n_iter_ == 3
    train, valid = model.history_[["train_loss", "valid_loss"]].iloc[1]
    assert lines[1].split() == [
        *("epoch", "2"),
        *("train_loss", f"{train:.4f}"),
        *("valid_loss", f"{valid:.4f}"),
        *("best", "2"),
    ]


def test_a_terminal_gets_one_bar(open_terminal, capsys):
    terminal = open_terminal()
    model = fit(1)
    text = terminal.getvalue()
    assert "\r" in text
    last = text.split("\r")[-1]
    assert "3/3" in last
    assert f"train_loss={model.history_['train_loss'].iloc[-1]:.4f}" in last
    assert f"valid_loss={model.history_['valid_loss'].iloc[-1]:.4f}" in last
    assert f"best={model.best_epoch_}" in last
    assert text.endswith("\n")
    assert capsys.readouterr().out == ""


def test_a_bar_ends_where_training_stopped(open_terminal):
    terminal = open_terminal()
    fit(1, max_epochs=50, lr=0.5, n_iter_no_change=1)
    last = terminal.getvalue().split("\r")[-1]
    assert "100%" in last
    assert "/50" not in last


@pytest.mark.parametrize("where", ["terminal", "log file"])
def test_two_shows_a_line_per_epoch_with_every_task(where, open_terminal, capsys):
    if where == "terminal":
        open_terminal()
    model = fit(2, monitor="roc_auc")
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == model.n_iter_
    for line, (_, row) in zip(lines, model.history_.iterrows(), strict=True):
        assert line.startswith(f"epoch {row['epoch']:>3.0f}  ")
        for name in model.history_.columns.drop(["epoch", "seconds"]):
            assert f"  {name} {row[name]:.4f}" in line
        assert "  best " in line


def test_best_so_far_is_that_of_the_epoch(capsys, no_notebook):
    model = fit(2, max_epochs=30, lr=0.3, n_iter_no_change=4)
    lines = capsys.readouterr().out.splitlines()
    best = [int(line.split()[-1]) for line in lines]
    assert best == sorted(best)
    assert best[-1] == model.best_epoch_ < model.n_iter_


def test_without_validation_the_training_loss_is_shown(capsys, no_notebook):
    X, y = mixed_table()
    MMOEClassifier(verbose=1, **QUICK).fit(X, y)
    err = capsys.readouterr().err
    assert "train_loss" in err
    assert "valid_loss" not in err


def test_a_bar_is_closed_when_a_fit_fails(open_terminal):
    terminal = open_terminal()
    with pytest.raises(ValueError, match="finite"):
        fit(1, optimizer="sgd", lr=1e30)
    # A bar that stays open would be redrawn when it is collected.
    assert terminal.getvalue().endswith("\n")


def test_a_notebook_gets_a_bar(monkeypatch):
    monkeypatch.setitem(sys.modules, "ipykernel", object())
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    progress = Progress(1, 3)
    progress.end_epoch({"epoch": 1, "train_loss": 0.5}, best_epoch=1)
    progress.close()
    # A bar is drawn over itself; lines would not be.
    assert "\r" in sys.stderr.getvalue()

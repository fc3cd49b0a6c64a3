"""fastgrad check --scheduler: a check on the workers of a dask scheduler, or a sentence."""

from __future__ import annotations

import builtins
import json

import pytest
from dask_cases import cluster_of, limited

from fastgrad.cli import scheduler
from fastgrad.cli.main import main

TARGET = """
import numpy as np
import fastgrad

def cost(x, X):
    return sum(float(np.sin(x[k])) * float(X[k]) for k in range(x.size))

x, X = np.linspace(0, 1, 900), np.linspace(1, 2, 20_000)
problem = fastgrad.Problem(cost, lambda x, X: np.cos(x) * X[:x.size], x, (X,))
wrong = fastgrad.Problem(cost, lambda x, X: np.sin(x) * X[:x.size], x, (X,))
"""


@pytest.fixture
def target(tmp_path):
    """A file that no worker can import: its functions are sent as code."""
    path = tmp_path / "mine.py"
    path.write_text(TARGET)
    return str(path)


def test_on_a_cluster(target, capsys):
    """The check is made by the cluster's workers, and its exit status is the verdict's."""
    pytest.importorskip("distributed")
    with limited(), cluster_of(2) as client:
        address = client.scheduler.address
        assert main(["check", f"{target}:problem", "--json", "--all", "--scheduler", address]) == 0
        assert json.loads(capsys.readouterr().out)["n_jobs"] == 2
        assert main(["check", f"{target}:wrong", "--scheduler", address]) == 1


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "nowhere://x", "", "127.0.0.1:99999999"])
def test_nobody_there(target, capsys, monkeypatch, address):
    """An address where no scheduler answers is named in one line, and the exit status is that of no check."""
    pytest.importorskip("distributed")
    monkeypatch.setattr(scheduler, "PATIENCE", 1.0)
    with limited():
        assert main(["check", f"{target}:problem", "--scheduler", address]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"fastgrad: no dask scheduler answers at {address} (")
    assert said.count("\n") == 1


def test_no_dask(target, capsys, monkeypatch):
    """Without dask the sentence says what to install."""

    def import_(name, *rest, real=builtins.__import__):
        if name == "distributed":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", import_)
    assert main(["check", f"{target}:problem", "--scheduler", "tcp://127.0.0.1:9"]) == 2
    assert capsys.readouterr().err == (
        'fastgrad: --scheduler: dask is not installed: pip install "fastgrad[dask]" [FG905]\n'
    )

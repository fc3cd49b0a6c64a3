"""Whether a plain cost is recorded."""

import numpy as np
import pytest
from traced_cases import NET, X, net, softmax_loss

import fastgrad
from fastgrad.engines.python import PythonEngine
from fastgrad.engines.traced import choose
from fastgrad.problem.parameters import Parameters


def slow(p):
    """A network that is a thousand times as slow as it must be."""
    total = 0.0
    for _ in range(40):
        total = total + softmax_loss(np.tanh(X @ p["W1"] + p["b1"]) @ p["W2"] + p["b2"])
    return total / 40


def fast_engine(cost, params, seconds):
    """What "auto" takes for a cost that takes so many seconds."""
    plain = PythonEngine(cost, Parameters(params), ())
    plain.baseline()
    return choose.faster_engine(plain, seconds, 0)[0]


def test_faster():
    """The recorded cost is taken where its evaluations take less time, else the plain one."""
    assert fast_engine(net, NET, 10.0).name == "traced"
    assert fast_engine(net, NET, 1e-9).name == "python"


def test_declined():
    """What cannot be recorded is evaluated as it is, and the report says why, with the user's line."""
    engine = fast_engine(lambda p: float(p[0]) * 2 + np.sum(p), np.ones(3), 1.0)
    assert engine.name == "python"
    assert "test_choose.py:" in engine.notes[-1]
    assert "float() takes a number out" in engine.notes[-1]


def test_by_itself(monkeypatch):
    """A check of a cost that is evaluated long enough takes the recorded one, by itself, and says so."""
    monkeypatch.setattr("fastgrad.coordinates.engines.is_worth_recording", lambda seconds, count: True)
    monkeypatch.setattr(choose, "FASTER", 1e9)
    found = fastgrad.numerical_gradient(net, NET)
    assert found.engine == "traced"
    assert any("recorded as" in note for note in found.notes)
    plainly = fastgrad.numerical_gradient(net, NET, engine="python")
    for name in NET:
        assert np.allclose(found.values[name], plainly.values[name], atol=1e-8)


def squares(x):
    """A cost that is quick."""
    return np.sum(x**2)


def test_anew(monkeypatch):
    """Then all is evaluated anew by calls of the cost, but for one whose engine was asked for."""
    monkeypatch.setattr("fastgrad.coordinates.engines.is_worth_recording", lambda seconds, count: True)
    monkeypatch.setattr(choose, "FASTER", 1e9)
    monkeypatch.setattr("fastgrad.engines.traced.tape_costs.LOOKED_AGAIN", -1.0)
    x = np.linspace(1, 2, 2000)
    found = fastgrad.check_gradient(squares, 2 * x, x, coordinates="all")
    assert (found.verdict, found.engine) == ("agree", "python")
    assert any("evaluated anew by calls of the cost" in note for note in found.notes)
    with pytest.raises(fastgrad.InputError, match="what was recorded of it gives"):
        fastgrad.check_gradient(squares, 2 * x, x, coordinates="all", engine="traced")


def test_anew_with_a_checkpoint(monkeypatch, tmp_path):
    """What is evaluated anew is kept in the same file, by which a check may go on."""
    monkeypatch.setattr("fastgrad.coordinates.engines.is_worth_recording", lambda seconds, count: True)
    monkeypatch.setattr(choose, "FASTER", 1e9)
    monkeypatch.setattr("fastgrad.engines.traced.tape_costs.LOOKED_AGAIN", -1.0)
    x = np.linspace(1, 2, 2000)
    given = {"cost": squares, "gradient": 2 * x, "params": x, "checkpoint": tmp_path / "run"}
    found, again = (fastgrad.check_gradient(**given, coordinates="all") for _ in range(2))
    assert (found.verdict, found.engine, found.reused) == ("agree", "python", 0)
    assert (again.verdict, again.engine, again.numeric.tobytes()) == (
        "agree",
        "python",
        found.numeric.tobytes(),
    )
    assert again.reused > 4000


def test_asked_for():
    """engine="traced" refuses what cannot be recorded, with file, line and operation."""
    with pytest.raises(fastgrad.InputError, match=r"the cost: test_choose.py:\d+: \.tolist\(\)"):
        fastgrad.numerical_gradient(lambda p: sum(p.tolist()), np.ones(3), engine="traced")
    with pytest.raises(fastgrad.InputError, match='"traced" takes real steps only'):
        fastgrad.numerical_gradient(net, NET, engine="traced", method="complex")


def test_kinds():
    """A cost that gets other kinds than arrays is not recorded."""
    with pytest.raises(fastgrad.InputError, match="not plain arrays"):
        fastgrad.numerical_gradient(lambda p: p[0] ** 2 + p[1], [1.0, 2.0], engine="traced")

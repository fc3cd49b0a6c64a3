"""Operations at many points at once; `test_coverage` compares what they give with the plain functions."""

import numpy as np
import pytest

from fastgrad.engines.traced import dense_rules
from fastgrad.engines.traced.batch import Batch
from fastgrad.engines.traced.changes import Dense
from fastgrad.engines.traced.dense_rules import OtherShape
from fastgrad.engines.traced.recorder import record
from fastgrad.problem.parameters import Parameters

X = np.array([[3.0, 1.0, 0.5], [1.0, 4.0, 1.0], [0.5, 1.0, 5.0]])
AT_ONCE = {
    "sort": lambda x: np.sort(x, axis=0),
    "fft": lambda x: np.abs(np.fft.fft2(x)),
    "inv": lambda x: np.linalg.inv(x),
    "cholesky": lambda x: np.linalg.cholesky(x),
    "solve": lambda x: np.linalg.solve(x, np.ones(3)),
    "matmul": lambda x: x @ x,
    "reduce": lambda x: np.max(x, axis=1),
    "accumulate": lambda x: np.cumsum(x, axis=1),
    "reduceat": lambda x: np.add.reduceat(x, [0, 2], axis=1),
    "einsum": lambda x: np.einsum("ii->i", x),
    "interp": lambda x: np.interp(x, [0.0, 9.0], [1.0, 3.0]),
    "searchsorted": lambda x: np.searchsorted([0.0, 2.0], x),
    "quantile": lambda x: np.quantile(x, [0.2, 0.6], axis=0),
}


@pytest.mark.parametrize("name", AT_ONCE)
def test_all_points_at_once(name, monkeypatch):
    """An operation with a rule is not called point by point."""
    tape = record(lambda x: np.sum(AT_ONCE[name](x)), Parameters(X), ())
    monkeypatch.setattr(dense_rules, "_one_by_one", lambda *_: pytest.fail("one by one"))
    moved = X + np.arange(4.0)[:, None, None] / 8
    states = Batch(tape).evaluate({0: Dense(moved)})
    expected = [np.sum(AT_ONCE[name](x)) for x in moved]
    assert Batch(tape).cost(states, 4) == pytest.approx(expected, rel=1e-13)


def test_points_do_not_depend_on_each_other():
    """The value at a point is the same in bits, whatever points are evaluated beside it."""
    tape = record(lambda x: np.sum(np.tanh(x @ X) @ np.linalg.inv(x)) + np.sum(np.sort(x)), Parameters(X), ())
    batch, moved = Batch(tape), X + np.random.default_rng(0).normal(size=(16, 3, 3)) / 64
    together = batch.cost(batch.evaluate({0: Dense(moved)}), 16)
    alone = [batch.cost(batch.evaluate({0: Dense(moved[k : k + 1])}), 1)[0] for k in range(16)]
    assert together.tolist() == alone


@pytest.mark.parametrize(
    ("cost", "moved"),
    [(lambda x: np.sum(np.unique(np.floor(x))), 0.0), (lambda x: np.sum(np.abs(np.linalg.eigvals(x))), None)],
)
def test_another_shape_or_dtype(cost, moved):
    """Where a result has another shape or dtype at some point, this is said."""
    tape = record(cost, Parameters(X), ())
    point = (
        np.zeros((3, 3)) if moved == 0.0 else np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    )
    with pytest.raises(OtherShape):
        Batch(tape).evaluate({0: Dense(np.stack([X, point]))})

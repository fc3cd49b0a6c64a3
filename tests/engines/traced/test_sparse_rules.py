"""Few changed entries, from operation to operation."""

import numpy as np
import pytest

from fastgrad.engines.traced.batch import Batch
from fastgrad.engines.traced.changes import Dense, Sparse, as_dense
from fastgrad.engines.traced.recorder import record
from fastgrad.problem.parameters import Parameters

A = np.round(np.random.default_rng(3).normal(size=(4, 5)), 2)
B = np.round(np.random.default_rng(4).normal(size=(5, 6)), 2)


def changes_of(function, leaf, where):
    """The change of what a function gives where entries of its array are moved, and what it gives there."""
    tape = record(lambda p: np.sum(function(p)), Parameters(leaf), ())
    batch, where = Batch(tape), np.asarray(where)
    new = leaf.reshape(-1)[where] + 0.5
    number = tape.operations[-1].inputs[0]
    found = batch.evaluate({0: Sparse(where, new)}, keep=(number,))[number]
    moved = as_dense(Sparse(where, new), leaf, len(where))
    return found, as_dense(found, tape.base[number], len(where)), np.array([function(x) for x in moved])


COLUMN = (np.arange(4) * 5 + 2)[None] + np.array([[0], [1]])
ROW = np.arange(5)[None] + np.array([[0], [10]])
RULES = {
    "elementwise": (lambda x: np.tanh(x), [[0], [7]], Sparse),
    "broadcast of the operand": (lambda x: x[:, :1] * np.ones((4, 5)), [[0], [5]], Sparse),
    "an operand that is broadcast": (lambda x: x + np.arange(5.0), [[0], [7]], Sparse),
    "twice the same": (lambda x: x * np.exp(x), [[0], [7]], Sparse),
    "an entry of the left factor": (lambda x: x @ B, [[0], [7]], Sparse),
    "an entry of the right factor": (lambda x: B.T @ x.T, [[0], [7]], Sparse),
    "a column of the left factor": (lambda x: x @ B, COLUMN, Dense),
    "a row of the left factor": (lambda x: x @ B, ROW, Sparse),
    "a column of the right factor": (lambda x: B.T @ x.T, COLUMN, Dense),
    "a row of the right factor": (lambda x: np.ones((3, 4)) @ x, ROW, Dense),
    "a sum over rows": (lambda x: np.sum(x, axis=0), [[0], [7]], Sparse),
    "a sum over columns, kept": (lambda x: np.sum(x, axis=1, keepdims=True), COLUMN, Sparse),
    "entries of one sum": (lambda x: np.sum(x, axis=1), ROW, Dense),
    "the sum of all": (lambda x: np.sum(x), COLUMN, Sparse),
    "a product with itself": (lambda x: x @ x.T, [[0], [7]], Dense),
}


@pytest.mark.parametrize("name", RULES)
def test_rule(name):
    """Each rule gives what the function gives, and stays sparse where it can."""
    function, where, kind = RULES[name]
    found, values, expected = changes_of(function, A, where)
    assert np.allclose(values, expected, rtol=0, atol=1e-14)
    assert isinstance(found, kind) or found.new[0].size <= 20


def test_not_finite():
    """Sums and products of arrays with infinities are evaluated as a whole, since inf - inf is no number."""
    leaf = A.copy()
    leaf[1, 1] = 0.0
    for function in (lambda x: np.sum(1 / np.abs(x), axis=0), lambda x: (1 / np.abs(x)) @ B):
        with np.errstate(all="ignore"):
            _, values, expected = changes_of(function, leaf, [[6], [0]])
        assert np.array_equal(np.isnan(values), np.isnan(expected))


MIXED = {
    "the same weight twice": (lambda w: np.tanh(A @ w) @ w, (5, 5)),
    "a cell at each step": (lambda w: np.tanh(np.tanh(A @ w) @ w @ w), (5, 5)),
    "from the left": (lambda w: w.T @ np.tanh(A @ w).T, (5, 5)),
}


@pytest.mark.parametrize("name", MIXED)
def test_a_product_of_both(name):
    """Where all of one factor changes and one entry of the other, the product is that of both."""
    function, shape = MIXED[name]
    leaf = np.round(np.random.default_rng(5).normal(size=shape), 2)
    where = np.arange(leaf.size)[:, None]
    _, values, expected = changes_of(function, leaf, where)
    assert np.allclose(values, expected, rtol=0, atol=1e-13)

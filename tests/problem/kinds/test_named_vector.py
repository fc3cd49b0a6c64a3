"""A vector with names: the names stand in messages, and functions get the plain array."""

from __future__ import annotations

import pickle

import numpy as np

import fastgrad
from fastgrad.problem.kinds.named_vector import NamedVector, form_of, named, to_array
from fastgrad.problem.parameters import Parameters

VECTOR = NamedVector(np.array([0.5, -1.0, 2.0]), ("const", ("age", 1), 7))


def test_functions_get_plain_arrays():
    """Cost and gradient get an array of NumPy, in the working copy's own memory."""
    seen = []

    def cost(x):
        seen.append(type(x))
        return float(x @ x)

    assert fastgrad.check_gradient(cost, lambda x: cost(x) * 0 + 2 * x, VECTOR).passed
    assert set(seen) == {np.ndarray}


def test_a_wrong_entry_is_named():
    """A wrong entry has its name, in the findings and in the diagnosis."""
    report = fastgrad.check_gradient(lambda x: x @ x, lambda x: 2 * x + [0, 0.1, 0], VECTOR)
    assert [f.label for f in report.wrong] == ["params[('age', 1)]"]
    assert "only params[('age', 1)] is wrong" in report.diagnosis[0]


def test_a_cost_in_numpy_is_recorded():
    """The names take no engine away: the cost is recorded as it is with a plain array."""
    A = np.random.default_rng(0).normal(size=(40, 40))
    x = A[0].copy()

    def cost(x):
        return np.sum(np.tanh(A @ x))

    def gradient(x):
        return A.T @ (1 - np.tanh(A @ x) ** 2)

    names = tuple(f"x{i}" for i in range(40))
    reports = [fastgrad.check_gradient(cost, gradient, p) for p in (x, NamedVector(x, names))]
    assert [r.verdict for r in reports] == ["agree", "agree"]
    assert reports[0].engine == reports[1].engine


def test_travels_between_processes():
    """A pickled block names its coordinates, and still needs no wrapper."""
    [block] = pickle.loads(pickle.dumps(Parameters(VECTOR))).blocks
    assert [block.label(i) for i in range(3)] == ["params['const']", "params[('age', 1)]", "params[7]"]


def test_without_names():
    """No names leave the array as it is; other things of fastgrad are no vectors."""
    x = np.ones(2)
    assert named(x, None) is x
    assert form_of(fastgrad.Dense(2, 3), "x") is to_array(fastgrad.Dense(2, 3), "x") is None

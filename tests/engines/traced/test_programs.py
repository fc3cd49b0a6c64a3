"""Random programs, traced and plain: the same values in every way of evaluation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from tape_programs import cost_of, programs

from fastgrad.engines.python import PythonEngine
from fastgrad.engines.traced.batch import Batch
from fastgrad.engines.traced.changes import Dense
from fastgrad.engines.traced.engine import TracedEngine
from fastgrad.engines.traced.recorder import record
from fastgrad.problem.parameters import Parameters

ROUNDINGS = 2.0**-36
"""What values may differ by, in units of the largest number that is summed, 100 or less."""


def engines_of(cost, leaves):
    """The traced engine and the plain one."""
    parameters = Parameters([np.asarray(leaf) for leaf in leaves])
    tape = record(cost, parameters, ())
    return TracedEngine(cost, parameters, (), tape), PythonEngine(cost, parameters, ())


def offsets_of(parameters, seed=0):
    """All indices, and three offsets of each: small, large, and so large that ways part."""
    indices = np.arange(parameters.size)
    signs = np.random.default_rng(seed).choice([-1.0, 1.0], (parameters.size, 1))
    return indices, signs * np.array([2.0**-20, -(2.0**-8), 0.5])


def evaluate_all(engine, indices, offsets):
    """What the execution does, with one worker."""
    return engine.values(indices, offsets)


def tolerance(tape):
    """What values may differ by."""
    largest = max(float(np.abs(b[np.isfinite(b)]).max(initial=1.0)) for b in tape.base)
    return ROUNDINGS * 100 * largest


@settings(max_examples=30)
@given(programs())
def test_one_parameter_moved(example):
    """Where one parameter is moved, the tape gives what the plain cost gives, however points are cut."""
    program, leaves = example
    traced, plain = engines_of(cost_of(program), leaves)
    indices, offsets = offsets_of(traced.parameters)
    values = traced.values(indices, offsets)
    off = tolerance(traced.tape)
    np.testing.assert_allclose(values, plain.values(indices, offsets), rtol=0, atol=off)
    cut = np.concatenate([traced.values(indices[k : k + 1], offsets[k : k + 1]) for k in range(len(indices))])
    np.testing.assert_allclose(cut, values, rtol=0, atol=off)


@settings(max_examples=30)
@given(programs())
def test_all_parameters_moved(example):
    """Where all parameters are moved, a batch gives what the plain cost gives, or says that it may not."""
    program, leaves = example
    cost, rng = cost_of(program), np.random.default_rng(len(program))
    traced, _ = engines_of(cost, leaves)
    tape, points = traced.tape, 4
    moved = [leaf + 2.0**-12 * rng.normal(size=(points, *leaf.shape)) for leaf in leaves]
    batch = Batch(tape)
    states = batch.evaluate({n: Dense(new) for n, new in enumerate(moved)})
    values, strayed = batch.cost(states, points), batch.strayed(states, points)
    for k in np.flatnonzero(~strayed):
        point = [new[k] for new in moved]
        assert values[k] == pytest.approx(cost(point), rel=0, abs=tolerance(tape))
        replayed = tape.replay(point)
        assert replayed is not None
        assert replayed == pytest.approx(cost(point), rel=0, abs=tolerance(tape))


@settings(max_examples=30)
@given(programs())
def test_from_tables(example):
    """Where weights are read off tables, values are those of the plain cost."""
    program, leaves = example
    traced, plain = engines_of(cost_of(program), leaves)
    indices, offsets = offsets_of(traced.parameters)
    offsets = offsets[:, :2]
    twin = traced.prepared(indices, offsets, evaluate_all)
    values = twin.values(indices, offsets)
    np.testing.assert_allclose(values, plain.values(indices, offsets), rtol=0, atol=tolerance(traced.tape))


def relu_by_if(p):
    (w,) = p
    total = 0.0
    for x in w:
        total = total + (x if x > 0 else 0.01 * x)
    return total


def largest_by_argmax(p):
    (w,) = p
    return 3 * w[np.argmax(w)] + np.sum(w[np.argmax(w) :])


def ranks(p):
    (w,) = p
    return np.sum(w[np.argsort(w)] * np.arange(w.size))


def trimmed(p):
    (w,) = p
    return np.sum(np.sort(w)[1:-1]) + np.median(w) + max(w) - min(w[0], w[1])


def counted(p):
    (w,) = p
    return np.sum(w) * len(w[w > 0]) + int(np.sum(w > 0)) * 0.5


def rounded(p):
    (w,) = p
    return np.sum(np.floor(w * 1e9)) * 1e-9 + np.sum(np.abs(w)) + np.sum(np.where(w > 0, w, -2 * w))


GUARDS = (relu_by_if, largest_by_argmax, ranks, trimmed, counted, rounded)


@pytest.mark.parametrize("cost", GUARDS, ids=lambda f: f.__name__)
@pytest.mark.parametrize(
    "leaf", [[1e-9, -1e-9, 2e-9, 1e-9], [0.0, 0.0, 0.0, 0.0], [0.5, 0.5, 0.5 + 1e-9, -0.5]]
)
def test_guards(cost, leaf):
    """At a kink, a tie, or a swap, values are those of the plain cost on both sides."""
    traced, plain = engines_of(cost, [np.array(leaf)])
    indices = np.arange(4)
    offsets = np.tile([1e-12, -1e-12, 1e-9, -1e-9, 3e-9, -3e-9, 1e-3, -1e-3, 1.0, -1.0], (4, 1))
    np.testing.assert_allclose(
        traced.values(indices, offsets), plain.values(indices, offsets), rtol=0, atol=1e-14 * 16
    )


def logarithm(p):
    (w,) = p
    return np.sum(np.log(w))


def quotient(p):
    (w,) = p
    return np.sum(1 / (w - 1.0))


def root(p):
    (w,) = p
    return np.sqrt(np.prod(w)) + np.sum(np.array([[1.0, 2.0]]) @ np.log(w.reshape(2, 2)))


def overflow(p):
    (w,) = p
    return np.sum(np.exp(1e3 * w))


@pytest.mark.parametrize("cost", [logarithm, quotient, root, overflow], ids=lambda f: f.__name__)
def test_nan_and_infinity(cost):
    """NaN and infinity surface where the plain cost gives them."""
    traced, plain = engines_of(cost, [np.full(4, 0.5)])
    indices, offsets = np.arange(4), np.tile([1e-6, -1.0, 0.5, 0.75, 2.0], (4, 1))
    values = traced.values(indices, offsets)
    with np.errstate(all="ignore"):
        expected = plain.values(indices, offsets)
    np.testing.assert_allclose(values, expected, rtol=1e-12)
    assert not np.isfinite(values).all()
    assert np.isfinite(values).any()

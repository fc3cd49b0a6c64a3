"""An engine that evaluates some blocks many points at a time."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastgrad.engines.by_block import ByBlockEngine
from fastgrad.engines.python import PythonEngine
from fastgrad.problem.parameters import Parameters

AT = {"a": np.linspace(0.1, 2.0, 50), "b": np.array([0.5, 2.0]), "c": np.linspace(1, 2, 30)}


def cost(p):
    """Something of three blocks."""
    return float(np.sum(np.sin(p["a"])) * p["b"][1] + np.sum(p["c"] ** 2) * p["b"][0])


class Rows:
    """A batch for one block, which keeps the sizes of its calls."""

    rows = 8

    def __init__(self, name, error=None):
        self.name, self.error, self.sizes = name, error, []

    def __call__(self, structure, inside, points):
        """One after the other."""
        self.sizes.append(len(inside))
        if self.error is not None:
            raise self.error
        found = []
        for i, point in zip(inside, points, strict=True):
            moved = structure[self.name].copy()
            moved[i] = point
            found.append(cost(structure | {self.name: moved}))
        return np.array(found)


def engines(**options):
    """The plain engine, and one with batches for the first and the last block."""
    plain = PythonEngine(cost, Parameters(AT))
    batches = {0: Rows("a", **options), 2: Rows("c", **options)}
    return plain, ByBlockEngine(plain, batches, "batched", 1e-6)


EVERY = np.arange(82)
OFFSETS = 1e-3 * np.array([[-1.0, 1.0]]) * np.ones((82, 1))


def test_values():
    """They are those of the plain engine, for blocks with a batch and for those without."""
    plain, engine = engines()
    assert np.allclose(engine.values(EVERY, OFFSETS), plain.values(EVERY, OFFSETS), rtol=1e-14)
    assert max(engine.batches[0].sizes) == 8
    assert sum(engine.batches[0].sizes) == 100


@pytest.mark.parametrize("error", [RuntimeError("vmap"), ValueError("domain")])
def test_a_batch_that_raises(error):
    """Its points are evaluated one by one."""
    plain, engine = engines(error=error)
    assert np.array_equal(engine.values(EVERY, OFFSETS), plain.values(EVERY, OFFSETS))


def test_another_error_passes():
    """The twin: a mistake in the code is none of these."""
    with pytest.raises(KeyError):
        engines(error=KeyError("name"))[1].values(EVERY, OFFSETS)


def test_cuts():
    """Batches are the same wherever a plan is cut at a multiple of the granularity."""
    _, whole = engines()
    whole.values(EVERY, OFFSETS)
    _, cut = engines()
    for start in range(0, 82, 3 * cut.granularity):
        some = slice(start, start + 3 * cut.granularity)
        cut.values(EVERY[some], OFFSETS[some])
    assert whole.batches[0].sizes == cut.batches[0].sizes
    assert whole.batches[2].sizes == cut.batches[2].sizes


def test_twin():
    """A worker's twin has batches of its own cost, where they say how."""

    class Follows(Rows):
        def of(self, cost):
            """Another one."""
            return Follows(self.name)

    plain, _ = engines()
    engine = ByBlockEngine(plain, {0: Follows("a"), 2: Rows("c")}, "batched", 1e-6)
    twin = engine.for_worker()
    assert twin.batches[0] is not engine.batches[0]
    assert twin.batches[2] is engine.batches[2]
    assert np.array_equal(twin.values(EVERY, OFFSETS), engine.values(EVERY, OFFSETS))


@given(data=st.data())
@settings(max_examples=30)
def test_any_plan(data):
    """Whatever coordinates are moved by whatever offsets, the values are those of the plain engine."""
    plain, engine = engines()
    indices = np.array(sorted(data.draw(st.sets(st.integers(0, 81), min_size=1))))
    rng = np.random.default_rng(data.draw(st.integers(0, 2**31)))
    offsets = rng.normal(size=(len(indices), data.draw(st.integers(1, 4)))) * 10.0 ** rng.integers(-8, 1)
    assert np.allclose(engine.values(indices, offsets), plain.values(indices, offsets), rtol=1e-13)

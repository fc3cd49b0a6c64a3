"""Whether a tape may stand for its cost."""

import itertools

import numpy as np
import pytest
from traced_cases import FLAT, NET, engine_of, flat_net, net

from fastgrad.engines.traced.declined import Declined
from fastgrad.engines.traced.trust import compared


@pytest.mark.parametrize(("cost", "params"), [(net, NET), (flat_net, FLAT)])
def test_the_same(cost, params):
    """A tape of a function is trusted."""
    engine, _ = engine_of(cost, params)
    assert compared(engine, 1) > 2


def test_state():
    """A cost that counts its calls is another one than was recorded."""
    calls = itertools.count()
    with pytest.raises(Declined, match="depends on something beside its parameters"):
        engine_of(lambda p: np.sum(p**2) * (1 + 1e-6 * next(calls)), np.ones(3))


def test_random_numbers():
    """So is one that draws random numbers."""
    rng = np.random.default_rng(0)
    with pytest.raises(Declined, match="depends on something beside its parameters"):
        engine_of(lambda p: np.sum(p**2 * rng.normal(size=3)), np.ones(3))


def test_a_way_that_is_not_recorded():
    """And one whose course depends on numbers that were taken out of the parameters unseen."""

    def cost(p):
        return np.sum(p**2) if sum(memoryview(np.array([0.5]))) > 1 else np.sum(p**3)

    engine, _ = engine_of(cost, np.ones(3))  # constant: nothing was taken out
    assert compared(engine, 0) > 2


def test_a_wrong_tape_is_seen():
    """A tape with one wrong constant is not trusted."""
    engine, _ = engine_of(net, NET)
    last = engine.tape.operations[-2]
    object.__setattr__(last, "args", (*last.args[:1], last.args[1] * 1.0001))
    with pytest.raises(Declined):
        compared(engine, 0)

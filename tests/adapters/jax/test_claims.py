"""The gradient under test, as reverse mode or the user computes it."""

from __future__ import annotations

import numpy as np
import pytest

jax = pytest.importorskip("jax")
jnp = jax.numpy

from fastgrad.adapters.jax.claims import ClaimedGradient, Given, Reverse, Values  # noqa: E402
from fastgrad.adapters.jax.pytree import Pytree  # noqa: E402
from fastgrad.adapters.jax.subject import Call  # noqa: E402

CALL = Call(Pytree.of({"x": jnp.array([1.0, 2.0])}, "params"), (jnp.array([3.0, 4.0]),))


def cost(params, data):
    """A function with gradient 2 x data."""
    return jnp.sum(params["x"] ** 2 * data)


@pytest.mark.parametrize("double", [True, False])
@pytest.mark.parametrize(
    "claim",
    [
        Reverse(),
        Given(lambda params, data: {"x": 2 * params["x"] * data}, CALL),
        Values((jnp.array([6.0, 16.0]),)),
    ],
)
def test_each_gives_arrays_of_numpy_by_name(claim, double):
    """In float64 and in the user's precision, as a check takes them."""
    claimed = ClaimedGradient(claim, CALL.subject(cost), [np.ones(())], double)
    found = claimed({"params['x']": np.array([1.0, 2.0])})
    assert found["params['x']"].tolist() == [6, 16]
    assert type(found["params['x']"]) is np.ndarray
    assert found["params['x']"].dtype == (
        "float64" if double and not isinstance(claim, Values) else "float32"
    )


def test_other_weights():
    """A linear claim can be asked for another multiple."""
    claimed = ClaimedGradient(Reverse(), CALL.subject(cost), [np.ones(())], True)
    assert claimed.at([np.array([1.0, 2.0])], [np.array(0.5)])[0].tolist() == [3, 8]


def test_what_cannot_be_compiled_is_called_plainly():
    """A function that branches on values has a gradient all the same."""
    branching = CALL.subject(lambda params, data: jnp.sum(params["x"]) * (1 if data[0] > 0 else 2))
    claimed = ClaimedGradient(Reverse(), branching, [np.ones(())], False)
    assert claimed.at([np.array([1.0, 2.0])])[0].tolist() == [1, 1]
    assert claimed.at([np.array([1.0, 2.0])])[0].tolist() == [1, 1]

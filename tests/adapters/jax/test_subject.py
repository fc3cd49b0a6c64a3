"""The function of real arrays that stands for the user's function."""

from __future__ import annotations

import numpy as np
import pytest

from fastgrad.errors import InputError

jax = pytest.importorskip("jax")
jnp = jax.numpy

from fastgrad.adapters.jax.pytree import Pytree  # noqa: E402
from fastgrad.adapters.jax.subject import Call  # noqa: E402


def test_data_are_the_arrays_among_the_args():
    """Arrays are data; numbers, strings and functions go in as they came."""
    seen = []

    def function(x, data, size, name):
        seen.append((size, name))
        return x * data["X"][:size]

    call = Call(Pytree.of(jnp.ones(2), "params"), ({"X": np.arange(3.0)}, 2, "relu"))
    subject = call.subject(function)
    assert [array.tolist() for array in subject.data] == [[0, 1, 2]]
    assert subject.outputs(double=False)[0].tolist() == [0, 1]
    assert seen == [(2, "relu")]


@pytest.mark.parametrize("double", [True, False])
def test_params_and_data_have_the_precision_asked_for(double):
    """In float64 both are cast, else neither; what comes out without derivatives is left out."""
    call = Call(Pytree.of(jnp.ones(2), "params"), (jnp.ones(2),))
    subject = call.subject(lambda x, y: {"sum": x + y, "at": jnp.argmax(x)})
    outputs = subject.outputs(double)
    assert [out.dtype.name for out in outputs] == ["float64" if double else "float32"]


def test_arrays_are_copies():
    """What a function keeps does not change when fastgrad moves its own array."""
    subject = Call(Pytree.of(jnp.ones(2), "params"), ()).subject(jnp.sum)
    own = np.ones(2)
    with subject.context(True):
        kept = subject.arrays([own], True)[0]
    own[0] = 5.0
    assert np.asarray(kept)[0] == 1


def test_traced_data():
    """A tracer among the args is refused by its name."""
    params = Pytree.of(jnp.ones(2), "params")

    def inside(y):
        Call(params, (y,))

    with pytest.raises(InputError, match=r"args\[0\] is a tracer"):
        jax.eval_shape(inside, jnp.ones(2))

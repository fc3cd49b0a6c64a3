"""The random weights of the outputs."""

from __future__ import annotations

import pytest

from fastgrad.errors import InputError

jax = pytest.importorskip("jax")
jnp = jax.numpy

from fastgrad.adapters.jax.pytree import Pytree  # noqa: E402
from fastgrad.adapters.jax.subject import Call  # noqa: E402
from fastgrad.adapters.jax.weights import weights_of  # noqa: E402


def weights(function, seed=0):
    """Of a function of two numbers."""
    subject = Call(Pytree.of(jnp.array([1.0, 2.0]), "x"), ()).subject(function)
    return weights_of(subject, {"seed": seed})


def test_shapes_and_seed():
    """Each output has weights of its shape, none zero, and another seed gives others."""

    def function(x):
        return {"a": jnp.outer(x, x), "b": jnp.sum(x)}

    found = weights(function)
    assert [w.shape for w in found] == [(2, 2), ()]
    assert all((w != 0).all() for w in found)
    assert found[1] != weights(function, seed=1)[1]


def test_no_output_hides_behind_a_larger_one():
    """A small output weighs as much more as it is smaller."""
    small, large = weights(lambda x: (1e-6 * x, 1e6 * x))
    assert 1e10 < abs(small[0] / large[0]) < 1e14


def test_without_float64():
    """A function that takes float32 only has weights too."""

    def only(x):
        if x.dtype != jnp.float32:
            raise TypeError("float32 only")
        return x

    assert weights(only)[0].shape == (2,)


def test_no_floats():
    """A function without floats among its outputs has no derivatives."""
    with pytest.raises(InputError, match="returns no floats"):
        weights(jnp.argmax)

"""Functions of JAX with right and wrong rules, which several tests share. It needs jax."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np


def sine_by_jvp(factor=1.0):
    """The sine with a rule of forward mode that is off by a factor."""

    @jax.custom_jvp
    def sine(x):
        return jnp.sin(x)

    sine.defjvp(lambda primals, tangents: (jnp.sin(primals[0]), factor * jnp.cos(primals[0]) * tangents[0]))
    return sine


def sine_by_vjp(at=None, factor=1.0):
    """The sine with a rule of reverse mode, off by a factor at one entry."""

    @jax.custom_vjp
    def sine(x):
        return jnp.sin(x)

    def backward(x, cotangent):
        found = jnp.cos(x) * cotangent
        return (found if at is None else found.at[at].multiply(factor),)

    sine.defvjp(lambda x: (jnp.sin(x), x), backward)
    return sine


def points(n, double=False):
    """Numbers at equal distances from 0.1 to 1."""
    return jnp.linspace(0.1, 1, n, dtype=jnp.float64 if double else jnp.float32)


def network():
    """A loss of a pytree with its parameters and data, in float32."""
    rng = np.random.default_rng(0)

    def loss(params, x, y):
        hidden = jnp.tanh(x @ params["dense"]["W"] + params["dense"]["b"])
        return jnp.mean((hidden @ params["out"] - y) ** 2)

    def single(*shape):
        return jnp.asarray(rng.standard_normal(shape), jnp.float32)

    params = {"dense": {"W": single(4, 5), "b": jnp.zeros(5)}, "out": single(5)}
    return loss, params, (single(20, 4), single(20))

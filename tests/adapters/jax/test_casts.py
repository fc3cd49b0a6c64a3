"""Whether a function casts to a shorter float inside."""

from __future__ import annotations

import numpy as np
import pytest

jax = pytest.importorskip("jax")
jnp = jax.numpy

from fastgrad.adapters.jax.casts import what_is_cast  # noqa: E402
from fastgrad.adapters.jax.pytree import Pytree  # noqa: E402
from fastgrad.adapters.jax.scalar import Scalar  # noqa: E402
from fastgrad.adapters.jax.subject import Call  # noqa: E402


def cast_in(function):
    """The shortest float inside of a function of three numbers."""
    subject = Call(Pytree.of(jnp.ones(3), "params"), ()).subject(function)
    return what_is_cast(Scalar(subject, [np.ones(())], True), {"params": np.ones(3)})


@jax.jit
def inner(x):
    """A cast within a compiled function."""
    return x.astype("bfloat16").astype("float64")


def test_casts_are_found_wherever_they_are():
    """At the top, inside of jit, and in the body of a loop; the shortest is named."""
    assert cast_in(lambda x: jnp.sum(x.astype("float32"))) == "float32"
    assert cast_in(lambda x: jnp.sum(inner(x)) + jnp.sum(x.astype("float32"))) == "bfloat16"
    assert cast_in(lambda x: jax.lax.fori_loop(0, 3, lambda k, y: inner(y), x)[0]) == "bfloat16"


def test_no_casts():
    """Neither float64 throughout, nor a cast of integers, is one; of what is not traced nothing is known."""
    assert cast_in(lambda x: jnp.sum(x) * jnp.arange(3)[0]) == ""
    assert cast_in(lambda x: jnp.asarray(float(x[0]))) == ""

"""Whether the compiled batch gives what plain calls give."""

from __future__ import annotations

import numpy as np
import pytest

jax = pytest.importorskip("jax")
jnp = jax.numpy

from fastgrad.adapters.jax.pytree import Pytree  # noqa: E402
from fastgrad.adapters.jax.scalar import Scalar  # noqa: E402
from fastgrad.adapters.jax.subject import Call  # noqa: E402
from fastgrad.adapters.jax.trust import why_not_batched  # noqa: E402


def why(function):
    """Why a function of three numbers is not batched."""
    scalar = Scalar(Call(Pytree.of(jnp.ones(3), "params"), ()).subject(function), [np.ones(())], True)
    return why_not_batched(scalar, {"params": np.ones(3)})


def test_a_function_that_can_be_batched():
    """Where the values are the same there is nothing to say; where both have none, too."""
    assert why(lambda x: jnp.sum(jnp.exp(x))) == ""
    assert why(lambda x: jnp.sum(jnp.log(-x))) == ""


def test_a_function_that_is_another_one_when_it_is_traced():
    """A function that sees that it is traced, and gives another value, is called plainly."""
    said = why(lambda x: jnp.sum(x) * (2 if isinstance(x, jax.core.Tracer) else 1))
    assert "it gives 3, and 6 under jax.jit and jax.vmap" in said


def test_a_function_that_cannot_be_traced():
    """What jax raises is said in one line."""
    said = why(lambda x: jnp.asarray(float(x[0])))
    assert "it raises ConcretizationTypeError" in said or "it raises TracerArrayConversionError" in said
    assert "\n" not in said

"""Forward mode, turned into J^T w."""

from __future__ import annotations

import numpy as np
import pytest

jax = pytest.importorskip("jax")
jnp = jax.numpy

from jax_cases import points, sine_by_jvp  # noqa: E402

from fastgrad.adapters.jax.claims import ClaimedGradient  # noqa: E402
from fastgrad.adapters.jax.forward import Columns, Forward, forward_that_works  # noqa: E402
from fastgrad.adapters.jax.pytree import Pytree  # noqa: E402
from fastgrad.adapters.jax.subject import Call  # noqa: E402

X = np.asarray(points(70), dtype=np.float64)
W = np.linspace(-1, 2, 70)


def subject_of(function):
    """A function of 70 numbers."""
    return Call(Pytree.of(points(70), "params"), ()).subject(function)


@pytest.mark.parametrize("claim", [Forward(), Forward("jax.linearize", linearize=True), Columns()])
@pytest.mark.parametrize("factor", [1.0, 1.01])
def test_it_is_what_the_rule_of_forward_mode_says(claim, factor):
    """The transpose, and the columns one by one, show the factor that the rule is off by."""
    found = ClaimedGradient(claim, subject_of(sine_by_jvp(factor)), [W], True).at([X])[0]
    assert np.allclose(found, factor * W * np.cos(X), rtol=1e-12)


def test_a_rule_that_cannot_be_transposed_is_asked_by_columns():
    """A rule that branches on its tangent is no linear function to jax; each column is."""

    @jax.custom_jvp
    def sine(x):
        return jnp.sin(x)

    sine.defjvp(lambda x, v: (jnp.sin(x[0]), jnp.where(v[0] == 0, 0.0, jnp.cos(x[0]) * v[0])))
    assert forward_that_works(Forward(), subject_of(jnp.sin), [W]) == Forward()
    claim = forward_that_works(Forward(), subject_of(sine), [W])
    assert claim == Columns()
    found = ClaimedGradient(claim, subject_of(sine), [W], True).at([X])[0]
    assert np.allclose(found, W * np.cos(X), rtol=1e-12)


def test_a_transpose_that_is_another_one_is_not_taken():
    """Where a rule brings a transpose of its own that is wrong, the columns of the product itself count."""
    from jax.custom_derivatives import linear_call

    @jax.custom_jvp
    def sine(x):
        return jnp.sin(x)

    def rule(x, v):
        def product(slope, v):
            return slope * v

        return jnp.sin(x[0]), linear_call(product, lambda slope, u: 2 * slope * u, jnp.cos(x[0]), v[0])

    sine.defjvp(rule)
    claim = forward_that_works(Forward(), subject_of(sine), [W])
    assert claim == Columns()
    found = ClaimedGradient(claim, subject_of(sine), [W], True).at([X])[0]
    assert np.allclose(found, W * np.cos(X), rtol=1e-12)

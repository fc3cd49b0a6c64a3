"""One check: in float64 by differences, then in the user's precision."""

from __future__ import annotations

import numpy as np
import pytest

from fastgrad.errors import InputError

jax = pytest.importorskip("jax")
jnp = jax.numpy

from fastgrad.adapters.jax.claims import Reverse  # noqa: E402
from fastgrad.adapters.jax.judged import Judged  # noqa: E402
from fastgrad.adapters.jax.pytree import Pytree  # noqa: E402
from fastgrad.adapters.jax.subject import Call  # noqa: E402


def judged(function, params, **options):
    """The report of jax.grad of a scalar function."""
    subject = Call(Pytree.of(params, "params"), ()).subject(function)
    return Judged(subject, [np.ones(())], Reverse(), options).report()


def test_rounding_by_cancellation_is_no_error():
    """A gradient that loses most of its digits in float32 is right, to fewer digits."""

    def cancels(x):
        return jnp.sum(jnp.sin(x) + 1000 * x * jnp.exp(x) - 1000 * jnp.exp(x + jnp.log(x)))

    report = judged(cancels, jnp.linspace(0.1, 1, 50))
    assert report.passed
    said = report.witnesses[0]
    assert 1e-6 < float(said.partition("in float32: agree to ")[2].split(",")[0]) < 1e-2


def test_sums_of_data_that_nearly_cancel():
    """A linear function of large float32 data with small sums is right: its rounding shows by the weights."""
    data = np.random.default_rng(0).standard_normal((20_000, 10)).astype(np.float32)
    assert judged(lambda x: jnp.sum(jnp.asarray(data) @ x), jnp.ones(10)).passed


def test_an_overflow_in_float32_is_said():
    """A gradient that is infinite in float32, and finite in float64, disagrees in float32."""
    report = judged(lambda x: jnp.sum(jnp.exp(x * x) / jnp.exp(x * x - 1)), jnp.array([1.0, 10.0]))
    assert report.verdict == "disagree"
    assert [found.label for found in report.wrong] == ["params[1]"]


@pytest.mark.parametrize(("engine", "evaluated_by"), [("batched", "batched"), ("python", "python")])
def test_the_engine_asked_for(engine, evaluated_by):
    """Both engines of JAX can be asked for, and nothing is noted of a choice of the user's."""
    report = judged(lambda x: jnp.sum(x**2), jnp.ones(3), engine=engine)
    assert report.engine == evaluated_by
    assert not any("plainly" in note for note in report.notes)


def test_an_engine_that_cannot_be_had():
    """engine="batched" is refused, with the reason, where the function cannot be compiled."""
    with pytest.raises(InputError, match='engine="batched" cannot be had: fn was called plainly'):
        judged(lambda x: x[0] ** 2 if x[0] > 0 else x[0], jnp.ones(3), engine="batched")


def test_bfloat16_without_float64():
    """Differences in bfloat16 show nothing: that is refused."""

    def short(x):
        if x.dtype != jnp.bfloat16:
            raise TypeError("bfloat16 only")
        return jnp.sum(x)

    with pytest.raises(InputError, match="differences in bfloat16 show nothing"):
        judged(short, jnp.ones(3, "bfloat16"))

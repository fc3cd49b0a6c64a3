"""Arrays of jax: a fresh one for each call, and gradients as jax gives them."""

from __future__ import annotations

import numpy as np
import pytest

import fastgrad
from fastgrad.engines.numbers import epsilon_of, to_number
from fastgrad.errors import InputError
from fastgrad.problem.kinds.jax_array import to_array
from fastgrad.problem.parameters import Parameters

jax = pytest.importorskip("jax")
jnp = pytest.importorskip("jax.numpy")

X = [0.5, -1.0, 2.0]


def squares(p):
    """The sum of squares."""
    return jnp.sum(p**2)


class TestMadeAgain:
    def test_as_given(self):
        """Cost and gradient get a jax array of the same dtype."""
        seen = []

        def cost(p):
            seen.append((isinstance(p, jax.Array), p.dtype))
            return squares(p)

        report = fastgrad.check_gradient(cost, lambda p: (cost(p), 2 * p)[1], jnp.array(X))
        assert report.verdict == "agree"
        assert set(seen) == {(True, np.dtype(np.float32))}

    def test_each_call_has_an_array_of_its_own(self):
        """An array that a call keeps holds the same numbers after the next ones."""
        kept = []
        fastgrad.check_gradient(
            lambda p: kept.append((p, np.array(p))) or squares(p), lambda p: 2 * p, jnp.array(X)
        )
        assert all(np.array_equal(array, numbers) for array, numbers in kept)

    @pytest.mark.parametrize("jit", [lambda f: f, jax.jit])
    def test_transformed_functions(self, jit):
        """jax.grad, jax.jit and pytrees of arrays are checked as they are."""
        params = {"W": jnp.ones((2, 3)), "b": [jnp.zeros(2), jnp.array(0.5)]}

        def cost(p):
            return jnp.sum(jnp.tanh(p["W"] @ jnp.array(X) + p["b"][0])) * p["b"][1]

        report = fastgrad.check_gradient(jit(cost), jit(jax.grad(cost)), params)
        assert report.verdict == "agree"

    def test_a_wrong_entry_is_named(self):
        """A wrong entry is found and named."""
        report = fastgrad.check_gradient(squares, lambda p: (2 * p).at[1].add(0.1), jnp.array(X))
        assert [f.label for f in report.wrong] == ["params[1]"]

    def test_vectorized(self):
        """A vectorized cost, such as jax.vmap makes, gets a batch."""
        report = fastgrad.check_gradient(jax.vmap(squares), jax.grad(squares), jnp.array(X), vectorized=True)
        assert (report.verdict, report.engine) == ("agree", "batched")


class TestPairs:
    def test_value_and_grad_as_gradient(self):
        """The pair of jax.value_and_grad is taken as the gradient, with a note."""
        report = fastgrad.check_gradient(squares, jax.value_and_grad(squares), jnp.array(X))
        assert report.passed
        assert "the second is taken as the gradient" in report.notes[0]

    def test_value_and_grad_as_cost(self):
        """With gradient=True one function gives both."""
        assert fastgrad.check_gradient(jax.value_and_grad(squares), True, jnp.array(X)).passed


class TestRefused:
    # array, what is said
    PARAMETERS = (
        (jnp.arange(3), r"got ArrayImpl of int32, shape \(3,\). Pass .astype\(jnp.float32\)"),
        (jnp.ones(2, jnp.bfloat16), "got ArrayImpl of bfloat16"),
        (jnp.array([1.0, jnp.nan]), r"parameter W\[1\] is nan"),
    )

    @pytest.mark.parametrize(("given", "said"), PARAMETERS)
    def test_parameters(self, given, said):
        """What cannot be differenced is refused with what to write."""
        with pytest.raises(InputError, match=said):
            Parameters({"W": given})

    def test_inside_a_transformation(self):
        """Called where jax traces, fastgrad says that there are no numbers."""

        def traced(p):
            fastgrad.check_gradient(squares, jax.grad(squares), p)
            return p

        with pytest.raises(InputError, match="params is traced by jax: it has no numbers inside jit"):
            jax.jit(traced)(jnp.array(X))

    def test_a_leaked_tracer(self):
        """A gradient that keeps what jax traced is refused by a sentence."""
        kept = []
        jax.jit(lambda p: kept.append(p) or p)(jnp.array(X))
        with pytest.raises(InputError, match="the gradient of params is traced by jax"):
            fastgrad.check_gradient(squares, lambda p: kept[0], jnp.array(X))


def test_half_precision_gradients():
    """bfloat16 is read as float32."""
    found = to_array(jnp.array([0.5, 1.0], jnp.bfloat16), "g")
    assert (found.dtype, found.tolist()) == (np.float32, [0.5, 1.0])


def test_numbers():
    """What a jax cost returns is a number in its own precision."""
    value = squares(jnp.array(X))
    assert to_number(value) == 5.25
    assert epsilon_of(value) == np.finfo(np.float32).eps

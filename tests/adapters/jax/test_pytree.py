"""A pytree taken apart into real arrays with names, and put together again."""

from __future__ import annotations

import numpy as np
import pytest

from fastgrad.errors import InputError

jax = pytest.importorskip("jax")
jnp = jax.numpy

from fastgrad.adapters.jax.pytree import Pytree, as_real  # noqa: E402

TREE = {"z": jnp.array([1 + 2j]), "n": 3, "w": (jnp.ones(2), None), "key": jax.random.key(0)}


def test_it_is_put_together_as_it_was():
    """The arrays make the same pytree again: complex numbers, integers, keys and None included."""
    tree = Pytree.of(TREE, "params")
    again = tree.build([jnp.asarray(value, dtype="float32") for value in tree.values])
    assert jax.tree_util.tree_structure(again) == jax.tree_util.tree_structure(TREE)
    assert again["z"].dtype == jnp.complex64
    assert again["z"][0] == 1 + 2j
    assert again["n"] == 3
    assert type(again["n"]) is int
    assert again["key"] is TREE["key"]


def test_names_shapes_and_precisions():
    """Leaves with derivatives have jax's names; a complex one has an axis for its two parts."""
    tree = Pytree.of(TREE, "params")
    assert tree.names == ("params['w'][0]", "params['z']")
    assert [value.shape for value in tree.values] == [(2,), (1, 2)]
    assert tree.dtypes == ("float32", "float32")


def test_a_gradient_is_conjugated():
    """jax gives the conjugate of a complex gradient; what has no derivatives is left out."""
    tree = Pytree.of(TREE, "params")
    gradient = {"z": jnp.array([5 - 7j]), "n": np.zeros(()), "w": (jnp.ones(2), None), "key": 0.0}
    w, z = tree.take_apart(gradient, "gradient")
    assert w.tolist() == [1, 1]
    assert z.tolist() == [[5, 7]]


def test_leaves_with_one_name_are_told_apart():
    """Two leaves that would be called the same are numbered."""

    class Same:
        def __repr__(self):
            return "same"

        def __lt__(self, other):
            return id(self) < id(other)

    tree = Pytree.of({Same(): 1.0, Same(): 2.0}, "params")
    assert tree.names == ("params[same]", "params[same] (2)")


def test_short_floats_that_are_not_known():
    """A float of 8 bits is refused with what to pass."""
    with pytest.raises(InputError, match="params is float8_e5m2: floats of 16, 32 and 64 bits"):
        Pytree.of(jnp.ones(2, "float8_e5m2"), "params")


def test_a_real_array_stays():
    """Only complex arrays get another axis."""
    assert as_real(jnp.ones(3)).shape == (3,)
    assert as_real(jnp.ones(3) * 1j).shape == (3, 2)

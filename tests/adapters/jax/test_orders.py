"""The derivatives that are checked, order by order."""

from __future__ import annotations

import numpy as np
import pytest

from fastgrad.errors import InputError

jax = pytest.importorskip("jax")
jnp = jax.numpy

from fastgrad.adapters.jax.orders import check_order, derivatives  # noqa: E402
from fastgrad.adapters.jax.pytree import Pytree  # noqa: E402
from fastgrad.adapters.jax.subject import Call  # noqa: E402

SUBJECT = Call(Pytree.of(jnp.array([0.0, 2.0]), "x"), ()).subject(lambda x: x**3)


def test_what_is_derived():
    """The jvp is a function of values and tangents, the vjp of values; with labels as jax has them."""
    found = {d.label: d.subject for d in derivatives(SUBJECT, 2, ("rev", "fwd"))}
    assert list(found) == ["JVP", "JVP of JVP", "VJP of JVP", "VJP", "JVP of VJP", "VJP of VJP"]
    pushed, pulled = found["VJP of JVP"], found["VJP of VJP"]
    assert pushed.names == ("x", "tangent of x")
    assert [out.tolist() for out in pushed.outputs(double=True)] == [[0, 8], [0, 24]]
    assert [out.tolist() for out in pulled.outputs(double=True)] == [[0, 12 * 8]]


def test_no_tangent_is_zero():
    """Along a zero nothing would show of the second derivative."""
    (*_, pushed) = derivatives(SUBJECT, 2, ("fwd",))
    assert np.all(pushed.subject.values[1] == [1, 2])


@pytest.mark.parametrize("order", [0, 1.5, True, None])
def test_no_order(order):
    """What is no order is refused."""
    with pytest.raises(InputError, match="order must be an integer"):
        check_order(order, ("fwd",))


@pytest.mark.parametrize("modes", ["fwd", (), ("forward",)])
def test_no_modes(modes):
    """What are no modes of jax is refused, and the modes are named."""
    with pytest.raises(InputError, match="modes must be some of fwd, rev, lin"):
        check_order(1, modes)

"""In which precision jax computes."""

from __future__ import annotations

import threading

import numpy as np
import pytest

jax = pytest.importorskip("jax")
jnp = jax.numpy

from fastgrad.adapters.jax import precision  # noqa: E402


def test_a_context_holds_float64_and_gives_it_back():
    """Inside of x64(True) arrays are float64, in a thread of its own too; outside they are as before."""
    found = []

    def work():
        with precision.x64(True):
            found.append(jnp.ones(1).dtype)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    with precision.x64(True):
        assert precision.is_x64()
        assert jnp.ones(1).dtype == jnp.float64
    assert found == [jnp.float64]
    assert not precision.is_x64()


@pytest.mark.parametrize(
    ("dtype", "name"), [("complex64", "float32"), ("float16", "float16"), ("bfloat16", "bfloat16")]
)
def test_the_name_of_a_precision(dtype, name):
    """A complex number has the precision of its parts."""
    assert precision.precision_of(jnp.ones(1, dtype)) == name
    assert precision.is_known(name)


def test_casting_leaves_what_is_no_float():
    """Floats and complex numbers become double; integers and random keys stay as they are."""
    with precision.x64(True):
        assert precision.in_double(np.ones(1, np.float32)).dtype == jnp.float64
        assert precision.in_double(np.ones(1, np.complex64)).dtype == jnp.complex128
        assert precision.in_double(jnp.arange(3, dtype="int32")).dtype == jnp.int32
        key = jax.random.key(0)
        assert precision.in_double(key) is key


def test_bfloat16_as_float64():
    """Numbers that NumPy does not have come out exactly."""
    assert precision.as_float64(jnp.array([0.5, 3.0], "bfloat16")).tolist() == [0.5, 3.0]

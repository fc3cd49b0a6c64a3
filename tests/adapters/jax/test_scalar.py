"""The number that is differenced, by plain calls and by compiled batches."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

jax = pytest.importorskip("jax")
jnp = jax.numpy

from fastgrad.adapters.jax import scalar as module  # noqa: E402
from fastgrad.adapters.jax.pytree import Pytree  # noqa: E402
from fastgrad.adapters.jax.scalar import Scalar  # noqa: E402
from fastgrad.adapters.jax.subject import Call  # noqa: E402


def waves(x, data):
    """Two outputs."""
    return jnp.sin(x), jnp.sum(jnp.outer(x, data))


def scalar_of(function=waves, double=True):
    """w . F at three parameters."""
    subject = Call(Pytree.of(jnp.ones(3), "params"), (jnp.arange(100.0),)).subject(function)
    return Scalar(subject, [np.arange(3.0), np.array(10.0)], double)


@pytest.mark.parametrize("count", [1, 2, 3, 16, 65, 256])
def test_batches_of_any_number_give_what_plain_calls_give(count):
    """A batch of k points has k values, whatever it is filled up with."""
    scalar = scalar_of()
    batch = np.random.default_rng(0).standard_normal((count, 3))
    alone = [scalar.plain({"params": row}) for row in batch]
    together = scalar.batch({"params": batch})
    assert together.shape == (count,)
    assert np.allclose(together, alone, rtol=1e-12, atol=1e-9)
    assert type(together) is np.ndarray


def test_a_batch_with_large_temporaries_goes_in_parts(monkeypatch):
    """Beyond TEMPORARIES the points go one after another, and the values stay."""
    batch = {"params": np.random.default_rng(0).standard_normal((16, 3))}
    whole = scalar_of().batch(batch)
    monkeypatch.setattr(module, "TEMPORARIES", 1)
    looped = []
    monkeypatch.setattr(jax.lax, "map", lambda *a, _map=jax.lax.map, **k: looped.append(k) or _map(*a, **k))
    monkeypatch.setattr(module, "_temporaries", lambda compiled: 4)
    assert np.allclose(scalar_of().batch(batch), whole, rtol=1e-12, atol=1e-9)
    assert looped[0]["batch_size"] == 4


def test_the_dtype_is_that_of_the_function():
    """A function that returns float32 is not said to return float64."""
    short = scalar_of(lambda x, data: (x.astype("float32"), jnp.float32(0)))
    assert short.plain({"params": np.ones(3)}).dtype == np.float32
    assert short.batch({"params": np.ones((2, 3))}).dtype == np.float32


def twice(x, data):
    """A function that can be pickled by name."""
    return 2 * x, jnp.sum(data)


def test_a_copy_compiles_for_itself():
    """What was compiled does not go to another process."""
    import cloudpickle

    scalar = scalar_of(twice)
    before = scalar.batch({"params": np.ones((1, 3))})
    again = pickle.loads(cloudpickle.dumps(scalar))
    assert again._compiled == {}
    assert again.batch({"params": np.ones((1, 3))}) == before

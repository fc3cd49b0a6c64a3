"""JAX: check_grads of a vjp written by hand, and a jitted vmap of central differences, in float64."""

from __future__ import annotations

import numpy as np

from peers import Found, Peer

STEP = 1e-5
CHUNK = 4
"""Of 1, 4, 16, 64 and 256 the best for both networks."""


def cost_of(case):
    """The cost in JAX, of the whole vector of parameters."""
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    X, labels = jnp.asarray(case.X), jnp.asarray(case.labels)

    def cost(x):
        a = X
        for k, (weight, bias) in enumerate(case.formula.layers(x)):
            a = (jnp.tanh(a) if k else a) @ weight + bias
        picked = jnp.take_along_axis(a, labels[:, None], axis=1)[:, 0]
        return jnp.mean(jax.nn.logsumexp(a, axis=1) - picked)

    return cost


def check_grads(case, piece):
    """jax.test_util.check_grads, reverse mode, at its defaults; the cost jitted."""
    import jax
    from jax.test_util import check_grads

    cost = jax.jit(cost_of(case))
    x = jax.numpy.asarray(case.x)

    def run(claimed):
        given = jax.numpy.asarray(claimed)

        @jax.custom_vjp
        def checked(z):
            return cost(x.at[piece.indices].set(z))

        checked.defvjp(lambda z: (checked(z), None), lambda _, upstream: (upstream * given,))
        try:
            check_grads(checked, (jax.numpy.asarray(piece.start),), order=1, modes=["rev"])
        except AssertionError:
            return Found(agrees=False, evaluations=2)
        return Found(agrees=True, evaluations=2)

    return run


def vmap(case, piece):
    """A jitted vmap over coordinates of one central difference, in chunks."""
    import jax
    import jax.numpy as jnp

    cost, x, indices = cost_of(case), jnp.asarray(case.x), jnp.asarray(piece.indices)

    def difference(i):
        return (cost(x.at[i].add(STEP)) - cost(x.at[i].add(-STEP))) / (2 * STEP)

    every = jax.jit(lambda which: jax.lax.map(difference, which, batch_size=CHUNK))

    def run(claimed):
        return Found(np.asarray(every(indices)), evaluations=2 * len(indices))

    return run


PEERS = [
    Peer("JAX check_grads", "jax", check_grads, workers=0, large=None, directions=True),
    Peer("JAX jitted vmap of central differences", "jax", vmap, workers=0),
]

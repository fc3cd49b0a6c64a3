"""torch.compile of a NumPy cost in a loop, and a jitted JAX vmap of it rewritten: where they are installed.

Each takes a Case of tests/traced_costs and some coordinates, and gives a function that computes their central
differences; None where the library is missing or cannot take the cost.
"""

from __future__ import annotations

import importlib.util
import types
from contextlib import suppress

import numpy as np

from fastgrad.problem.parameters import Parameters

STEP = 1e-5
CHUNK = 4
"""Coordinates of a batch under vmap (peers/by_jax.py)."""


def loop_by_torch(case, sample):
    """torch.compile of the cost as it is, called twice for each coordinate."""
    if importlib.util.find_spec("torch") is None:
        return None
    import torch

    compiled = torch.compile(case.cost)
    parameters = Parameters(case.params)
    blocks = parameters.shaped([np.array(leaf) for leaf in parameters.leaves])
    params = parameters.build(blocks)

    def loop():
        for i in sample:
            block = parameters.block_of(int(i))
            flat = blocks[list(parameters.blocks).index(block)].reshape(-1)
            at, saved = int(i) - block.start, flat[int(i) - block.start]
            for moved in (saved + STEP, saved - STEP):
                flat[at] = moved
                compiled(params, *case.args)
            flat[at] = saved

    return _if_it_works(loop)


def differences_by_jax(case, sample):
    """A jitted vmap of the cost with jax.numpy in NumPy's place, over coordinates of the flat vector."""
    if importlib.util.find_spec("jax") is None:
        return None
    import jax

    jax.config.update("jax_enable_x64", True)
    cost, parameters = _with_jax_numpy(case.cost), Parameters(case.params)
    theta = jax.numpy.concatenate([jax.numpy.asarray(leaf).reshape(-1) for leaf in parameters.leaves])
    shapes = [leaf.shape for leaf in parameters.shaped(parameters.leaves)]
    cuts = np.cumsum([int(np.prod(shape)) for shape in shapes])[:-1]

    def of_vector(x):
        parts = jax.numpy.split(x, cuts)
        leaves = [part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)]
        return cost(parameters.build(leaves), *case.args)

    def difference(i):
        above, below = (of_vector(theta.at[i].add(step)) for step in (STEP, -STEP))
        return (above - below) / (2 * STEP)

    every = jax.jit(lambda which: jax.lax.map(difference, which, batch_size=CHUNK))
    return _if_it_works(lambda: np.asarray(every(sample)))


def _with_jax_numpy(function):
    """The function, and those of its module that it calls, with jax.numpy where they say np."""
    import jax.numpy

    inner = getattr(function, "func", function)
    names = dict(inner.__globals__)
    names["np"] = jax.numpy
    for name, value in inner.__globals__.items():
        if isinstance(value, types.FunctionType):
            names[name] = types.FunctionType(
                value.__code__, names, name, value.__defaults__, value.__closure__
            )
    rewritten = names[inner.__name__]
    options = getattr(function, "keywords", {})
    return lambda *args: rewritten(*args, **options)


def _if_it_works(run):
    """The function, if its first call, which compiles, succeeds."""
    with suppress(Exception):
        run()
        return run
    return None

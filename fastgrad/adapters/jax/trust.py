"""Whether the compiled batch gives what the user's function gives in plain calls.

A function that branches on values, calls NumPy or has no rule for vmap cannot be compiled: it is called
plainly then, and the report says why.
"""

from __future__ import annotations

import numpy as np

from fastgrad.adapters.jax.errors import first_line
from fastgrad.adapters.jax.scalar import Blocks, Scalar
from fastgrad.adapters.own_precision import EPSILONS
from fastgrad.arrays import Floats

LOOKS = 3
"""Points at which both are compared: the parameters, and two others."""

AWAY = 2.0**-7
"""How far away the others are, as a share of each parameter."""

PLAINLY = "fn was called plainly, one point at a time"

ROUNDINGS = 2.0**10
"""Roundings by which both may differ, in units of the largest value: compiled sums have another order."""


def why_not_batched(scalar: Scalar, blocks: Blocks) -> str:
    """Why the compiled batch is not used; empty where it gives the same numbers as plain calls.

    Parameters
    ----------
    scalar : Scalar
    blocks : the parameters
    """
    points = {name: _around(leaf) for name, leaf in blocks.items()}
    try:
        together = scalar.batch(points)
        scalar.compile(blocks)
    except Exception as error:  # whatever the user's function raises under jit and vmap
        return f"{PLAINLY}: under jax.jit and jax.vmap it raises {first_line(error)}"
    with np.errstate(all="ignore"):
        for k in range(LOOKS):
            alone = scalar.plain({name: leaf[k] for name, leaf in points.items()})
            if not _same(float(alone), float(together[k]), float(np.finfo(together.dtype).eps)):
                return (
                    f"{PLAINLY}: it gives {float(alone):.9g}, and "
                    f"{float(together[k]):.9g} under jax.jit and jax.vmap"
                )
    return ""


def _around(leaf: Floats) -> Floats:
    rng = np.random.default_rng(0)
    moves = [np.zeros(leaf.shape), *(rng.uniform(-AWAY, AWAY, leaf.shape) for _ in range(LOOKS - 1))]
    return np.stack([leaf * (1 + by) for by in moves]).astype(leaf.dtype)


def _same(a: float, b: float, epsilon: float) -> bool:
    """Whether two values are the same but for rounding; both may be without a value."""
    if not (np.isfinite(a) and np.isfinite(b)):
        return bool(np.isfinite(a) == np.isfinite(b))
    return abs(a - b) <= ROUNDINGS * max(epsilon, EPSILONS["float64"]) * max(abs(a), abs(b))

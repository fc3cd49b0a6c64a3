"""Identities that products with J must satisfy before any difference is taken.

    u . (J v) = (J^T u) . v        products with J and with its transpose belong to one matrix
    u . (H v) = v . (H u)          a Hessian is symmetric

Both hold up to rounding, of about 8 eps sqrt(n) ||u|| ||J v|| (docs/numerics.md, Vector functions).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from fastgrad.arrays import Floats, norm

STREAM = 0x61646A
"""Keeps the random numbers apart from those of other choices ("adj")."""

ROUNDINGS = 64.0
"""Times eps sqrt(n) ||u|| ||J v||: 8 would do for one product of matrices, and a product is many."""


@dataclass(frozen=True)
class Identity:
    """The two sides of an identity."""

    left: float
    right: float
    allowed: float

    @property
    def holds(self) -> bool:
        """Whether they are equal up to rounding."""
        return abs(self.left - self.right) <= self.allowed


def adjoint_identity(
    times: Callable[[Floats], Floats],
    transposed: Callable[[Floats], Floats],
    u: Floats,
    sizes: Floats,
    epsilon: float,
    seed: int,
) -> Identity:
    """u . (J v) and (J^T u) . v for one random v.

    Parameters
    ----------
    times, transposed : v (n,) -> J v (m,), and u (m,) -> J^T u (n,)
    u : (m,) random
    sizes : (n,) of the parameters, to which v is in proportion
    epsilon : machine epsilon of the products
    seed : of v

    Examples
    --------
    >>> J = np.array([[1.0, 2.0], [3.0, 4.0]])
    >>> adjoint_identity(lambda v: J @ v, lambda u: J.T @ u, np.ones(2), np.ones(2), 2e-16, 0).holds
    True
    >>> adjoint_identity(lambda v: J @ v, lambda u: J @ u, np.ones(2), np.ones(2), 2e-16, 0).holds
    False
    """
    rng = np.random.default_rng([seed, STREAM])
    v = sizes * rng.choice([-1.0, 1.0], len(sizes)) * rng.uniform(1.0, 2.0, len(sizes))
    with np.errstate(all="ignore"):
        along, back = times(v), transposed(u)
        most = max(norm(u) * norm(along), norm(v) * norm(back))
        allowed = ROUNDINGS * epsilon * float(np.sqrt(max(len(u), len(v)))) * most
        return Identity(float(u @ along), float(back @ v), allowed)

"""Forward mode: the products J v of jax.jvp and jax.linearize, turned into J^T w.

A product with a Jacobian is linear in its vector, so that jax.linear_transpose turns the one that forward
mode computes into J^T w: this shows every column of it for the price of one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from fastgrad.adapters.jax.claims import Claim, ClaimedGradient, in_precision_of
from fastgrad.adapters.jax.scalar import combined
from fastgrad.adapters.jax.subject import Arrays, Subject
from fastgrad.arrays import Floats

ALIKE = 2.0**-6
"""How far w . (J v) and (J^T w) . v may be apart, as a share of the terms: they differ by rounding only, in
bfloat16 by some of its last digits."""


@dataclass(frozen=True)
class Forward:
    """J^T w by the transpose of what jax.jvp, or jax.linearize, computes."""

    name: str = "jax.jvp"
    linearize: bool = False
    is_linear = True
    compiles = True

    def __call__(self, subject: Subject, arrays: Arrays, data: Arrays, weights: Arrays) -> list[Any]:
        """J^T w."""

        def function(*a: Any) -> Any:
            return subject.function(a, data)

        if self.linearize:
            outputs, push = jax.linearize(function, *arrays)
        else:
            outputs = function(*arrays)

            def push(*v: Any) -> Any:
                return jax.jvp(function, tuple(arrays), v)[1]

        return list(jax.linear_transpose(push, *arrays)(in_precision_of(weights, outputs)))


@dataclass(frozen=True)
class Columns:
    """J^T w from each column J e_i that jax.jvp computes; for a rule that cannot be transposed.

    They come one after another: such a rule may have no batching either.
    """

    name: str = "jax.jvp"
    is_linear = True
    compiles = True

    def __call__(self, subject: Subject, arrays: Arrays, data: Arrays, weights: Arrays) -> list[Any]:
        """J^T w."""

        def of_unit(number: int, place: Any) -> Any:
            unit = [jnp.zeros_like(a) for a in arrays]
            unit[number] = unit[number].reshape(-1).at[place].set(1).reshape(unit[number].shape)
            _, column = jax.jvp(lambda *a: subject.function(a, data), tuple(arrays), tuple(unit))
            return combined(column, weights)

        return [
            jax.lax.map(partial(of_unit, number), jnp.arange(array.size)).reshape(array.shape)
            for number, array in enumerate(arrays)
        ]


def forward_that_works(claim: Forward, subject: Subject, weights: Sequence[Floats]) -> Claim:
    """The claim, or the one that asks for each column where a rule of jvp cannot be transposed.

    The transpose is compared with the product itself along one direction, w . (J v) = (J^T w) . v.
    """
    try:
        found = ClaimedGradient(claim, subject, weights, False).at(subject.values)
        along = [np.where(v == 0, 1.0, v) for v in subject.values]
        with subject.context(False):
            arrays, data = subject.arrays(subject.values, False), subject.data_in(False)
            tangents = tuple(subject.arrays(along, False))
            _, pushed = jax.jvp(lambda *a: subject.function(a, data), tuple(arrays), tangents)
            forward = float(np.asarray(combined(pushed, weights)))
    except Exception:  # what jvp itself raises comes again
        return Columns(claim.name)
    terms = [f.astype(np.float64) * v for f, v in zip(found, along, strict=True)]
    apart = abs(forward - sum(float(t.sum()) for t in terms))
    return claim if apart <= ALIKE * sum(float(np.abs(t).sum()) for t in terms) else Columns(claim.name)

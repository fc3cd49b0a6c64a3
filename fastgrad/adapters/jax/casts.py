"""Whether a function casts what it computes to a shorter float inside, as its jaxpr shows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jax
import numpy as np

from fastgrad.adapters.jax.scalar import Blocks, Scalar
from fastgrad.adapters.own_precision import EPSILONS


def what_is_cast(scalar: Scalar, blocks: Blocks) -> str:
    """The shortest float to which float64 is cast inside; empty where there is none, or it is not known.

    Parameters
    ----------
    scalar : Scalar, in float64
    blocks : the parameters
    """
    subject = scalar.subject
    try:
        with subject.context(True):
            arrays, data = subject.arrays(list(blocks.values()), True), subject.data_in(True)
            jaxpr = jax.make_jaxpr(lambda a: scalar.of(a, data))(arrays)
    except Exception:  # it cannot be traced, which is said elsewhere
        return ""
    return max(_casts(jaxpr.jaxpr), key=lambda name: EPSILONS[name], default="")


def _casts(jaxpr: Any) -> Iterator[str]:
    """The precisions to which float64 is cast, in a jaxpr and those inside of it."""
    for equation in jaxpr.eqns:
        if equation.primitive.name == "convert_element_type":
            before, after = equation.invars[0].aval.dtype, np.dtype(equation.params["new_dtype"]).name
            if before == np.float64 and after in EPSILONS and after != "float64":
                yield after
        for value in equation.params.values():
            for part in value if isinstance(value, tuple | list) else (value,):
                inner = getattr(part, "jaxpr", part)
                if hasattr(inner, "eqns"):
                    yield from _casts(inner)

"""The gradient of w . F that is under test, as reverse mode, forward mode or the user computes it.

A claim takes arrays of jax, data and weights, and gives J^T w as arrays of jax. A Jacobian-vector product is
linear in its vector, so that jax.linear_transpose turns the one that forward mode computes into J^T w: this
shows each column of it for the price of one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import jax
import jax.numpy as jnp
import numpy as np

from fastgrad.adapters.jax.precision import as_float64
from fastgrad.adapters.jax.scalar import Blocks, combined
from fastgrad.adapters.jax.subject import Arrays, Call, Subject
from fastgrad.arrays import Floats


class Claim(Protocol):
    """A way in which J^T w is computed."""

    name: str
    """As reports call it: "jax.grad"."""
    is_linear: bool
    """Whether it can be asked for another multiple of w."""
    compiles: bool
    """Whether it may be compiled."""

    def __call__(self, subject: Subject, arrays: Arrays, data: Arrays, weights: Arrays) -> list[Any]:
        """J^T w, an array for each of those of the subject."""


@dataclass(frozen=True)
class Reverse:
    """J^T w by jax.vjp."""

    name: str = "jax.grad"
    is_linear = True
    compiles = True

    def __call__(self, subject: Subject, arrays: Arrays, data: Arrays, weights: Arrays) -> list[Any]:
        """J^T w."""
        outputs, pull = jax.vjp(lambda *a: subject.function(a, data), *arrays)
        return list(pull(_like(weights, outputs)))


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

        return list(jax.linear_transpose(push, *arrays)(_like(weights, outputs)))


@dataclass(frozen=True)
class Given:
    """What a function of the user's returns, for the gradient of a scalar function.

    Parameters
    ----------
    gradient : callable(params, *args) -> pytree
    call : Call
    """

    gradient: Callable[..., Any]
    call: Call
    name: str = "the gradient"
    is_linear = False
    compiles = False

    def __call__(self, subject: Subject, arrays: Arrays, data: Arrays, weights: Arrays) -> list[Any]:
        """The user's answer, real and imaginary parts of complex leaves apart."""
        del subject, weights
        return self.call.params.take_apart(self.call(self.gradient, arrays, data), "gradient")


@dataclass(frozen=True, eq=False)
class Values:
    """A gradient that is given as numbers, in one precision."""

    arrays: tuple[Any, ...]
    name: str = "the gradient"
    is_linear = False
    compiles = False

    def __call__(self, subject: Subject, arrays: Arrays, data: Arrays, weights: Arrays) -> list[Any]:
        """The numbers, whatever the point."""
        del subject, arrays, data, weights
        return list(self.arrays)


@dataclass(eq=False)
class ClaimedGradient:
    """A claim as a function of blocks of NumPy, which is what a check takes.

    Parameters
    ----------
    claim : Claim
    subject : Subject
    weights : w
    double : whether it is asked in float64, or in the user's precision
    """

    claim: Claim
    subject: Subject
    weights: Sequence[Floats]
    double: bool
    _compiled: Any = field(default=None, repr=False)

    def __post_init__(self) -> None:
        self.__name__ = self.__qualname__ = self.claim.name

    def __getstate__(self) -> dict[str, Any]:
        """Without what was compiled."""
        return self.__dict__ | {"_compiled": None}

    def __call__(self, blocks: Blocks) -> dict[str, Any]:
        """J^T w as arrays of NumPy, in the precision that jax gives."""
        found = self.at(list(blocks.values()))
        return dict(zip(blocks, found, strict=True))

    def at(self, values: Sequence[Any], weights: Sequence[Any] | None = None) -> list[Any]:
        """J^T w at a point, an array of NumPy for each block; for other weights, if they are given."""
        with self.subject.context(self.double):
            arrays, data = self.subject.arrays(values, self.double), self.subject.data_in(self.double)
            some = [jnp.asarray(w) for w in (self.weights if weights is None else weights)]
            found = [_numpy(array) for array in self._function()(arrays, data, some)]
        return found

    def _function(self) -> Callable[..., Any]:
        """The claim, compiled where it can be."""
        if self._compiled is None:

            def plain(arrays: Arrays, data: Arrays, weights: Arrays) -> Any:
                return self.claim(self.subject, arrays, data, weights)

            self._compiled = _or_plain(jax.jit(plain), plain) if self.claim.compiles else plain
        return self._compiled  # type: ignore[no-any-return]


def _or_plain(compiled: Callable[..., Any], plain: Callable[..., Any]) -> Callable[..., Any]:
    """A function that is called plainly from the first time on that its compiled form raises."""
    failed: list[Exception] = []

    def call(*operands: Any) -> Any:
        if not failed:
            try:
                return compiled(*operands)
            except Exception as error:
                failed.append(error)
        return plain(*operands)

    return call


def _like(weights: Arrays, outputs: Arrays) -> list[Any]:
    """Weights in the precision of the outputs."""
    return [jnp.asarray(w, out.dtype) for w, out in zip(weights, outputs, strict=True)]


def _numpy(array: Any) -> Any:
    """An array of NumPy in its own precision; in float32 where NumPy has none of it."""
    found = np.asarray(array)
    return found if found.dtype in (np.float32, np.float64) else as_float64(array).astype(np.float32)


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
        terms = [f.astype(np.float64) * v for f, v in zip(found, along, strict=True)]
    except Exception:  # what jvp itself raises comes again
        return Columns(claim.name)
    apart = abs(forward - sum(float(t.sum()) for t in terms))
    return claim if apart <= ALIKE * sum(float(np.abs(t).sum()) for t in terms) else Columns(claim.name)


ALIKE = 2.0**-6
"""How far w . (J v) and (J^T w) . v may be apart, as a share of the terms: they differ by rounding only, in
bfloat16 by some of its last digits."""

"""The gradient of w . F that is under test, as reverse mode, forward mode or the user computes it.

A claim takes arrays of jax, data and weights, and gives J^T w as arrays of jax. Forward mode has a module of
its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import jax
import jax.numpy as jnp
import numpy as np

from fastgrad.adapters.jax.precision import as_float64
from fastgrad.adapters.jax.scalar import Blocks
from fastgrad.adapters.jax.subject import Arrays, Call, Subject
from fastgrad.arrays import Floats


class Claim(Protocol):
    """A way in which J^T w is computed."""

    @property
    def name(self) -> str:
        """As reports call it: "jax.grad"."""

    @property
    def is_linear(self) -> bool:
        """Whether it can be asked for another multiple of w."""

    @property
    def compiles(self) -> bool:
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
        return list(pull(in_precision_of(weights, outputs)))


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
    name = "the gradient"
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
    name = "the gradient"
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
    _compiled: Any = field(default=None, init=False, repr=False)

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
            return [_numpy(array) for array in self._function()(arrays, data, some)]

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


def in_precision_of(weights: Arrays, outputs: Arrays) -> list[Any]:
    """Weights in the precision of the outputs."""
    return [jnp.asarray(w, out.dtype) for w, out in zip(weights, outputs, strict=True)]


def _numpy(array: Any) -> Any:
    """An array of NumPy in its own precision; in float32 where NumPy has none of it."""
    found = np.asarray(array)
    return found if found.dtype in (np.float32, np.float64) else as_float64(array).astype(np.float32)

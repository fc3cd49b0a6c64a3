"""What a case is, and what must be said of it, derived from the truth and never from what fastgrad says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastgrad.problem.parameters import Parameters

BUG_SIZE = {np.dtype(np.float64): 1e-6, np.dtype(np.float32): 1e-2}
"""The relative size from which an error is a bug: the tau of THE RULE in fastgrad/verdict.py, written down
again, so that a loosened rule shows here."""

SHARE_OF_RMS = 0.1
"""Small entries are compared on this share of the rms of their block, by the same rule."""

MARGIN = 1.5
"""An error this many times larger, or smaller, than one that counts must be judged one way only."""


@dataclass(frozen=True, eq=False)
class Case:
    """A cost and a gradient of it that is right but for rounding.

    `reasons` are the words with which the cause of an undecided coordinate may begin: there should be none
    where it is empty. `expected` is "agree", or "kink" or "jump" where the cost has one at the very point, or
    "inexact" where the slope of the cost as it is computed, between its jumps, is off by more than 1e-6.

    What the arithmetic of the cost allows a careful person to see in a coordinate is an error of `sees` of
    the coordinate itself, plus `floor` of the rms of its block. `truth` is the gradient by another way than
    `gradient`, as a flat vector; the two differ by at most `exact` of each entry, plus `rounding` of the rms
    of its block.
    """

    name: str
    cost: Callable[..., Any]
    gradient: Any
    params: Any
    args: tuple[Any, ...] = ()
    why: str = ""
    reasons: tuple[str, ...] = ()
    expected: str = "agree"
    sees: float = 1e-2
    floor: float = 0.0
    truth: Callable[[], np.ndarray] | None = None
    exact: float = 1e-9
    rounding: float = 0.0

    def right_gradient(self) -> np.ndarray:
        """The true gradient as a flat vector."""
        return flat(self.params, self.gradient, self.args)


@dataclass(frozen=True, eq=False)
class Wrong:
    """The cost of a right case with a gradient that has a bug; `where` names the coordinates it is in.

    A `hidden` bug counts, but drowns in the noise of the cost: it may be undecided, and must not agree.
    """

    twin: Case
    bug: str
    gradient: Any
    where: tuple[str, ...] | None = None
    hidden: bool = False

    @property
    def name(self) -> str:
        """The case's name, and the bug's."""
        return f"{self.twin.name}: {self.bug}"

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why some coordinates of the right twin may stay undecided."""
        return self.twin.reasons

    def errors(self) -> np.ndarray:
        """The error of each coordinate in units of one that counts as a bug; above 1 it is one."""
        twin = self.twin
        parameters = Parameters(twin.params)
        truth, claimed = twin.right_gradient(), flat(twin.params, self.gradient, twin.args)
        found = np.empty(parameters.size)
        for block in parameters.blocks:
            here = slice(block.start, block.stop)
            t, g = truth[here], claimed[here]
            scale = np.maximum(np.maximum(np.abs(t), np.abs(g)), SHARE_OF_RMS * _rms(t))
            if not t.any():  # such a block has the scale of the whole gradient
                scale = np.maximum(scale, _rms(truth))
            with np.errstate(invalid="ignore"):
                found[here] = np.where(t == g, 0.0, np.abs(t - g) / (BUG_SIZE[block.dtype] * scale))
        return np.where(np.isfinite(found), found, np.inf)

    def sizes(self) -> np.ndarray:
        """The error of each coordinate as a share of the coordinate itself."""
        truth, claimed = self.twin.right_gradient(), flat(self.twin.params, self.gradient, self.twin.args)
        size = np.maximum(np.abs(truth), np.abs(claimed))
        with np.errstate(invalid="ignore"):
            found = np.where(truth == claimed, 0.0, np.abs(truth - claimed) / np.where(size > 0, size, 1.0))
        return np.where(np.isfinite(found), found, np.inf)

    def seen(self) -> np.ndarray:
        """Which coordinates have an error that the arithmetic of the cost allows to see."""
        twin = self.twin
        truth, claimed = twin.right_gradient(), flat(twin.params, self.gradient, twin.args)
        with np.errstate(invalid="ignore"):
            least = twin.sees * np.maximum(np.abs(truth), np.abs(claimed))
            below = np.abs(truth - claimed) <= MARGIN * (
                least + twin.floor * rms_of_blocks(twin.params, truth)
            )
        return ~below

    def labels(self) -> tuple[str, ...]:
        """The coordinates that are wrong by the truth."""
        parameters = Parameters(self.twin.params)
        return tuple(parameters.label(int(i)) for i in np.flatnonzero(self.errors() > 1))


def flat(params: Any, gradient: Any, args: tuple[Any, ...] = ()) -> np.ndarray:
    """A gradient, or the values of one, as a flat vector along the parameters."""
    parameters = Parameters(params)
    values = gradient(params, *args) if callable(gradient) else gradient
    return parameters.take(parameters.match(values, "gradient"), np.arange(parameters.size))


def unflat(params: Any, vector: np.ndarray) -> Any:
    """The reverse: a flat vector in the structure, and the dtypes, of the parameters."""
    parameters = Parameters(params)
    return parameters.build_arrays([vector[b.start : b.stop].astype(b.dtype) for b in parameters.blocks])


def rms_of_blocks(params: Any, vector: np.ndarray) -> np.ndarray:
    """For each coordinate the root mean square of a flat vector over its block.

    A block that is zero but for rounding has that of the whole vector.
    """
    found, whole = np.empty(len(vector)), _rms(vector)
    for b in Parameters(params).blocks:
        here = _rms(vector[b.start : b.stop])
        found[b.start : b.stop] = here if here > ZERO * whole else whole
    return found


ZERO = 1e-6
"""A block this much smaller than the whole gradient may be rounding: float32 leaves 1e-7."""


def _rms(v: np.ndarray) -> float:
    return float(np.sqrt(np.mean(v**2))) if v.size else 0.0

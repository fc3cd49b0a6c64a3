"""What a run takes from its checkpoint, compared first with what the cost says now.

A `Run` has a `Resumption`, and `evaluate` shows it what it found of each pass. Where the file and the cost
differ the file is refused: it is of another cost, whatever its identity says. A cost may read a file, or what
is in a library.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import NoReturn

import numpy as np

from fastgrad.arrays import IndexArray, Values
from fastgrad.engines.protocol import Engine
from fastgrad.execution.job import KnownValues
from fastgrad.execution.value_store import ValueStore

COMPARED = 4
"""Passes of which one value is computed again. The first few are those of the calibration, with some
coordinates of each block."""

SAME_ROUNDING = 2.0**20
"""Machine epsilons of the cost by which its values may differ where it gave, at the parameters, the number
that is kept to the last digit: then only sums that are cut in another way round differently. A step changes
the cost by 1e-6 of itself, so that this is a ten-thousandth of a derivative."""

FURTHER_APART = 4.0
"""How far apart two single values may be, in units of the jitter of a cost that does not repeat itself: at
the parameters it was called several times."""


@dataclass(eq=False)
class Resumption:
    """Compares what a checkpoint holds with the cost, and counts what was taken from it."""

    taken: int = field(init=False, default=0)
    """Values that came from the file."""
    compared: int = field(init=False, default=0)
    """Evaluations that were made again to compare them."""
    _cost: float = field(init=False, default=math.nan)
    _loose: float = field(init=False, default=0.0)
    """The share of its size by which a value may differ, ..."""
    _tight: float = field(init=False, default=0.0)
    """... and where the order of its sums is the same as before."""

    def cost(self, store: ValueStore, now: float, jitter: float, epsilon: float) -> float:
        """The cost at the parameters as the first run had it, where it is still the same.

        Parameters
        ----------
        store : the checkpoint
        now : what the cost gives
        jitter : the share of itself by which it may differ from call to call
        epsilon : of the dtype that it returns

        Raises
        ------
        InputError
            For a file of another cost.
        """
        kept = self._cost = store.remember("cost", lambda: now)
        if not _near(kept, now, jitter):
            _refuse(store, "the cost at the parameters", now, kept)
        self._loose = FURTHER_APART * jitter
        self._tight = min(self._loose, SAME_ROUNDING * epsilon) if kept == now else self._loose
        store.note_changes()
        return kept

    def take(self, known: KnownValues, engine: Engine, indices: IndexArray, offsets: Values) -> None:
        """Count the values that are known of a plan, and see that the cost still gives one of them.

        Parameters
        ----------
        known : the values that the checkpoint has of the plan
        engine, indices, offsets : the plan

        Raises
        ------
        InputError
            For a file of another cost.
        """
        there = known.there()
        self.taken += len(there) * offsets.shape[1]
        if len(there) == 0 or self.compared == COMPARED:
            return
        self.compared += 1
        k, s = _most_telling(known.values[there], self._cost - engine.origin)
        at = slice(there[k], there[k] + 1)
        kept = complex(known.values[there[k], s])
        now = complex(engine.values(indices[at], offsets[at, s : s + 1])[0, 0])
        share = self._tight if engine.granularity == 1 else self._loose
        if not _near(kept.real, now.real, share, self._cost) or not _near(kept.imag, now.imag, self._loose):
            values = now.real + engine.origin, kept.real + engine.origin
            _refuse(known.checkpoint, "a value near the parameters", *values)


def _refuse(store: ValueStore, what: str, now: float, kept: float) -> NoReturn:
    store.refuse(f"this checkpoint is of another cost: {what} is {now!r} and was {kept!r} when it was kept")


def _most_telling(values: Values, start: float) -> tuple[int, int]:
    """Which of (k, S) values moved the cost most: if it is another now, that one is most likely another."""
    with np.errstate(invalid="ignore"):
        moved = np.abs(values.imag if np.iscomplexobj(values) else values - start)
    k, s = np.unravel_index(np.argmax(np.where(np.isfinite(moved), moved, -1.0)), moved.shape)
    return int(k), int(s)


def _near(kept: float, now: float, share: float, size: float = 0.0) -> bool:
    """Whether two values differ by no more than a share of their size, or are not finite in the same way."""
    if math.isfinite(kept) and math.isfinite(now):
        return abs(kept - now) <= share * max(abs(kept), abs(now), abs(size))
    return kept == now or (math.isnan(kept) and math.isnan(now))

"""Rounding inside a cost, which its value does not show.

A cost may lose small changes before its last operation, as log(1 + exp(-x)) does in 1 + exp(-x): it moves
smoothly over large steps, alike to both sides, and over small ones not at all. Its noise is then not that of
its value but of what it lost. (A relu that sleeps beside its kink moves to one side only, and is none.)
"""

from __future__ import annotations

import numpy as np

from fastgrad.spaces import Floats


def quantum(after: Floats, before: Floats) -> Floats:
    """The smallest change that gets through, of each row that shows it; else 0.

    Parameters
    ----------
    after, before : (m, K) f(h) - f(0) and f(-h) - f(0) for steps h from large to small

    Examples
    --------
    >>> steps = 2.0 ** -np.arange(10)
    >>> moved = np.round(steps * 50)[None] / 50
    >>> float(quantum(moved, -moved)[0]), float(quantum(steps[None], -steps[None])[0])
    (0.02, 0.0)
    """
    with np.errstate(invalid="ignore", over="ignore", under="ignore"):
        still = (after == 0) & (before == 0)
        alike = (after * before < 0) & (np.abs(after + before) <= np.abs(after - before) / 2)
        three = alike[:, 2:] & alike[:, 1:-1] & alike[:, :-2]
        seen = three.any(axis=1) & still[:, -2:].all(axis=1)
        changes = np.abs(np.concatenate([after, before], axis=1))
        smallest = np.min(changes, axis=1, initial=np.inf, where=(changes > 0))
    return np.where(seen & np.isfinite(smallest), smallest, 0.0)

"""Whether F moves as a pattern says: nothing lies outside of it.

The pattern is that of the claim. If F has a derivative outside of it, columns that are moved together
share an output, and what is found of one is another's. So it is tried first, on F:

    N_ki = [F_k(x + h of the group) - F_k(x - h of the group)] / 2 h_i    for the one i of the group in row k
    r_k  = [F_k(x + v) - F_k(x - v)] / 2 - sum over the pattern of N_ki v_i        v_i = +-(1/2 to 3/2) h_i

A derivative outside the pattern moves r_k, whatever the claim is; only where v and h are in one ratio by
chance does it not. In float64 the ratio has to be met to many digits. In float32 steps are wide, a row bends
over them, and a ratio that is nearly met hides what is small: more v are tried.
"""

from __future__ import annotations

import numpy as np

from fastgrad.arrays import Bools, Floats
from fastgrad.vector.function import MovedFunction
from fastgrad.vector.groups import Groups

STEP = 2.0**-26
"""h in units of the parameter: noise is then 2^-26 of a row, and what F bends by about as much."""

SINGLE_STEP = 2.0**-9
"""The same in float32."""

BY_CHANCE = 2.0**5
"""A residual counts from so many times the rounding of the row."""

BENT = 4.0
"""And from so many times what the row bends, or is noisy, over such steps."""

SINGLE = 2.0**-40
"""Machine epsilon above this one is float32's."""

DIRECTIONS, SINGLE_DIRECTIONS = 2, 6
"""How many v are tried, and in float32. One v hides a fourth of the derivatives that are four times what
counts: those that are moved by about as much as the column of their group that the pattern has."""

PARTS = 64
"""v is a multiple of h over this in float32, so that x + v is a number of it."""


def outside(groups: Groups, moved: MovedFunction, seed: int) -> Bools:
    """(m,) the outputs that have a derivative outside the pattern.

    It evaluates F 2 (groups + DIRECTIONS) times, in float32 2 (groups + SINGLE_DIRECTIONS) times.

    Parameters
    ----------
    groups : Groups
    moved : F at moved parameters
    seed : of the directions
    """
    rng = np.random.default_rng([seed, 0x6F757473])
    single = moved.epsilon > SINGLE
    h = moved.sizes * (SINGLE_STEP if single else STEP)
    found = np.zeros(groups.pattern.shape[0], dtype=bool)
    rows, columns = groups.pattern.indices, np.repeat(np.arange(len(h)), np.diff(groups.pattern.indptr))
    slopes = np.zeros(len(rows))
    bend, centre = np.zeros(len(found)), moved.outputs.values
    with np.errstate(all="ignore"):
        for group in range(groups.count):
            by = np.where(groups.numbers == group, h, 0.0)
            after, before = moved(by), moved(-by)
            mine = groups.numbers[columns] == group
            slopes[mine] = ((after - before) / 2)[rows[mine]] / h[columns[mine]]
            bend += np.abs(after - 2 * centre + before)
        # What is added up to give F_k may be larger than F_k: it is of the size of x_i dF_k/dx_i.
        parts = np.abs(centre) + np.bincount(rows, np.abs(slopes) * moved.sizes[columns], len(found))
        for _ in range(SINGLE_DIRECTIONS if single else DIRECTIONS):
            v = h * rng.choice([-1.0, 1.0], len(h)) * _factors(rng, len(h), single)
            after, before = moved(v), moved(-v)
            along = np.bincount(rows, slopes * v[columns], len(found))
            residual = np.abs((after - before) / 2 - along)
            bent = bend + np.abs(after - 2 * centre + before)
            allowed = BY_CHANCE * moved.epsilon * parts + BENT * bent
            found |= ~(residual <= allowed)
    return found


def _factors(rng: np.random.Generator, count: int, single: bool) -> Floats:
    """v over h, without its sign."""
    if single:
        return rng.integers(PARTS // 2, 3 * PARTS // 2 + 1, count) / PARTS
    return rng.uniform(0.5, 1.5, count)

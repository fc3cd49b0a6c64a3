"""Wrong twins of a right case: some of its entries times a factor."""

from __future__ import annotations

import numpy as np

from corpus.cases import Wrong, flat, unflat
from fastgrad.problem.parameters import Parameters

FACTORS = {
    "zero": 0.0,
    "doubled": 2.0,
    "with the other sign": -1.0,
    "half as large again": 1.5,
    "off by 1%": 1.01,
    "off by 5%": 1.05,
    "off by 10%": 1.1,
    "off by 20%": 1.2,
}
"""What an entry is multiplied by."""


def times(case, factors):
    """The gradient of a case with each entry times a factor, as a function of the parameters."""

    def gradient(params, *args):
        with np.errstate(under="ignore"):
            return unflat(params, factors * flat(params, case.gradient, args))

    return gradient


def wrong_at(case, indices, bug, words=""):
    """Some entries of a case with one of FACTORS."""
    parameters = Parameters(case.params)
    indices = np.atleast_1d(indices)
    factors = np.ones(parameters.size)
    factors[indices] = FACTORS[bug]
    labels = tuple(parameters.label(int(i)) for i in indices)
    return Wrong(case, f"{words or labels[0]} {bug}", times(case, factors), None if words else labels)


def wrong_block(case, name, bug):
    """A whole block of a case with one of FACTORS."""
    block = next(b for b in Parameters(case.params).blocks if b.name == name)
    return wrong_at(case, np.arange(block.start, block.stop), bug, f"block {name}")


def instead(case, bug, vector, **more):
    """A gradient that is given as a flat vector of values."""
    return Wrong(case, bug, unflat(case.params, np.asarray(vector, dtype=float)), **more)


def least_percentage(case):
    """The smallest of the percentages of FACTORS that is visible twice over."""
    sizes = {"off by 1%": 0.01, "off by 5%": 0.05, "off by 20%": 0.2}
    return next(bug for bug, size in sizes.items() if size > 2 * case.sees)


def small_and_large(case, more=()):
    """The smallest entry zero, doubled, with the other sign and off by little; the largest off by little."""
    size = np.abs(case.right_gradient())
    small, large = int(np.argmin(np.where(size > 0, size, np.inf))), int(np.argmax(size))
    little = least_percentage(case)
    for bug in ("zero", "doubled", "with the other sign", little, *more):
        yield wrong_at(case, small, bug)
    yield wrong_at(case, large, little)

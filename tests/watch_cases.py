"""Reports to compare, as before and after a save."""

from __future__ import annotations

import numpy as np

import fastgrad

SIZES = {"W": (2, 3), "b": (3,)}


def found(wrong=None, undecided=None, sizes=SIZES, scale=1.0, **options):
    """The report on a gradient of ones that is wrong at some places of its blocks, and undecided at others.

    Parameters
    ----------
    wrong : {block: {place in the block: added}}
    undecided : {block: places}, where the cost has a kink of the size of its slope
    sizes : {block: shape}
    scale : what the cost is multiplied by, besides being moved
    """
    places = {name: np.zeros(shape) for name, shape in sizes.items()}
    claimed = {name: np.full(shape, scale) for name, shape in sizes.items()}
    kinks = {name: np.zeros(shape) for name, shape in sizes.items()}
    for name, added in (wrong or {}).items():
        for place, by in added.items():
            claimed[name].flat[place] += by
    for name, at in (undecided or {}).items():
        kinks[name].flat[list(at)] = 1.0

    def cost(p):
        return scale * float(1 + sum(np.sum(p[name] + kinks[name] * np.abs(p[name])) for name in sizes))

    return fastgrad.check_gradient(cost, claimed, places, **options)

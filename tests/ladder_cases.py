"""The ladder of steps along costs whose derivatives are known."""

from __future__ import annotations

import numpy as np

from fastgrad.differences.ladder import adjudicate, confirm
from fastgrad.differences.rulings import NoiseModel

Z = 6.4  # a million coordinates

EPS = np.finfo(np.float64).eps


def ruled(f, x, sigma=None, scale=None, dtype=np.float64, then_confirm=False):
    """The ladder's ruling at x of a function of arrays of points; sigma defaults to eps |f| of its values."""
    x = np.atleast_1d(np.asarray(x, dtype=dtype))

    def sample(indices, offsets):
        with np.errstate(all="ignore"):
            return np.asarray(f(x[indices][:, None].astype(np.float64) + offsets), dtype=np.float64)

    indices = np.arange(len(x))
    f0 = sample(indices, np.zeros((len(x), 1)))[:, 0]
    size = np.maximum(np.abs(f0), 1e-300) if sigma is None else f0
    noise = NoiseModel(EPS * size if sigma is None else np.full(len(x), sigma), np.zeros(len(x)))
    scale = np.ones(len(x)) if scale is None else np.full(len(x), scale)
    given = {"scale": scale, "noise": noise, "z": Z}
    found = adjudicate(lambda i, d: sample(i, d) - f0[i][:, None], x, indices, 0.0, **given)
    if then_confirm:
        found = confirm(lambda i, d: sample(i, d) - f0[i][:, None], x, indices, 0.0, found, **given)
    return found

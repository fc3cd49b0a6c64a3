"""Networks in float32 with kinks: each step is too coarse for the rounding or crosses a kink.

The loss is known to 1e-7 of itself and the gradient is a thirtieth of it: a step of 1e-2 leaves 1e-3 of a
typical entry. Within that step a few of the units change sides at a few of the samples, which moves the slope
by a few hundredths of a typical entry. A hundredth of an entry and three of a typical one can be seen.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from corpus.cases import Case
from corpus.digits import by_complex_step
from corpus.nets import log_softmax, softmax
from corpus.twins import wrong_block


def forward(p, X, slope, pool):
    """Pre-activations, what the last layer sees, and its outputs; takes complex parameters too."""
    z = X @ p["W1"] + p["b1"]
    a = np.where(z.real > 0, z, z.dtype.type(slope) * z)
    if pool:
        first = a[:, 0::2].real > a[:, 1::2].real
        a = np.where(first, a[:, 0::2], a[:, 1::2])
    return z, a, a @ p["W2"] + p["b2"]


def cost(p, X, y, reduction, slope, pool):
    """Softmax cross entropy, summed or as a mean, in the dtype of the parameters."""
    outputs = forward(p, X, slope, pool)[2]
    losses = -log_softmax(outputs)[np.arange(len(y)), y]
    return losses.mean() if reduction == "mean" else losses.sum()


def gradient(p, X, y, reduction, slope, pool):
    """Its gradient by back-propagation, in the dtype of the parameters."""
    z, a, outputs = forward(p, X, slope, pool)
    d = softmax(outputs)
    d[np.arange(len(y)), y] -= 1
    if reduction == "mean":
        d = d / d.dtype.type(len(y))
    back = d @ p["W2"].T
    if pool:
        passed = np.where(z > 0, z, z.dtype.type(slope) * z)
        first = passed[:, 0::2] > passed[:, 1::2]
        back = np.stack([back * first, back * ~first], axis=2).reshape(z.shape)
    back = back * np.where(z > 0, z.dtype.type(1), z.dtype.type(slope))
    return {"W1": X.T @ back, "b1": back.sum(axis=0), "W2": a.T @ d, "b2": d.sum(axis=0)}


def float32_relu(seed, hidden=12, samples=64, reduction="mean", slope=0.0, pool=False):
    """A classifier 10-hidden-4 in float32; with `pool` the larger of each pair of units goes on."""
    rng = np.random.default_rng(seed)
    seen = hidden // 2 if pool else hidden
    p = {
        "W1": rng.normal(size=(10, hidden)) * np.sqrt(2 / 10),
        "b1": 0.1 * rng.normal(size=hidden),
        "W2": rng.normal(size=(seen, 4)) * np.sqrt(2 / seen),
        "b2": 0.1 * rng.normal(size=4),
    }
    p = {k: v.astype(np.float32) for k, v in p.items()}
    X, y = rng.normal(size=(samples, 10)).astype(np.float32), rng.integers(0, 4, samples)
    kind = "max-pool" if pool else f"leaky relu {slope:g}" if slope else "relu"
    name = f"{kind} net in float32, {hidden} units, {reduction} of {samples}, seed {seed}"
    args = (X, y, reduction, slope, pool)
    doubles = {k: v.astype(np.float64) for k, v in p.items()}
    return Case(
        name,
        cost,
        gradient,
        p,
        args,
        truth=partial(by_complex_step, cost, doubles, (X.astype(np.float64), *args[1:])),
        sees=1e-2,
        floor=3e-2,
        exact=1e-5,
        rounding=1e-5,
    )


VARIATIONS = (
    {},
    {"hidden": 32},
    {"samples": 256},
    {"reduction": "sum"},
    {"slope": 0.1},
    {"hidden": 24, "pool": True},
)

SEEDS = (1, 2, 3, 4)
"""Any seed makes a case; these are in the corpus."""

RIGHT = [float32_relu(seed, **variation) for variation in VARIATIONS for seed in SEEDS]

LAYERS = ("W1", "W2")
"""Which layer is off, in turns."""

WRONG = [wrong_block(case, LAYERS[k % 2], "off by 20%") for k, case in enumerate(RIGHT)]

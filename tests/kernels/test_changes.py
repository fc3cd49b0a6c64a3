"""Changes of activations and losses, against exact arithmetic."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest

from fastgrad.kernels import changes, loss_changes
from fastgrad.kernels.changes import SMALL, change, prepared

EPS = np.finfo(float).eps

# the activation as a type, the function in exact arithmetic, error allowed in units of eps |d|
ACTIVATIONS = [
    (changes.Identity(), lambda z: z, 0),
    (changes.Sigmoid(), lambda z: 1 / (1 + mpmath.exp(-z)), 2),
    (changes.Tanh(), mpmath.tanh, 3),
    (changes.ReLU(), lambda z: max(z, mpmath.mpf(0)), 1),
    (changes.LeakyReLU(0.01), lambda z: z if z > 0 else mpmath.mpf(0.01) * z, 1),
    (changes.ELU(1.5), lambda z: z if z > 0 else mpmath.mpf(1.5) * mpmath.expm1(z), 3),
    (changes.Softplus(), lambda z: mpmath.log1p(mpmath.exp(z)), 3),
    (changes.SiLU(), lambda z: z / (1 + mpmath.exp(-z)), 3),
    (changes.GELU(), lambda z: z * mpmath.ncdf(z), 3),
]


def inputs():
    """Pre-activations and changes: of all sizes, saturated, and across zero."""
    rng = np.random.default_rng(0)
    d = rng.choice([-1, 1], 400) * 10.0 ** rng.uniform(-12, np.log10(SMALL), 400)
    z = rng.normal(size=400) * rng.choice([0.1, 1, 5, 20], 400)
    z[::5] = d[::5] * rng.uniform(-2, 2, 80)
    z[:3], d[3:6] = 0.0, SMALL
    return z, d


@pytest.mark.parametrize(("activation", "exact", "allowed"), ACTIVATIONS, ids=lambda v: type(v).__name__)
def test_activation_changes(activation, exact, allowed):
    """The change is right to a few roundings of the change of the input, however small that is."""
    z, d = inputs()
    q = prepared(activation, z)
    with mpmath.workprec(200):
        for k in range(len(z)):
            found = change(activation, q[0][k], q[1][k], q[2][k], d[k])
            truth = exact(mpmath.mpf(z[k]) + mpmath.mpf(d[k])) - exact(mpmath.mpf(z[k]))
            assert abs(mpmath.mpf(float(found)) - truth) <= allowed * EPS * abs(d[k]), (z[k], d[k])


@pytest.mark.parametrize("activation", [a for a, _, _ in ACTIVATIONS], ids=lambda v: type(v).__name__)
def test_nan_stays(activation):
    """A NaN in the change or in the input comes out as NaN, it does not vanish."""
    q = [float(v[0]) for v in prepared(activation, np.array([0.3]))]
    assert np.isnan(change(activation, *q, np.nan))


def exact_loss(name, y, target):
    """The loss of one sample in exact arithmetic."""
    if name == "SquaredError":
        return sum((a - t) ** 2 / 2 for a, t in zip(y, target, strict=True))
    if name == "LogisticLoss":
        return sum(mpmath.log1p(mpmath.exp(a)) - t * a for a, t in zip(y, target, strict=True))
    return mpmath.log(sum(mpmath.exp(a) for a in y)) - y[target]


@pytest.mark.parametrize("name", ["SquaredError", "SoftmaxCrossEntropy", "LogisticLoss"])
def test_loss_changes(name):
    """A sample's change of loss is right to a few roundings of the change of the outputs."""
    loss = getattr(loss_changes, name)()
    rng = np.random.default_rng(1)
    for _ in range(60):
        y = rng.normal(size=(1, 5)) * 3
        d = rng.normal(size=5) * 10.0 ** rng.uniform(-12, -2.5)
        target = {"SquaredError": rng.normal(size=(1, 5)), "LogisticLoss": rng.integers(0, 2, (1, 5))}.get(
            name, rng.integers(0, 5, 1)
        )
        r0, r1 = loss_changes.prepared(loss, y, target)
        total = sum(loss_changes.curved(loss, r0[0, c], r1[0, c], d[c]) for c in range(5))
        straight = sum(loss_changes.linear(loss, r1[0, c], d[c]) for c in range(5))
        found = loss_changes.finish(loss, total) + straight
        with mpmath.workprec(200):
            goal = [mpmath.mpf(t) for t in target[0].tolist()] if target.ndim == 2 else target[0].item()
            before = [mpmath.mpf(v) for v in y[0]]
            after = [a + mpmath.mpf(v) for a, v in zip(before, d, strict=True)]
            truth = exact_loss(name, after, goal) - exact_loss(name, before, goal)
            assert abs(mpmath.mpf(float(found)) - truth) <= 10 * EPS * np.abs(d).sum() * (1 + np.abs(y).max())

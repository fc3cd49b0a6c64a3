"""Changes of losses, against exact arithmetic."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
from change_cases import EPS

from fastgrad.kernels import loss_changes


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

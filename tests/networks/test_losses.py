"""Losses: each is its formula and the sum of its samples, and its gradient is that of its value."""

from __future__ import annotations

import numpy as np
import pytest
from layer_gradients import slopes_of

from fastgrad.errors import InputError
from fastgrad.networks.losses import HalfSquaredError, LogisticLoss, MeanSquaredError, SoftmaxCrossEntropy

RNG = np.random.default_rng(4)
Y = RNG.normal(size=(5, 3))
TARGETS = RNG.random(size=(5, 3))
LABELS = np.array([0, 2, 1, 1, 0])

# loss, targets, the loss by its formula in NumPy
LOSSES = [
    (HalfSquaredError(), TARGETS, 0.5 * np.sum((Y - TARGETS) ** 2)),
    (MeanSquaredError(), TARGETS, np.mean((Y - TARGETS) ** 2)),
    (SoftmaxCrossEntropy(), LABELS, np.mean(np.log(np.exp(Y).sum(axis=1)) - Y[np.arange(5), LABELS])),
    (LogisticLoss(), TARGETS, np.mean(np.log(1 + np.exp(Y)) - TARGETS * Y)),
]


@pytest.mark.parametrize(("loss", "target", "expected"), LOSSES, ids=[str(loss) for loss, _, _ in LOSSES])
class TestEach:
    def test_formula(self, loss, target, expected):
        """The value is the formula's, and its samples add up to it, whatever the batch they are part of."""
        assert loss.value(Y, target) == pytest.approx(expected, rel=1e-14)
        assert loss.each(Y, target).sum() == pytest.approx(expected, rel=1e-14)
        np.testing.assert_allclose(loss.each(Y[:2], target[:2], 5), loss.each(Y, target)[:2], rtol=1e-14)

    def test_gradient(self, loss, target, expected):
        """The gradient is the derivative of the value, by differences."""
        by_differences = slopes_of(lambda y: loss.value(y, target), Y)

        np.testing.assert_allclose(loss.gradient(Y, target), by_differences, rtol=1e-6, atol=1e-9)

    def test_float32(self, loss, target, expected):
        """Outputs in float32 are summed in float64."""
        assert loss.gradient(Y.astype(np.float32), target).dtype == np.float64
        assert loss.value(Y.astype(np.float32), target) == pytest.approx(expected, rel=1e-6)


class TestFarOutputs:
    def test_no_overflow(self):
        """Scores of thousands give a loss of thousands, and no warning."""
        assert SoftmaxCrossEntropy().value(np.array([[1e4, 0.0]]), np.array([1])) == 1e4
        assert LogisticLoss().value(np.array([[-1e4]]), np.array([[1.0]])) == 1e4


class TestCheck:
    @pytest.mark.parametrize(
        ("loss", "target", "message"),
        [
            (HalfSquaredError(), TARGETS[:4], r"targets of the outputs' shape \(5, 3\)"),
            (MeanSquaredError(), TARGETS.astype(complex), "got complex128"),
            (SoftmaxCrossEntropy(), LABELS + 1, "labels from 0 to 2; the label of sample 1 is 3"),
            (SoftmaxCrossEntropy(), np.eye(3)[LABELS], r"integer labels of shape \(5,\); got float64"),
            (LogisticLoss(), TARGETS + 1, "targets from 0 to 1"),
        ],
    )
    def test_refused(self, loss, target, message):
        """Targets that do not fit are refused with what was expected and what came."""
        with pytest.raises(InputError, match=message):
            loss.check((3,), 5, target)

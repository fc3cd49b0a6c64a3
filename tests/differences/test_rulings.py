"""What ladders found at several coordinates, as arrays that stay together."""

from __future__ import annotations

import numpy as np

from fastgrad.differences.reasons import Reason
from fastgrad.differences.rulings import NoiseModel, Rulings


def rulings(numeric, bound):
    """Rulings with these derivatives and bounds."""
    numeric, bound = np.asarray(numeric, float), np.asarray(bound, float)
    no, reason = np.zeros(len(numeric), bool), np.full(len(numeric), Reason.NOISE, np.int8)
    return Rulings(numeric, bound, np.ones_like(numeric), no, numeric, numeric, no, reason)


def test_parts_put_together():
    """Rulings that are joined, taken apart and put in others' places keep their entries."""
    both = Rulings.joined([rulings([1, 2], [0.1, 0.2]), rulings([3], [0.3])])
    assert both.numeric.tolist() == [1, 2, 3]
    assert both.at(np.array([2, 0])).error_bound.tolist() == [0.3, 0.1]
    replaced = both.replaced(np.array([1]), rulings([9], [0.9]))
    assert replaced.numeric.tolist() == [1, 9, 3]
    assert both.numeric.tolist() == [1, 2, 3]


def test_noise_grows_with_the_offset():
    """Noise is a constant and a part in proportion to the offset."""
    model = NoiseModel(np.array([1.0, 2.0]), np.array([10.0, 0.0]))
    assert model.at(np.array([[0.5], [-3.0]])).tolist() == [[6.0], [2.0]]
    assert model.of(np.array([1])).constant.tolist() == [2.0]

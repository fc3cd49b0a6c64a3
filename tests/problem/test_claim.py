"""The claimed gradient: its values where they are asked for."""

from __future__ import annotations

import numpy as np
import pytest

from fastgrad.errors import InputError
from fastgrad.problem.claim import OWN_ROUNDINGS, ClaimedGradient, same_gradient
from fastgrad.problem.parameters import Parameters

PARAMETERS = Parameters({"W": np.ones((2, 3)), "b": np.ones(2, dtype=np.float32)})
LEAVES = [np.arange(6.0), np.array([10.0, 20.0], dtype=np.float32)]


def claim(**known):
    """A claim without jitter."""
    return ClaimedGradient(PARAMETERS, list(LEAVES), None, **known)


def test_values_at_some_coordinates():
    """Values are in float64, from all blocks, with the dtypes that the user returned."""
    found = claim().at(np.array([1, 5, 7]))
    assert found.values.tolist() == [1.0, 5.0, 20.0]
    assert found.values.dtype == np.float64
    assert [dtype.name for dtype in found.dtypes] == ["float64", "float32"]


def test_jitter_goes_with_the_coordinates():
    """How far repeats were apart is known for each coordinate that is asked for."""
    jittery = ClaimedGradient(PARAMETERS, list(LEAVES), [np.linspace(0, 0.5, 6), np.zeros(2)])
    assert jittery.at(np.array([0, 5, 6])).jitter.tolist() == [0.0, 0.5, 0.0]


def test_narrowed():
    """An answer that was not copied can be let go, but for the coordinates that are still needed."""
    narrowed = claim(at_watched=np.ones(8))
    narrowed.narrow(np.array([1, 5, 7]))
    assert narrowed.leaves == []
    assert narrowed.at(np.array([1, 7])).values.tolist() == [1.0, 20.0]


def test_written_into():
    """A cost that writes into the answer of the gradient function is refused."""
    kept = claim(at_watched=np.concatenate([leaf.astype(float) for leaf in LEAVES]))
    kept.require_unchanged()
    kept.leaves[0] = kept.leaves[0] + 1
    with pytest.raises(InputError, match="the cost writes into the array"):
        kept.require_unchanged()


@pytest.mark.parametrize(
    ("b", "tolerance", "same"),
    [([1.0, np.nan], 0.0, True), ([1.0 + 1e-9, np.nan], 0.0, False), ([1.0 + 1e-9, 2.0], 1e-6, True)],
)
def test_same_gradient(b, tolerance, same):
    """Two gradients are the same to the last digit, NaN to NaN, or to a share of the largest entry."""
    a = np.array([1.0, np.nan if np.isnan(b[1]) else 2.0])
    assert same_gradient(a, np.array(b), tolerance) == same


class TestRounding:
    """What the arithmetic of a claim may be off by."""

    EVERYONE = np.arange(8)
    EPS, SINGLE = float(np.finfo(np.float64).eps), float(np.finfo(np.float32).eps)

    class Measured:
        """Noise that was measured."""

        is_measured = True

        def measure(self):
            """Nothing is left to do."""

        def at(self, indices):
            """A thousandth for the first, nothing for the others."""
            return np.where(indices == 0, 1e-3, 0.0)

    def of_function(self, noise=None):
        """The rounding of a gradient function's answer."""
        return claim(noise=noise or self.Measured()).at(self.EVERYONE).rounding(self.EVERYONE, PARAMETERS)

    def test_of_a_function_by_dtype(self):
        """An entry of a function is allowed eight roundings of its own, in the dtype of its block."""
        values = np.concatenate([leaf.astype(float) for leaf in LEAVES])
        eps = np.repeat([self.EPS, self.SINGLE], [6, 2])
        np.testing.assert_allclose(self.of_function()[1:], (8 * eps * values)[1:], rtol=1e-12)

    def test_of_a_function_as_measured(self):
        """Where noise was measured that is more, an entry is allowed eight standard deviations of it."""
        assert self.of_function()[0] == 8e-3

    def test_values_are_allowed_roundings_of_sums(self):
        """Of values nothing else is known: two roundings of a typical entry among those of their size are."""
        found = claim().at(self.EVERYONE).rounding(self.EVERYONE, PARAMETERS)
        rms = np.sqrt(np.mean(np.arange(6.0) ** 2))
        assert found[0] == pytest.approx(2 * self.EPS * rms)
        assert found[5] == pytest.approx(8 * self.EPS * 5 + 2 * self.EPS * rms)

    def test_only_of_their_own_size(self):
        """An entry of a parameter of another size lends no rounding."""
        parameters = Parameters(np.array([1.0, 1.0, 1e6]))
        given = ClaimedGradient(parameters, [np.array([1.0, 1.0, 1e9])], None).at(np.arange(3))
        found = given.rounding(np.arange(3), parameters)
        assert found[:2] == pytest.approx(10 * self.EPS, rel=1e-9)

    def test_does_not_depend_on_blocks(self):
        """The same values in one block or in two are allowed the same."""
        x, g = np.array([1.0, 1.1, 1.2, 1.3]), np.array([1.0, 1e3, 1.0, 1e-3])
        one, two = Parameters(x), Parameters({"a": x[:1], "b": x[1:]})
        found = [
            ClaimedGradient(parameters, leaves, None).at(np.arange(4)).rounding(np.arange(4), parameters)
            for parameters, leaves in ((one, [g]), (two, [g[:1], g[1:]]))
        ]
        np.testing.assert_allclose(found[0], found[1], rtol=1e-12)

    def test_of_some_coordinates(self):
        """What an entry is allowed does not depend on which others are asked for."""
        parameters, g = Parameters(np.ones(4)), np.array([1.0, 1e3, 1.0, 1e-3])
        given = ClaimedGradient(parameters, [g], None)
        some = np.array([0, 3])
        whole = given.at(np.arange(4)).rounding(np.arange(4), parameters)
        np.testing.assert_allclose(given.at(some).rounding(some, parameters), whole[some], rtol=1e-12)

    def test_not_finite(self):
        """A claimed NaN or inf does not loosen what others are allowed."""
        parameters = Parameters(np.ones(3))
        given = ClaimedGradient(parameters, [np.array([1.0, np.nan, np.inf])], None).at(np.arange(3))
        assert given.rounding(np.arange(3), parameters)[0] == pytest.approx(10 * self.EPS, rel=1e-9)


class TestShortestFloat:
    """A claim whose numbers are all of float32 was computed in that, whatever holds them."""

    X = np.linspace(0.3, 1.7, 12)
    DOUBLE, SINGLE = float(np.finfo(np.float64).eps), float(np.finfo(np.float32).eps)

    def of(self, values, cuts=()):
        """The rounding of the first entry, where the claim is in several blocks, in units of that entry."""
        parameters = Parameters(np.split(self.X, cuts))
        found = ClaimedGradient(
            parameters, np.split(np.asarray(values), cuts), None, noise=TestRounding.Measured()
        )
        values = found.at(np.arange(1, 12))
        return float(values.rounding(np.arange(1, 12), parameters)[0] / abs(values.values[0])) / OWN_ROUNDINGS

    @pytest.mark.parametrize("cuts", [(), (6,), (1, 2, 7)])
    def test_numbers_of_float32(self, cuts):
        """They are right to the rounding of float32, in any number of blocks."""
        assert self.of(np.cos(self.X).astype(np.float32).astype(float), cuts) == pytest.approx(self.SINGLE)

    @pytest.mark.parametrize("cuts", [(), (6,), (1, 2, 7)])
    def test_one_that_is_not(self, cuts):
        """One number of float64 among them shows that all were computed in that."""
        values = np.cos(self.X).astype(np.float32).astype(float)
        values[4] = np.cos(self.X[4])
        assert self.of(values, cuts) == pytest.approx(self.DOUBLE)

    def test_simple_numbers(self):
        """Numbers such as 0.5 and 3 are exact in any float, and tell nothing."""
        assert self.of(np.arange(12) / 4) == pytest.approx(self.DOUBLE)

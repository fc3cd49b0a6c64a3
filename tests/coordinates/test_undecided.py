"""Why a coordinate is undecided, in a code and in words."""

from __future__ import annotations

import numpy as np
import pytest
from running import running

from fastgrad.coordinates.undecided import Causes, Doubtful
from fastgrad.differences.reasons import Reason

ADVICE = (
    "compute the cost in float64 throughout, without large terms that cancel, and with a tighter tolerance "
    "where it iterates"
)
ASKED = "and 0.01 of itself was asked for"


def causes_of(cost, x, claim, single=False):
    """The causes after the coordinates of a cost were measured."""
    x = np.atleast_1d(x)
    coordinates = running(cost, np.broadcast_to(claim, x.shape).astype(float), x)
    coordinates.measure(np.arange(len(x)))
    return Causes.of(coordinates.engines.in_reals.engine, coordinates.known.table, single, 0.01), coordinates


def smooth(single=False):
    """The causes of a check in which nothing stood in the way."""
    return causes_of(lambda p: float(np.sin(p[0])), 0.5, np.cos(0.5), single)[0]


def doubtful(claimed=1.0, numeric=1.0, bound=0.5):
    """What is known of a coordinate p."""
    return Doubtful(0, "p", claimed, numeric, bound)


class TestNoise:
    def test_is_what_is_left(self):
        """Where nothing else stood in the way it is noise, with how far the derivative is known."""
        found = smooth().of_coordinate(doubtful())
        assert found.reason == Reason.NOISE
        assert (
            found.sentence == f"noise: the derivative at p is known to 0.5, 0.5 of itself, {ASKED}: {ADVICE}"
        )

    def test_of_float32_has_one_cure(self):
        """Where the cost computes in float32 the advice is to compute it in float64."""
        found = smooth(single=True).of_coordinate(doubtful())
        assert found.sentence.endswith(": compute the cost in float64")

    @pytest.mark.parametrize(
        ("claimed", "numeric", "bound", "known"),
        [
            (0.0, 0.0, 0.5, f"the derivative at p is known to 0.5, {ASKED}"),
            (0.0, np.nan, np.inf, "no difference gives the derivative at p"),
            (1.0, np.nan, np.inf, "no difference gives the derivative at p"),
        ],
    )
    def test_what_is_not_known_is_no_number(self, claimed, numeric, bound, known):
        """A share of zero, and a bound that is not finite, are not put in numbers."""
        found = smooth().of_coordinate(doubtful(claimed, numeric, bound))
        assert found.sentence == f"noise: {known}: {ADVICE}"

    @pytest.mark.parametrize(
        ("claimed", "numeric", "share"), [(1.0, -4.0, 0.125), (8.0, np.nan, 0.0625), (0.0, 0.0, np.inf)]
    )
    def test_share(self, claimed, numeric, share):
        """The bound is told as a share of the larger of claim and estimate."""
        assert doubtful(claimed, numeric).share == share


class TestLimit:
    def test_neither_right_nor_wrong(self):
        """A claim off by most of its bound is too close to tell, and both numbers are said."""
        found = smooth().of_coordinate(doubtful(1.3, 1.0, 0.5))
        assert found.reason == Reason.LIMIT
        assert found.sentence == (
            f"limit: the claim is off by 0.3, and the derivative at p is known to 0.5, 0.4 of itself, {ASKED}"
            f": too close to tell right from wrong; {ADVICE}"
        )

    def test_little_of_the_bound_is_noise(self):
        """A claim off by less than half of its bound is undecided for noise."""
        assert smooth().of_coordinate(doubtful(1.2, 1.0, 0.5)).reason == Reason.NOISE


def test_budget_comes_first():
    """A coordinate that the budget cut is said to be so, whatever else is known."""
    _, coordinates = causes_of(lambda p: float(abs(p[0])), 0.0, 0.5)
    coordinates.known.table.cut_off(np.array([0]))
    causes = Causes.of(coordinates.engines.in_reals.engine, coordinates.known.table, False, 0.01)
    found = causes.of_coordinate(doubtful())
    assert found.reason == Reason.BUDGET
    assert found.sentence.startswith("budget: it was over before this coordinate was decided; the derivative")
    assert found.sentence.endswith(": give more")


def square_root(p):
    """A cost that ends at zero."""
    return float(np.sqrt(p[0])) if p[0] >= 0 else np.nan


@pytest.mark.parametrize(
    ("cost", "at", "claim", "reason", "words"),
    [
        (
            lambda p: float(abs(p[0])),
            0.0,
            0.5,
            Reason.SUBGRADIENT,
            "kink: on its two sides the cost has slopes",
        ),
        (square_root, 0.0, 0.0, Reason.NOT_FINITE, "non-finite: the cost is nan at params[0] - "),
        (
            lambda p: float(np.floor(p[0]) + p[1]),
            [0.0, 1.0],
            1.0,
            Reason.JUMP,
            "jump: the cost jumps at params[0], and has no derivative there that differences could find",
        ),
    ],
)
def test_each_reason(cost, at, claim, reason, words):
    """A kink, the end of a domain and a jump are told apart, each with what to do."""
    found = causes_of(cost, at, claim)[0].of_coordinate(Doubtful(0, "params[0]", claim, 0.0, 1.0))
    assert found.reason == reason
    assert found.sentence.startswith(words)


def test_slopes_of_a_kink():
    """The slopes on the two sides of a kink are said, and the option that lets a subgradient pass."""
    found = causes_of(lambda p: float(abs(p[0])), 0.0, 0.5)[0].of_coordinate(doubtful(0.5, 0.0, 1.0))
    assert found.sentence == (
        "kink: on its two sides the cost has slopes of -1 and 1; the claimed 0.5 lies between them, as every "
        'subgradient does; kinks="subgradient" lets it pass'
    )


def test_only_its_own_reason():
    """What stood in the way at one coordinate is not said of another."""
    causes, _ = causes_of(lambda p: float(abs(p[0]) + np.sin(p[1])), [0.0, 0.5], [0.5, np.cos(0.5)])
    assert causes.of_coordinate(Doubtful(0, "params[0]", 0.5, 0.0, 1.0)).reason == Reason.SUBGRADIENT
    assert causes.of_coordinate(Doubtful(1, "params[1]", 1.0, 1.0, 0.5)).reason == Reason.NOISE

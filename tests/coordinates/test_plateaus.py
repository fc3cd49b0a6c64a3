"""Costs that stand still at fine steps: a claim of zero is not called wrong, and what is known is said."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

import fastgrad
from fastgrad.coordinates.plateaus import are_stairs, keep_on_stairs

X = np.array([0.3, 0.7, 1.1])


@pytest.mark.parametrize("decimals", [4, 6, 9])
def test_rounded_to_decimals(decimals):
    """Zero is the slope of a rounded cost between its jumps: the report says so, and how high they are."""
    report = fastgrad.check_gradient(lambda x: round(float(np.sum(np.sin(x))), decimals), lambda x: 0 * x, X)
    assert report.verdict == "undecided"
    assert {f.code for f in report.undecided} == {"plateau"}
    assert f"jumps by {10.0**-decimals:.2g} between" in report.undecided[0].cause


@pytest.mark.parametrize("decimals", [4, 6, 9])
def test_the_average_agrees(decimals):
    """The slope that the cost has on average agrees, and its negative does not."""
    cost = lambda x: round(float(np.sum(np.sin(x))), decimals)  # noqa: E731
    assert fastgrad.check_gradient(cost, np.cos, X).verdict == "agree"
    assert fastgrad.check_gradient(cost, lambda x: -np.cos(x), X).verdict == "disagree"


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_gradient_that_was_never_filled(dtype):
    """Rounding to a dtype is no plateau: zeros in the place of a gradient are called wrong."""
    cost = lambda x: dtype(np.sum(np.sin(x.astype(dtype))))  # noqa: E731
    assert fastgrad.check_gradient(cost, lambda x: 0 * x, X).verdict == "disagree"


def test_zero_in_one_place():
    """Where other entries are not zero a zero is one that was forgotten."""
    report = fastgrad.check_gradient(
        lambda x: round(float(np.sum(np.sin(x))), 6), lambda x: np.cos(x) * [1, 0, 1], X
    )
    assert [f.label for f in report.wrong] == ["params[1]"]


class TestOneRoundedTerm:
    """A cost in double precision with one term that is rounded to float32."""

    A, X = np.array([1.44, 47.3, 0.0144, 0.0686]), np.array([0.985, 0.0969, 0.78, 0.981])

    def cost(self, x):
        """The sum of both."""
        terms = np.tanh(self.A * x)
        return float(terms[1:].sum()) + float(np.float32(3 * terms[0]))

    def gradient(self, x, factor=1.0):
        """Its slope, that of the rounded term times a factor."""
        return self.A / np.cosh(self.A * x) ** 2 * [3 * factor, 1, 1, 1]

    def verdict(self, factor):
        """The verdict on it."""
        claimed = self.gradient(self.X, factor)
        return fastgrad.check_gradient(self.cost, claimed, self.X, engine="python").verdict

    def test_right(self):
        """The slope of the term is not called wrong, though the cost stands still at fine steps."""
        assert self.verdict(1.0) != "disagree"

    @pytest.mark.parametrize("factor", [0.0, 0.9, 1.1, -1.0])
    def test_wrong(self, factor):
        """One that is off by a tenth, or forgotten, is wrong."""
        assert self.verdict(factor) == "disagree"


def test_no_stairs_beside_a_kink():
    """Where the cost moves on one side only it is flat, and not rounded."""
    x = np.array([-1e-9, 0.5])
    report = fastgrad.check_gradient(lambda x: np.maximum(x, 0).sum() + 0 * x[1], np.ones(2), x)
    assert report.verdict != "agree"


def one_coordinate(values, slope=1.0, bound=1e-3):
    """A setting with one coordinate whose values are a function of its displacement, and what is known."""
    plan = SimpleNamespace(indices=np.zeros(1, dtype=int), steps=np.ones(1))
    accepted = []
    table = SimpleNamespace(
        plan=plan,
        numeric=np.array([slope]),
        error_bound=np.array([bound]),
        accept=lambda at, numeric, bound, steps: accepted.append((numeric[0], bound[0])),
    )
    setting = SimpleNamespace(f0=1.0, displacements=lambda i, d: d, evaluate=lambda i, d: 1.0 + values(d))
    return setting, table, accepted


AT, FINE = np.array([0]), np.array([1e-6])


@pytest.mark.parametrize(
    ("down", "up", "stairs"), [(-1.0, 1.1, True), (-1.0, 0.0, False), (-1.0, 2.0, False), (0.0, 0.0, False)]
)
def test_stairs_move_alike_on_both_sides(down, up, stairs):
    """Where the cost stands still at fine steps it must move at the wide ones, and by as much up as down."""
    setting, table, _ = one_coordinate(lambda d: np.where(d < 0, down, up))
    assert are_stairs(setting, table, AT, FINE, np.ones((1, 4))).tolist() == [stairs]


@pytest.mark.parametrize(
    ("slope", "bound", "step", "stairs"),
    [(1.0, 1e-3, 1e-6, True), (1.0, 2.0, 1e-6, False), (1.0, 1e-3, 1e-16, False)],
)
def test_stairs_have_a_slope_that_would_be_seen(slope, bound, step, stairs):
    """A slope within its bound is none, and steps at which double precision stands still tell nothing."""
    setting, table, _ = one_coordinate(np.sign, slope, bound)
    assert are_stairs(setting, table, AT, np.array([step]), np.ones((1, 4))).tolist() == [stairs]


def test_the_bound_on_stairs():
    """It explains one stair more or less at the wide step; a wider one that is known stays."""
    for known, wanted in ((1e-3, 0.25), (0.5, 0.5)):
        setting, table, accepted = one_coordinate(lambda d: np.floor(d / 0.25) * 0.25, bound=known)
        keep_on_stairs(setting, table, AT, FINE)
        assert accepted == [(1.0, pytest.approx(wanted))]

"""What a factor may mean."""

from __future__ import annotations

import numpy as np
import pytest
from diagnosis_cases import VECTOR, block

from fastgrad.diagnosis.diagnose import diagnose
from fastgrad.diagnosis.evidence import Number
from fastgrad.diagnosis.factor_names import Known, named

J = 1.7


def meaning(k, width=1e-9, cost=J):
    """What factor k means, if it is known to a relative width."""
    return named(Number(*sorted((1 / k * (1 - width), 1 / k * (1 + width)))), (5,), Known((8,), cost))[1]


@pytest.mark.parametrize(
    ("k", "said"),
    [
        (-1.0, "a minus sign is missing"),
        (2.0, "the 1/2 of a square is missing"),
        (-2.0, "the sign is wrong, and the 1/2 of a square is missing"),
        (1 / 8, "a mean over the 8 entries along an axis of the data"),
        (np.pi / 180, "this is pi/180: degrees for radians"),
        (180 / np.pi, "this is 1/(pi/180): degrees for radians"),
        (np.log(2), "this is ln 2: bits for nats"),
        (1 / np.log(10), "this is 1/(ln 10): a log to base 10"),
        (1 / np.sqrt(2 * J), "this is the gradient of r, if the cost is r^2 / 2: the gradient of the output"),
        (
            -1 / np.sqrt(2 * J),
            "this is the gradient of r, if the cost is r^2 / 2: the gradient of the output",
        ),
        (-1 / (2 * np.sqrt(J)), "this is the gradient of r, if the cost is r^2: the gradient of the output"),
        (2 * J, "this is the gradient of the square of the cost"),
        (np.exp(J), "this is the gradient of exp(cost)"),
        (-np.exp(-J), "this is the gradient of exp(-cost)"),
        (1 / J, "this is the gradient of log(cost)"),
        (-1 / J, "this is the gradient of -log(cost)"),
    ],
)
def test_names(k, said):
    """Each number with a name is given its meaning."""
    assert meaning(k).startswith(said)


@pytest.mark.parametrize("k", [1.3704, 0.41, -7.3])
def test_no_name(k):
    """Other numbers have none."""
    assert meaning(k) == ""


@pytest.mark.parametrize("cost", [None, 0.0, float("nan"), -2.0, 1e4, 1.5e308])
def test_costs_without_such_a_function(cost):
    """A cost that is not known, or too large for exp, is no name for a number."""
    assert meaning(0.41, cost=cost) == ""


def test_rare_names_need_digits():
    """A function of the cost is named only for a factor that is known to more than four digits."""
    k = 1 / np.sqrt(2 * J)
    assert meaning(k, width=1e-6) != ""
    assert meaning(k, width=1e-3) == ""


def test_gradient_of_the_output():
    """With the cost known, the residual whose half square it is, is named as what was differentiated."""
    k = -1 / np.sqrt(2 * J)
    (found,) = diagnose([block("w", k * VECTOR, VECTOR), block("b", k * 0.3, 0.3)], cost=J)
    assert found.blocks == ("w", "b")
    assert "this is the gradient of r, if the cost is r^2 / 2" in found.sentence

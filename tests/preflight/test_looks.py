"""First looks at cost and gradient are part of a budget: what can be left out of them is, if it must."""

from __future__ import annotations

import numpy as np
import pytest

import fastgrad
from fastgrad.execution.budget import LOOKS
from fastgrad.preflight.gradient import NOT_CALLED_AGAIN
from fastgrad.preflight.looks import Looks


def sines(x):
    """A smooth cost, which carries complex numbers through."""
    return np.sum(np.sin(x))


class Kept:
    """A cost that keeps what its gradient reads."""

    def __init__(self):
        self.x = None

    def cost(self, x):
        """The cost."""
        self.x = np.array(x)
        return float(np.sum(np.sin(x)))

    def gradient(self, x):
        """The gradient at the last x of the cost."""
        return np.cos(self.x)


def jitter():
    """A cost that does not repeat itself to the last digit."""
    rng = np.random.default_rng(0)
    return lambda x: float(np.sum(np.sin(x))) * (1 + 1e-13 * rng.normal())


def kept():
    """A gradient that reads what the cost keeps."""
    both = Kept()
    return both.cost, both.gradient


EDGE = 0.2999999999
"""The end of a domain, close to the parameters."""

KINDS = {
    "central": lambda: (sines, np.cos, {}),
    "complex": lambda: (sines, np.cos, {"method": "complex"}),
    "jitter": lambda: (jitter(), np.cos, {}),
    "stale": lambda: (sines, lambda x: np.full(6, 0.5), {}),
    "after the cost": lambda: (*kept(), {}),
    "float32 inside": lambda: (
        lambda x: float(np.sum(np.sin(x))),
        lambda x: np.cos(np.float32(x)).astype(np.float64) * (1 + 1e-5),
        {"resolution": 1e-7},
    ),
    "vectorized": lambda: (lambda x: np.sum(np.sin(x), axis=1), np.cos, {"vectorized": True}),
    "tolerance": lambda: (sines, lambda x: np.cos(x) * 1.01, {"tolerance": 1e-4}),
    "probes": lambda: (sines, np.cos, {"probes": 3}),
    "undefined": lambda: (
        lambda x: float(np.sum(np.log(x - 0.2999999999))),
        lambda x: 1 / (x - 0.2999999999),
        {},
    ),
}


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("of_cost", [0.0, 0.05, 1.0, 4.0])
@pytest.mark.parametrize("of_gradient", [0.0, 0.05, 1.0, 4.0])
def test_a_budget_is_kept(clock, capsys, kind, of_cost, of_gradient):
    """No check takes longer than its budget, but for two evaluations and one call of the gradient.

    How long these take is not known before: half of the budget may have passed then. By how much it runs over
    is in the report.
    """
    cost, gradient, options = KINDS[kind]()
    seconds = {"cost": 0.0, "gradient": 0.0}

    def slow_cost(x):
        seconds["cost"] += of_cost
        clock.now += of_cost
        return cost(x)

    def slow_gradient(x):
        seconds["gradient"] += of_gradient
        clock.now += of_gradient
        return gradient(x)

    for budget in (0.5, 5.0, 30.0):
        seconds.update(cost=0.0, gradient=0.0)
        began = clock.now
        report = fastgrad.check_gradient(
            slow_cost, slow_gradient, np.linspace(0.3, 1.7, 6), budget=budget, **options
        )
        took = clock.now - began
        # a gradient that raises or is stale without the cost is called once more, after it
        least = 2 * of_cost + of_gradient * (2 if kind == "after the cost" else 1)
        least += of_cost * (kind == "after the cost")
        assert took <= max(budget, least + LOOKS * budget) * 1.001, (budget, seconds)
        over = [note for note in report.notes if note.startswith("the check ran over its budget of ")]
        assert bool(over) == (took > 1.04 * budget)
        assert report.seconds == pytest.approx(took)


def test_by_how_much_it_ran_over(clock, capsys):
    """What cannot be left out is forecast after one evaluation; the report says by how much it ran over."""

    def cost(x):
        clock.now += 4
        return float(x @ x)

    report = fastgrad.check_gradient(cost, lambda x: 2 * x, np.ones(3), budget=5)
    forecast = (
        "fastgrad: an evaluation of the cost takes 4 s, and any check makes two: it will take about 8 s, and "
        "has a budget of 5 s\n"
    )
    assert capsys.readouterr().err == forecast
    assert report.evaluations == 2
    assert report.notes[-1] == (
        "the check ran over its budget of 5 s by 3 s: two evaluations of the cost and a call of the gradient "
        "cannot be left out, nor can what has begun be cut short"
    )
    found = fastgrad.numerical_gradient(cost, np.ones(3), budget=5)
    assert capsys.readouterr().err == forecast
    assert "the check ran over its budget of 5 s by 3 s" in found.notes[-1]


def test_nothing_is_said_where_no_progress_is_wanted(clock, capsys):
    """With progress=False the forecast is not said; the report has it nevertheless."""

    def cost(x):
        clock.now += 4
        return float(x @ x)

    fastgrad.check_gradient(cost, lambda x: 2 * x, np.ones(3), budget=5, progress=False)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(("seconds", "calls"), [(0.01, 4), (0.5, 4), (0.9, 2), (1.2, 2), (2.4, 1), (4.0, 1)])
def test_calls_of_the_gradient(clock, seconds, calls):
    """The gradient is called again, and at a point nearby, as far as that ends in half of the budget."""
    made = []

    def gradient(x):
        clock.now += seconds
        made.append(1)
        return np.cos(x)

    x = np.linspace(0.3, 1.7, 5)
    report = fastgrad.check_gradient(lambda x: float(np.sum(np.sin(x))), gradient, x, budget=5)
    assert len(made) == calls
    assert (NOT_CALLED_AGAIN in report.notes) == (calls < 4)
    assert report.verdict == "agree"


def test_a_gradient_that_is_random_is_found_by_two_calls(clock):
    """With time for one more call, that one is made at the same parameters."""
    rng = np.random.default_rng(0)

    def gradient(x):
        clock.now += 1.2
        return rng.normal(size=3)

    with pytest.raises(fastgrad.InputError, match="gives another answer each time"):
        fastgrad.check_gradient(lambda x: float(x @ x), gradient, np.ones(3), budget=5)


def test_a_claim_whose_noise_there_is_no_time_for(clock):
    """A gradient that is off by little, perhaps by its rounding, is undecided where that takes too long."""

    def gradient(x):
        clock.now += 1.5
        return np.cos(np.float32(x)).astype(np.float64) * (1 + 5e-6)

    x = np.linspace(0.3, 1.4, 5)
    given = (lambda x: float(np.sum(np.sin(x))), gradient, x)
    assert fastgrad.check_gradient(*given, budget=6).verdict == "undecided"
    assert fastgrad.check_gradient(*given, budget=600).verdict == "disagree"


@pytest.mark.parametrize("limit", [2, 3, 4, 10, 30])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_evaluations_are_kept(kind, limit):
    """First looks are part of max_evaluations too."""
    cost, gradient, options = KINDS[kind]()
    made = []

    def counted(x):
        made.append(len(x) if options.get("vectorized") else 1)
        return cost(x)

    limit = max(limit, 3) if options.get("vectorized") else limit
    report = fastgrad.check_gradient(
        counted, gradient, np.linspace(0.3, 1.7, 6), max_evaluations=limit, **options
    )
    assert sum(made) == report.evaluations
    if kind != "after the cost":  # which needs an evaluation for each call of the gradient
        assert report.evaluations <= limit


def test_the_complex_step_is_not_believed_unseen():
    """Where there is no room to compare it with central differences, nothing is decided by it."""
    report = fastgrad.check_gradient(
        lambda x: np.sum(np.abs(x) + x), lambda x: 2 + 0 * x, np.ones(3), method="complex", max_evaluations=6
    )
    assert report.verdict == "undecided"
    assert report.stopped == "the budget had no room to compare the complex step with central differences"


def test_looks_without_a_budget():
    """Without a budget there is room for all."""
    looks = Looks()
    assert looks.room(1e9, 10**9)
    assert looks.room_for_cost()
    assert looks.call_cost(lambda x: "text", 1.0) == "text"
    assert looks.earlier is None

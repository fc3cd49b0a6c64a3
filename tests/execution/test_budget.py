"""Budgets are kept, used, and a check that they end is a report like others."""

from __future__ import annotations

import json

import numba
import numpy as np
import pytest
from problems import waves_batch, waves_loop

import fastgrad
from fastgrad.errors import InputError
from fastgrad.execution import budget
from fastgrad.execution.budget import INTERRUPTED, KEPT_BACK, SHARE_OF_A_CHUNK, Budget
from fastgrad.options import check_budget
from fastgrad.problem.problem import Problem

jitted_waves = numba.njit(waves_loop)


class TestBudget:
    def test_no_limit(self):
        """Without limits there is always room."""
        budget = Budget()
        budget.spend(10**9)
        assert (budget.limited, budget.left(1.0), budget.rows(4)) == (False, float("inf"), None)
        assert not budget.is_over()
        assert budget.longest_chunk == float("inf")

    def test_evaluations(self):
        """Rows that are asked for are whole rows, and where there is none left the budget says so."""
        budget = Budget(evaluations=10)
        assert budget.rows(4) == 2
        budget.spend(8)
        assert (budget.left(1.0), budget.rows(2), budget.stopped) == (2.0, 1, "")
        assert budget.rows(4) == 0
        assert budget.stopped == "the 10 evaluations of max_evaluations are used up"
        assert budget.is_over()
        assert budget.left(1.0) == 0

    def test_seconds(self, clock):
        """Seconds are counted from its making; some are kept back for the report."""
        budget = Budget(seconds=100, began=clock.now)
        assert budget.seconds_left == pytest.approx(100 * (1 - KEPT_BACK))
        assert budget.left(2.0) == pytest.approx(50 * (1 - KEPT_BACK))
        assert budget.longest_chunk == SHARE_OF_A_CHUNK * 100
        clock.now += 95
        assert not budget.is_over()
        clock.now += 1
        assert budget.is_over()
        assert budget.stopped == "the 100 seconds of the budget are over"

    def test_what_would_not_end_in_time(self, clock):
        """What is expected to end after the seconds is not begun; what takes up the rest is."""
        budget = Budget(seconds=100, began=clock.now)
        clock.now += 90
        assert not budget.is_over(coming=10.0)
        assert budget.is_over(coming=10.5)
        assert budget.stopped == "the 100 seconds of the budget are over"

    def test_seconds_for_the_report(self, clock):
        """As many seconds are kept back as the report is expected to take; beyond them it is overrun."""
        budget = Budget(seconds=100, began=clock.now, for_report=20)
        assert budget.seconds_left == 80
        clock.now += 119
        assert budget.overrun == 0
        clock.now += 2
        assert budget.overrun == 21

    @pytest.mark.parametrize(("seconds", "allowed"), [(0.9, True), (30, True), (31, False)])
    def test_first_looks_in_seconds(self, clock, seconds, allowed):
        """A first look is to end in half of the seconds, but for one that takes next to nothing."""
        budget = Budget(seconds=100, began=clock.now)
        clock.now += 20
        assert budget.allows(seconds, 0) is allowed
        clock.now += 60
        assert budget.allows(seconds, 0) is (seconds < 1)

    @pytest.mark.parametrize(("limit", "allowed"), [(2, False), (3, True), (16, True)])
    def test_first_looks_in_evaluations(self, limit, allowed):
        """A first look leaves more than half of the evaluations."""
        assert Budget(evaluations=limit).allows(0.0, 1) is allowed
        assert Budget(evaluations=limit, spent=limit).allows(0.0, 0)

    def test_the_first_reason_stays(self):
        """What stopped it first is what is said."""
        budget = Budget(seconds=3)
        budget.stop(INTERRUPTED)
        budget.stop("something else")
        assert budget.stopped == INTERRUPTED

    @pytest.mark.parametrize("seconds", [0, -1, float("nan"), float("inf"), True, "3", [1]])
    def test_seconds_that_are_none(self, seconds):
        """A budget that is not a positive number of seconds is refused with what it was."""
        with pytest.raises(InputError, match="budget must be a positive number of seconds, or None; got"):
            check_budget(seconds, None)

    @pytest.mark.parametrize("evaluations", [0, 1, -5, 10.0, True, "9"])
    def test_evaluations_that_are_none(self, evaluations):
        """A number of evaluations with which nothing can be done is refused with what it was."""
        with pytest.raises(InputError, match="max_evaluations must be an integer of at least 2, or None: "):
            check_budget(None, evaluations)


def spoiled(gradient, wrong):
    """The gradient with no, one or many wrong entries, as an array or a function."""

    def claim(x):
        g = np.array(gradient(x))
        if wrong == "one":
            g[len(g) // 2] += 0.2
        elif wrong == "many":
            g[::3] += 0.2
        return g

    return claim


def sines(x):
    """A smooth cost, not to be followed with complex numbers."""
    return float(np.sum(np.sin(x)))


def bends(x):
    """A cost with kinks, some of which are close."""
    return float(np.sum(np.abs(x - 0.1)) + 0.5 * np.sum(x**2))


def bends_gradient(x):
    """Its gradient."""
    return np.sign(x - 0.1) + x


def coordinates_of(name, n):
    """What is asked for, by name."""
    return {"all": "all", "auto": "auto", "half": max(1, n // 2), "array": np.arange(0, n, 2)}[name]


def require_proper(report, limit, wrong):
    """A report of a check that a budget may have ended is as it should be."""
    json.loads(report.to_json())
    assert str(report).startswith(report.verdict.upper())
    assert report.evaluations <= limit
    assert report.verdict != "disagree" or wrong != "none"
    if report.stopped:
        assert report.verdict != "agree"
        assert f"the {limit:,} evaluations of max_evaluations are used up" in (report.stopped, report.doubt)
    if report.verdict == "undecided":
        assert report.doubt or any(f.cause.startswith("budget: ") for f in report.undecided)


@pytest.mark.parametrize("limit", [20, 50, 200, 1000])
@pytest.mark.parametrize("asked", ["all", "auto", "half", "array"])
@pytest.mark.parametrize("wrong", ["none", "one", "many"])
@pytest.mark.parametrize(("cost", "gradient"), [(sines, np.cos), (bends, bends_gradient)])
def test_evaluations_are_kept_and_used(cost, gradient, wrong, asked, limit):
    """Never more than max_evaluations calls are made, and where work is left no fewer than nine in ten."""
    calls = [0]

    def counted(x):
        calls[0] += 1
        return cost(x)

    for n in (2, 30, 700):
        calls[0] = 0
        x = np.random.default_rng(n).normal(size=n)
        report = fastgrad.check_gradient(
            counted,
            spoiled(gradient, wrong)(x),
            x,
            coordinates=coordinates_of(asked, n),
            max_evaluations=limit,
            engine="python",  # a recorded cost is not called
        )
        assert calls[0] == report.evaluations
        require_proper(report, limit, wrong)
        if report.coverage.planned or report.stopped:
            assert calls[0] >= 0.9 * limit - 8  # the last piece of work asks for some at once


def network(wrong):
    """A small network with relu."""
    net = fastgrad.Network(
        [fastgrad.Dense(8, 9), fastgrad.ReLU(), fastgrad.Dense(9, 3)], fastgrad.SoftmaxCrossEntropy()
    )
    rng = np.random.default_rng(0)
    problem = net.problem(net.initial_parameters(), rng.normal(size=(20, 8)), rng.integers(0, 3, 20))
    if wrong == "none":
        return problem
    true = problem.gradient

    def claim(p, *args):
        g = true(p, *args)
        return {**g, "0.weight": g["0.weight"] + 0.3}

    return Problem(problem.cost, claim, problem.params, problem.args)


KINDS = {
    "vectorized": (
        lambda wrong: Problem(waves_batch, spoiled(np.cos, wrong), np.linspace(-2, 2, 300)),
        {"vectorized": True},
    ),
    "Numba": (lambda wrong: Problem(jitted_waves, spoiled(np.cos, wrong), np.linspace(-2, 2, 300)), {}),
    "Network": (network, {}),
    "Network, nodes": (network, {"perturb": "nodes"}),
    "central4": (
        lambda wrong: Problem(sines, spoiled(np.cos, wrong), np.linspace(-2, 2, 300)),
        {"method": "central4"},
    ),
    "two workers": (
        lambda wrong: Problem(sines, spoiled(np.cos, wrong), np.linspace(-2, 2, 300)),
        {"n_jobs": 2, "backend": "threading"},
    ),
    "complex": (
        lambda wrong: Problem(lambda x: np.sum(np.sin(x)), spoiled(np.cos, wrong), np.linspace(-2, 2, 300)),
        {"method": "complex"},
    ),
}


@pytest.mark.parametrize("limit", [30, 50, 200, 400])
@pytest.mark.parametrize("wrong", ["none", "many"])
@pytest.mark.parametrize("kind", KINDS)
def test_any_engine_and_method(kind, wrong, limit):
    """Every engine keeps max_evaluations, and ends with a proper report."""
    make, options = KINDS[kind]
    for asked in ("all", "auto"):
        try:
            report = fastgrad.check(make(wrong), coordinates=asked, max_evaluations=limit, **options)
        except InputError:
            assert (kind, wrong) == ("Network, nodes", "many")  # a plain gradient has no nodes
            return
        require_proper(report, limit, wrong)


def test_what_was_not_decided_says_so():
    """Coordinates that were measured and not decided for want of evaluations have that as their cause."""
    x = np.random.default_rng(0).normal(size=200)
    report = fastgrad.check_gradient(
        bends, bends_gradient(x) + 1e-3, x, coordinates="all", max_evaluations=700
    )
    assert report.undecided
    assert {f.cause.partition(":")[0] for f in report.undecided} == {"budget"}


def test_wrong_ones_that_were_found_count():
    """A budget does not take back what was found: the verdict is "disagree"."""
    x = np.random.default_rng(0).normal(size=400)
    report = fastgrad.check_gradient(sines, spoiled(np.cos, "many")(x), x, max_evaluations=600)
    assert report.verdict == "disagree"
    assert report.coverage.checked < 400
    assert all(f.flat_index % 3 == 0 for f in report.wrong)


def test_nothing_known_of_the_complex_step_is_not_zero():
    """A complex step for which there was no evaluation is unknown, not a derivative of zero."""
    x = np.random.default_rng(5).normal(size=700)
    report = fastgrad.check_gradient(
        lambda x: np.sum(np.sin(x)),
        np.cos,
        x,
        coordinates=np.arange(0, 700, 2),
        method="complex",
        max_evaluations=20,
    )
    assert report.verdict == "undecided"
    assert not report.wrong


def test_a_numerical_gradient_stops_too():
    """Entries of a numerical gradient that were not reached are NaN with a bound of inf."""
    x = np.random.default_rng(0).normal(size=400)
    found = fastgrad.numerical_gradient(sines, x, max_evaluations=500)
    known = np.isfinite(found.values)
    assert found.evaluations <= 500
    assert 20 < known.sum() < 400
    assert np.isinf(found.error_bound[~known]).all()
    assert (np.abs(found.values - np.cos(x)) <= found.error_bound)[known].all()


class TestSample:
    """A sample is cut to the budget, and what only uses up the rest of it decides nothing by being cut."""

    X = np.linspace(0.5, 1.5, 5000)

    @pytest.mark.parametrize("limit", range(10, 420, 7))
    def test_evaluations(self, limit):
        """A right gradient agrees wherever the evaluations end, once a sample of 64 coordinates was seen."""
        report = fastgrad.check_gradient(sines, np.cos, self.X, max_evaluations=limit, engine="python")
        if report.coverage.checked >= 64:
            assert (report.verdict, report.stopped, report.coverage.planned) == ("agree", "", 0)
        else:
            assert (report.verdict, report.coverage.planned) == ("undecided", 64)
            assert report.doubt.startswith("budget: ")
        assert not report.undecided
        assert report.coverage.checked >= 64 or limit < 300

    @pytest.mark.parametrize("seed", range(40))
    def test_seconds(self, clock, seed):
        """A right gradient agrees whenever the seconds end; the cost takes another time at each call."""
        rng = np.random.default_rng(seed)

        def slow(x):
            clock.now += rng.uniform(0.8e-3, 1.2e-3)
            return sines(x)

        budget = rng.uniform(0.35, 0.8)
        report = fastgrad.check_gradient(slow, np.cos, self.X, budget=budget, engine="python")
        assert (report.verdict, report.stopped, len(report.undecided)) == ("agree", "", 0)
        assert report.seconds <= 1.1 * budget

    @pytest.mark.parametrize("size", [1, 2, 40, 64])
    def test_few_parameters(self, size):
        """Of parameters that are no more than a sample all have to be seen."""
        x, limits = self.X[:size], range(6, 300, 9)
        for limit in limits:
            report = fastgrad.check_gradient(sines, np.cos, x, max_evaluations=limit, engine="python")
            assert (report.verdict == "agree") == (report.coverage.checked == size and not report.undecided)
        assert report.verdict == "agree"

    def test_wrong_ones(self):
        """What was found wrong while the rest was used up counts."""
        for limit in range(60, 420, 7):
            report = fastgrad.check_gradient(
                sines, lambda x: 1.1 * np.cos(x), self.X, max_evaluations=limit, engine="python"
            )
            assert report.verdict == "disagree"

    @pytest.mark.parametrize("every", [10, 30, 100])
    def test_what_looks_wrong_stays(self, every):
        """A drawn coordinate that is wrong is never left out: the check does not agree."""
        off = np.where(np.arange(5000) % every == 0, 1.05, 1.0)
        for limit in range(90, 900, 23):
            report = fastgrad.check_gradient(
                sines, lambda x: off * np.cos(x), self.X, max_evaluations=limit, engine="python"
            )
            if report.verdict == "agree":
                assert (off[np.union1d(report.coverage.drawn, report.indices)] == 1).all()

    def test_what_is_left_out_bears_on_the_bound(self, clock):
        """What a cut draw left undecided is not in the report, and counts as wrong in the bound."""
        calls = [0]

        def slower(x):
            calls[0] += 1
            clock.now += 1e-3 if calls[0] < 340 else 3e-2
            return sines(x)

        report = fastgrad.check_gradient(slower, np.cos, self.X, budget=0.5, engine="python")
        [block] = report.coverage.guarantee.blocks
        missing = ~np.isin(report.coverage.drawn, report.indices)
        assert (report.verdict, len(report.undecided)) == ("agree", 0)
        assert block.dirty_drawn == missing.sum() > 0
        assert block.drawn == len(missing)

    @pytest.mark.parametrize("limit", range(100, 9000, 890))
    def test_what_was_asked_for(self, limit):
        """A sample that is to prove something agrees where all of it was seen, and nowhere else."""

        def asked(**limits):
            return fastgrad.check_gradient(
                sines, np.cos, self.X, wrong_fraction=0.01, engine="python", **limits
            )

        whole, report = asked(), asked(max_evaluations=limit)
        enough = report.coverage.guarantee.fraction <= whole.coverage.guarantee.fraction
        assert report.verdict == "agree" or report.doubt.startswith("budget: ")
        assert enough or report.verdict == "undecided"
        assert report.verdict == "agree" or limit < 3000

    @pytest.mark.parametrize("budget", np.linspace(0.3, 4, 300)[274:282])  # one batch lacks in two of these
    def test_seconds_of_what_was_asked_for(self, clock, budget):
        """The same where seconds end it between two batches."""
        rng = np.random.default_rng(0)

        def slow(x):
            clock.now += rng.uniform(0.5e-3, 3e-3)
            return sines(x)

        report = fastgrad.check_gradient(
            slow, np.cos, self.X, wrong_fraction=0.01, budget=float(budget), engine="python"
        )
        assert report.verdict == "undecided" or report.coverage.guarantee.fraction <= 0.01

    X_OF_MANY_SIZES = 10.0 ** np.random.default_rng(0).uniform(-3, 3, 3000)

    @pytest.mark.parametrize("limit", range(400, 1500, 61))
    def test_later_stages(self, limit):
        """Where many coordinates take several looks the verdict does not depend on the evaluations either."""
        report = fastgrad.check_gradient(
            lambda x: float(np.sum(np.sin(x) / x)),
            lambda x: np.cos(x) / x - np.sin(x) / x**2,
            self.X_OF_MANY_SIZES,
            max_evaluations=limit,
            engine="python",
        )
        assert (report.verdict == "agree") == (report.coverage.checked >= 64)
        assert report.verdict == "agree" or limit < 700
        assert not report.undecided
        assert report.evaluations >= 0.9 * limit


class TestSeconds:
    @pytest.mark.parametrize("asked", ["all", "auto", "half"])
    @pytest.mark.parametrize("each", [0.01, 0.3, 1.0])
    def test_kept_and_used(self, clock, asked, each):
        """By a clock that the cost moves, a budget of seconds is kept to within a tenth, and used."""

        def slow(x):
            clock.now += each
            return sines(x)

        x = np.random.default_rng(0).normal(size=5000)
        began = clock.now
        report = fastgrad.check_gradient(
            slow, np.cos(x), x, coordinates=coordinates_of(asked, 5000), budget=300 * each, engine="python"
        )
        assert report.seconds == pytest.approx(clock.now - began)
        assert clock.now - began <= 1.1 * 300 * each
        assert clock.now - began >= 0.85 * 300 * each
        assert report.verdict == "undecided" or report.coverage.checked > 0
        assert report.coverage.checked < 300

    def test_a_cost_that_gets_slower(self, clock):
        """A cost that takes ten times as long as it seemed is stopped in time all the same."""
        calls = [0]

        def slow(x):
            calls[0] += 1
            clock.now += 0.01 if calls[0] < 50 else 0.1
            return sines(x)

        x = np.random.default_rng(0).normal(size=3000)
        began = clock.now
        report = fastgrad.check_gradient(slow, np.cos(x), x, coordinates="all", budget=60.0, engine="python")
        assert clock.now - began <= 66
        assert report.stopped == "the 60 seconds of the budget are over"
        assert report.verdict == "undecided"
        assert report.coverage.planned > report.coverage.checked
        assert report.doubt == "budget: the 60 seconds of the budget are over"

    def test_enough(self, clock):
        """A check that ends within its budget says nothing of it."""

        def slow(x):
            clock.now += 0.001
            return sines(x)

        x = np.linspace(-1, 1, 40)
        report = fastgrad.check_gradient(slow, np.cos(x), x, budget=60.0)
        assert (report.verdict, report.stopped, report.doubt) == ("agree", "", "")


class TestInterrupted:
    @pytest.mark.parametrize("vectorized", [False, True])
    @pytest.mark.parametrize("at", [5, 20, 37, 61, 100, 240, 500])
    def test_ctrl_c(self, at, vectorized):
        """Ctrl-C at any evaluation gives a report of what was known; the parameters stay as they were."""
        calls = [0]

        def cost(x):
            calls[0] += 1
            if calls[0] == at:
                raise KeyboardInterrupt
            return waves_batch(x) if vectorized else sines(x)

        x = np.random.default_rng(0).normal(size=300)
        kept = x.copy()
        at = min(at, 9) if vectorized else at
        plainly = {"vectorized": True} if vectorized else {"engine": "python"}
        report = fastgrad.check_gradient(cost, np.cos(x), x, coordinates="all", **plainly)
        assert (report.verdict, report.stopped) == ("undecided", INTERRUPTED)
        assert "interrupted" in str(report)
        assert json.loads(report.to_json())["stopped"] == "interrupted"
        assert vectorized or report.evaluations < calls[0]
        assert np.array_equal(x, kept)

    @pytest.mark.parametrize("at", [100, 200, 300, 500])
    def test_ctrl_c_of_a_strategy(self, at):
        """Probes, subset and search end alike."""
        calls = [0]

        def cost(x):
            calls[0] += 1
            if calls[0] == at:
                raise KeyboardInterrupt
            return sines(x)

        x = np.random.default_rng(0).normal(size=3000)
        g = np.cos(x)
        g[1234] += 0.5
        report = fastgrad.check_gradient(cost, g, x, wrong_fraction=0.05, probes=20, engine="python")
        assert report.stopped == INTERRUPTED
        assert report.verdict == ("undecided" if not report.wrong else "disagree")
        assert calls[0] == at
        json.loads(report.to_json())

    def test_wrong_ones_that_were_found_count(self):
        """What was found wrong before Ctrl-C is reported."""
        calls = [0]

        def cost(x):
            calls[0] += 1
            if calls[0] == 1500:
                raise KeyboardInterrupt
            return sines(x)

        x = np.random.default_rng(0).normal(size=500)
        report = fastgrad.check_gradient(cost, spoiled(np.cos, "one"), x, coordinates="all", engine="python")
        assert (report.verdict, len(report.wrong)) in {("disagree", 1), ("undecided", 0)}


def test_budgets_are_chosen():
    """What is kept back and the longest chunk together stay below a tenth."""
    assert budget.KEPT_BACK + budget.SHARE_OF_A_CHUNK < 0.1

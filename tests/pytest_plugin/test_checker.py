"""The two fixtures, called as a test calls them."""

from __future__ import annotations

import inspect
from types import SimpleNamespace

import numpy as np
import pytest

import fastgrad
from fastgrad.execution.budget import INTERRUPTED
from fastgrad.pytest_plugin.checker import Checker, GradientChecker, fits

X = np.array([0.5, 1.5])


def cost(x):
    """A smooth cost."""
    return float(np.sum(np.sin(x)))


def checker(**options):
    """A Checker, and the properties of its test."""
    node = SimpleNamespace(nodeid="test_it.py::test_it", user_properties=[])
    settings = SimpleNamespace(
        options={"progress": False, **options}, folder=None, worker="", full_trace=False
    )
    return Checker(node, settings), node.user_properties


class TestGradientChecker:
    def test_signature(self):
        """It takes what fastgrad.check_gradient takes, and says so."""
        assert inspect.signature(GradientChecker(checker()[0])) == inspect.signature(fastgrad.check_gradient)

    def test_report(self):
        """A gradient that agrees gives its report, which is kept."""
        check_gradient = GradientChecker(checker()[0])
        report = check_gradient(lambda x, a: a * cost(x), lambda x, a: a * np.cos(x), X, args=(2.0,))
        assert report.passed
        assert check_gradient.reports == [report]
        assert repr(check_gradient) == "<check_gradient, checks so far: 1>"

    @pytest.mark.parametrize("error", [1e-3, np.array([0.0, 1e-3])])
    def test_the_wrong_twin(self, error):
        """A wrong one raises, with a headline first; its report is kept as well, and among the properties."""
        checks, properties = checker()
        with pytest.raises(fastgrad.GradientError, match=r"^DISAGREE: ") as caught:
            GradientChecker(checks)(cost, lambda x: np.cos(x) + error, X)
        assert checks.reports == [caught.value.report]
        assert ("fastgrad.verdict", "disagree") in properties


class TestChecker:
    def test_problem(self):
        """A Problem is checked by the options of the run, and by those of the call where it has some."""
        checks, _ = checker(seed=5)
        problem = fastgrad.Problem(cost, np.cos, X)
        assert checks(problem).seed == 5
        assert checks(problem, seed=6).seed == 6
        assert len(checks.reports) == 2

    def test_any_function(self):
        """A function that returns a report is called with what it names, also of options of the run."""

        def check_mine(which, scale=1.0, seed=0):
            return fastgrad.check_gradient(cost, lambda x: scale * np.cos(x), which, seed=seed)

        checks, _ = checker(seed=5)
        assert checks(check_mine, X).seed == 5
        assert checks(check_mine, X, 1.0, 7).seed == 7
        with pytest.raises(fastgrad.GradientError):
            checks(check_mine, X, scale=1.1)

    def test_a_function_without_signature(self):
        """What does not say what it takes gets what it is given."""
        with pytest.raises(fastgrad.InputError, match=r"what came back is of type int \[FG920\]$"):
            checker(seed=5)[0](max, 1, 2)

    def test_no_report(self):
        """What returns no report is refused, with what is expected."""
        checks, properties = checker()
        with pytest.raises(
            fastgrad.InputError, match="fastgrad_check takes a Problem, or a function"
        ) as caught:
            checks(lambda: None)
        assert "of type NoneType" in str(caught.value)
        assert (checks.reports, properties) == ([], [])

    def test_interrupted(self):
        """A check that Ctrl-C ended raises KeyboardInterrupt: pytest goes on to no other test."""

        def interrupted():
            report = fastgrad.check_gradient(cost, np.cos, X)
            object.__setattr__(report, "stopped", INTERRUPTED)
            return report

        checks, properties = checker()
        with pytest.raises(KeyboardInterrupt, match="AGREE"):
            checks(interrupted)
        assert len(checks.reports) == 1
        assert properties


def test_fits():
    """Whether a function takes some arguments: one that does not say is given the benefit of the doubt."""
    assert fits(cost, (X,), {})
    assert not fits(cost, (), {})
    assert not fits(fastgrad.check_gradient, (cost, np.cos, X), {"tolerence": 1})
    assert fits(max, (), {"anything": 1})

"""Evaluations that gave no finite value, once or often, are said in the report."""

from __future__ import annotations

import numpy as np
import pytest

import fastgrad

X = np.linspace(0.3, 1.7, 5)


def raising_at(number, error):
    """A cost that raises at one evaluation, and never again."""
    made = []

    def cost(x):
        made.append(1)
        if len(made) == number:
            raise error
        return float(np.sum(np.sin(x)))

    return cost


@pytest.mark.parametrize("number", [4, 20, 31, 45, 60])
@pytest.mark.parametrize("kind", [ZeroDivisionError, ValueError, np.linalg.LinAlgError])
def test_an_exception_that_comes_once(number, kind):
    """An exception at one perturbed point, which is left out, is in the report with what it said."""
    error = kind("once")
    report = fastgrad.check_gradient(raising_at(number, error), np.cos, X)
    assert report.verdict == "agree"
    (note,) = (note for note in report.notes if "no finite value" in note)
    assert note == (
        f"1 evaluation of {report.evaluations} gave no finite value, because the cost raised "
        f"{type(error).__name__}: once: derivatives come from the others"
    )
    found = fastgrad.numerical_gradient(raising_at(number, error), X)
    assert any("1 evaluation of " in note and "once" in note for note in found.notes)


def test_at_the_first_call():
    """An exception at the first call of all, before the cost is examined, is in the report too."""
    report = fastgrad.check_gradient(raising_at(1, ZeroDivisionError("once")), np.cos, X)
    assert report.verdict == "agree"
    assert (
        "the cost raised ZeroDivisionError: once when it was first called at the parameters" in report.notes
    )


def test_in_threads():
    """What is raised in a thread is said as well."""
    report = fastgrad.check_gradient(
        raising_at(40, ZeroDivisionError("once")), np.cos, X, n_jobs=2, backend="threading"
    )
    assert any("because the cost raised ZeroDivisionError: once" in note for note in report.notes)


def test_values_that_are_not_finite():
    """A cost that returns NaN raises nothing, and they are counted."""
    made = []

    def cost(x):
        made.append(1)
        return float("nan") if len(made) in (20, 21) else float(np.sum(np.sin(x)))

    report = fastgrad.check_gradient(cost, np.cos, X)
    assert any(
        note
        == f"2 evaluations of {report.evaluations} gave no finite value: derivatives come from the others"
        for note in report.notes
    )


def test_nothing_is_said_of_others():
    """Where every evaluation has a value there is no such note."""
    report = fastgrad.check_gradient(lambda x: float(np.sum(np.sin(x))), np.cos, X)
    assert not any("finite" in note for note in report.notes)

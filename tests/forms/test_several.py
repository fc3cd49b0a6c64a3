"""Several checks of one call, made one after the other."""

from __future__ import annotations

import numpy as np
import pytest

import fastgrad
from fastgrad.errors import InputError
from fastgrad.forms.bounds import Box
from fastgrad.forms.several import Checks, free_coordinates, named_places


def good(options):
    """A check that passes."""
    return fastgrad.check_gradient(lambda x: x**2, lambda x: 2 * x, 3.0, **options)


class TestMake:
    def test_order_and_notes(self):
        """Reports come in the order of the checks; a sentence said twice stands there once."""
        checks = Checks()
        for name in ("b", "a"):
            checks.add(name, good)
            checks.note("a note")
            checks.could_not("a thing")
        reports = checks.make({})
        assert list(reports.reports) == ["b", "a"]
        assert (reports.notes, reports.unchecked, reports.verdict) == (("a note",), ("a thing",), "undecided")

    def test_options_reach_each_check(self):
        """Options are those of every check."""
        checks = Checks({"a": good, "b": good})
        assert {r.seed for r in checks.make({"seed": 5}).reports.values()} == {5}

    def test_the_budget_is_shared(self):
        """Each check gets its share of the seconds that are left."""
        given = []

        def keeps(options):
            given.append(options["budget"])
            return good(options)

        Checks(dict.fromkeys("abc", keeps)).make({"budget": 60.0})
        assert 19 < given[0] <= 20
        assert given[0] < given[1] < given[2] <= 60

    def test_a_refusal_says_which_check(self):
        """What a check cannot take is said with its name in front."""
        checks = Checks({"jac at x0": lambda options: fastgrad.check_gradient(3, None, 1.0)})
        with pytest.raises(InputError, match=r"^jac at x0: the cost must be callable"):
            checks.make({})

    def test_nothing_to_check(self):
        """Without a check there is no verdict, and the notes say why."""
        checks = Checks()
        checks.note("jac is '2-point'")
        with pytest.raises(InputError, match="no derivative to check in this call: jac is '2-point'"):
            checks.make({})


def test_free_coordinates():
    """Fixed coordinates are left out, unless the user named the coordinates."""
    box, checks = Box.of_minimize([(0, 1), (2, 2)], 2), Checks()
    assert free_coordinates({}, box, checks)["coordinates"].tolist() == [0]
    assert checks.notes == ["the bounds fix x0[1]: derivatives in what is fixed are not checked"]
    assert free_coordinates({"coordinates": [1]}, box, checks) == {"coordinates": [1]}
    assert free_coordinates({"seed": 1}, Box.of_minimize(None, 2), checks) == {"seed": 1}


def test_named_places():
    """Points are counted from 1; fewer than were wanted are a note."""
    checks = Checks()
    assert [name for name, _ in named_places(np.ones(1), [np.ones(1)], 2, checks)] == ["x0", "point 1"]
    assert checks.notes == ["1 of 2 random points were found at which all is feasible and finite"]

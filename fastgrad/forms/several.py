"""Several checks of one call: they are collected by name, then made one after the other."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy.typing as npt

from fastgrad.errors import InputError
from fastgrad.forms.bounds import Box
from fastgrad.problem.describe import joined_names
from fastgrad.report.report import Report
from fastgrad.report.reports import Reports

Check = Callable[[dict[str, Any]], Report]
"""check(options) -> Report"""


@dataclass
class Checks:
    """Checks to be made, and what is to be said beside them.

    Examples
    --------
    >>> from fastgrad.checks import check_gradient
    >>> checks = Checks()
    >>> checks.add("jac", lambda given: check_gradient(lambda x: x**2, lambda x: 2 * x, 3.0, **given))
    >>> checks.make({}).verdict
    'agree'
    """

    to_make: dict[str, Check] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    unchecked: list[str] = field(default_factory=list)

    def add(self, name: str, check: Check) -> None:
        """Add a check, by what it checks and where."""
        self.to_make[name] = check

    def note(self, sentence: str) -> None:
        """Say what there is nothing to check of; the same sentence once."""
        if sentence not in self.notes:
            self.notes.append(sentence)

    def could_not(self, sentence: str) -> None:
        """Say what was given and cannot be checked; the same sentence once."""
        if sentence not in self.unchecked:
            self.unchecked.append(sentence)

    def make(self, options: Mapping[str, Any]) -> Reports:
        """The reports of all checks; a budget in seconds is shared out, what one leaves goes to the others.

        Raises
        ------
        InputError
            For checkpoint=, which keeps one check; where there is nothing to check; and from a check, with
            its name in front.
        """
        if options.get("checkpoint") is not None:
            raise InputError(
                "checkpoint= keeps a single check, and here are several: leave it out", code="FG720"
            )
        if not self.to_make and not self.unchecked:
            said = f": {'; '.join(self.notes)}" if self.notes else ""
            raise InputError(
                f"there is no derivative to check in this call{said}. Give jac= as a function", code="FG721"
            )
        budget, began = options.get("budget"), time.perf_counter()
        reports: dict[str, Report] = {}
        for name, check in self.to_make.items():
            own = dict(options)
            if budget is not None:
                left = float(budget) - (time.perf_counter() - began)
                own["budget"] = max(left / (len(self.to_make) - len(reports)), SHORTEST)
            reports[name] = _named(name, check, own)
        return Reports(reports, tuple(self.notes), tuple(self.unchecked))


SHORTEST = 1e-3
"""Seconds that a check gets of a budget that is spent: enough to say that nothing is known."""


def _named(name: str, check: Check, options: dict[str, Any]) -> Report:
    try:
        return check(options)
    except InputError as error:
        raise InputError(f"{name}: {error.message}", *error.args[1:], code=error.code) from error


def free_coordinates(options: Mapping[str, Any], box: Box, checks: Checks) -> dict[str, Any]:
    """The options of all checks: coordinates that the bounds fix are left out.

    Raises
    ------
    InputError
        Where the bounds fix all of them.
    """
    found = dict(options)
    asked = found.get("coordinates", "auto")
    if len(box.fixed) and isinstance(asked, str):
        if not len(box.free):
            raise InputError("the bounds fix all entries of x0: there is nothing to check", code="FG712")
        shown = joined_names([f"x0[{k}]" for k in box.fixed])
        checks.note(f"the bounds fix {shown}: derivatives in what is fixed are not checked")
        found["coordinates"] = box.free
    return found


def named_places(
    x0: npt.NDArray[Any], points: Sequence[npt.NDArray[Any]], wanted: int, checks: Checks
) -> list[tuple[str, npt.NDArray[Any]]]:
    """x0 and random points, by what they are called; a note where there are fewer than were wanted."""
    if len(points) < wanted:
        checks.note(f"{len(points)} of {wanted} random points were found at which all is feasible and finite")
    return [("x0", x0), *((f"point {k}", x) for k, x in enumerate(points, 1))]

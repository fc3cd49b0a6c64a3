"""A check within a test: it has the options of the run, its report is kept, and it fails unless it agrees."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, Unpack

import pytest

from fastgrad.checks import asserted, check, check_gradient
from fastgrad.errors import InputError
from fastgrad.options import CheckOptions, takes_options
from fastgrad.problem.problem import Problem
from fastgrad.pytest_plugin.files import file_stem, write_report
from fastgrad.pytest_plugin.frames import hide_own_frames
from fastgrad.pytest_plugin.properties import Check, as_properties, next_number
from fastgrad.pytest_plugin.settings import Settings
from fastgrad.report.report import GradientError, Report


class Checker:
    """The fixture `fastgrad_check`: any check, with an assertion.

    Parameters
    ----------
    node : the test
    settings : what is asked of all checks of the run

    Attributes
    ----------
    reports : of the checks of this test so far, in order
    """

    def __init__(self, node: pytest.Item, settings: Settings) -> None:
        self._node, self._settings = node, settings
        self.reports: list[Report] = []

    def __repr__(self) -> str:
        return f"<fastgrad_check, checks so far: {len(self.reports)}>"

    def __call__(self, what: Problem | Callable[..., Report], /, *args: Any, **options: Any) -> Report:
        """Check a Problem, or call a function that returns a Report, and fail unless it agrees.

        Parameters
        ----------
        what : a Problem, or a function such as fastgrad.check_gradient
        args : of the function
        options : of the check; a function gets budget, seed and progress of the run if it names them

        Raises
        ------
        GradientError
            When the verdict is "disagree" or "undecided".
        KeyboardInterrupt
            When Ctrl-C was pressed during the check.
        InputError
            When the problem cannot be checked as it was given, or what came back is no Report.
        """
        __tracebackhide__ = True
        function, args = (check, (what, *args)) if isinstance(what, Problem) else (what, args)
        options = self._of_the_run(function, args, options) | options
        try:
            return asserted(self._kept(function(*args, **options)))
        except Exception as error:
            if isinstance(error, GradientError):
                error.args = (str(error.report),)  # pytest's short summary shows the first line of this
            if not self._settings.full_trace:
                hide_own_frames(error, fits(function, args, options))
            raise

    def let_go(self) -> None:
        """Hold on to nothing that the tests' functions and data are in: who keeps a report keeps no model."""
        for report in self.reports:
            if report.revisit is not None:
                report.revisit.let_go()

    def _of_the_run(
        self, function: Callable[..., Report], args: tuple[Any, ...], options: dict[str, Any]
    ) -> dict[str, Any]:
        """What flags and ini file say, as far as the function has names for it and the call does not say."""
        try:
            signature = inspect.signature(function)
            given = signature.bind_partial(*args, **options).arguments
        except (TypeError, ValueError):
            return {}
        return {
            name: value
            for name, value in self._settings.options.items()
            if name in signature.parameters and name not in given
        }

    def _kept(self, report: Report) -> Report:
        """The report; it is now in the list, among the properties of the test, and in the folder."""
        if not isinstance(report, Report):
            raise InputError(
                "fastgrad_check takes a Problem, or a function that returns a fastgrad.Report with its "
                f"arguments; what came back is of type {type(report).__name__}",
                code="FG920",
            )
        self.reports.append(report)
        properties, settings = self._node.user_properties, self._settings
        number, not_written = next_number(properties), ""
        if settings.folder is not None:
            stem = file_stem(self._node.nodeid, number, settings.worker)
            not_written = write_report(report, settings.folder, stem, self._node.nodeid)
        properties += as_properties(Check.of(report, not_written), number)
        return report


class GradientChecker:
    """The fixture `check_gradient`: fastgrad.check_gradient, with an assertion.

    Parameters
    ----------
    checker : of the same test
    """

    def __init__(self, checker: Checker) -> None:
        self._checker = checker

    def __repr__(self) -> str:
        return f"<check_gradient, checks so far: {len(self.reports)}>"

    @property
    def reports(self) -> list[Report]:
        """Of the checks of this test so far, in order."""
        return self._checker.reports

    @takes_options
    def __call__(
        self,
        cost: Callable[..., Any],
        gradient: Any,
        params: Any,
        *,
        args: tuple[Any, ...] = (),
        **options: Unpack[CheckOptions],
    ) -> Report:
        """Check a gradient, and fail unless it agrees.

        Parameters
        ----------
        cost, gradient, params, args : as for fastgrad.check_gradient
        options : each a keyword of its own

        Returns
        -------
        Report
            The report, when the verdict is "agree".

        Raises
        ------
        GradientError
            When the verdict is "disagree" or "undecided".
        KeyboardInterrupt
            When Ctrl-C was pressed during the check.
        InputError
            When the problem cannot be checked as it was given; the message says what to try.
        """
        __tracebackhide__ = True
        return self._checker(check_gradient, cost, gradient, params, args=args, **options)


def fits(function: Callable[..., Any], args: tuple[Any, ...], options: dict[str, Any]) -> bool:
    """Whether a function can be called with these arguments.

    Examples
    --------
    >>> fits(len, ([],), {}), fits(len, (), {"tolerence": 1})
    (True, False)
    """
    try:
        inspect.signature(function).bind(*args, **options)
    except TypeError:
        return False
    except ValueError:  # a function that does not say what it takes
        return True
    return True

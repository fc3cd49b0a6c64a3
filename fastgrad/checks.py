"""check_gradient, numerical_gradient and their kin: problem -> plan -> values -> verdict -> report."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TypeVar, Unpack

from fastgrad.arrays import IndexArray
from fastgrad.coordinates.engines import Engines, vetted_engines
from fastgrad.coordinates.measurement import Coordinates
from fastgrad.engines.numbers import AnotherCostError, PairReturnedError
from fastgrad.errors import InputError
from fastgrad.execution.budget import INTERRUPTED
from fastgrad.execution.identity import first_look, open_checkpoint
from fastgrad.execution.run import Run
from fastgrad.options import CheckOptions, require_no_claim_options, takes_options
from fastgrad.preflight.gradient import vetted_gradient
from fastgrad.preflight.looks import Looks
from fastgrad.preflight.pairs import FIRST_TAKEN, with_loss_alone
from fastgrad.problem.arguments import args_unchanged
from fastgrad.problem.calls import calls_explained
from fastgrad.problem.problem import Problem
from fastgrad.problem.structure import flatten_alike
from fastgrad.report.build import build_report
from fastgrad.report.numerical import NumericalGradient
from fastgrad.report.report import Report
from fastgrad.specification import Specification
from fastgrad.strategy.ask_closer import ask_closer
from fastgrad.strategy.ask_directions import ask_directions
from fastgrad.strategy.ask_witnesses import ask_complex_step, ask_path_integral
from fastgrad.strategy.run import choose, measure_choice
from fastgrad.verdict.classic import relative_error as _relative_error


@takes_options
def check_gradient(
    cost: Callable[..., Any],
    gradient: Any,
    params: Any,
    *,
    args: tuple[Any, ...] = (),
    **options: Unpack[CheckOptions],
) -> Report:
    """Check a claimed gradient against finite differences of the cost.

    Parameters
    ----------
    cost : callable(params, *args) -> float
    gradient : callable(params, *args) -> same structure as params, or such a structure of values; True for a
        cost that returns (loss, gradient)
    params : array of any shape | dict | list | tuple | nestings of them, float32 or float64 leaves, of NumPy,
        torch, jax, pandas or xarray, or Python's own numbers; they are only read. Cost and gradient get the
        same kinds (docs/usage.md)
    args : whatever else cost and gradient take, as a tuple
    options : each a keyword of its own

    Returns
    -------
    Report

    Raises
    ------
    InputError
        When the problem cannot be checked as it was given; the message says what to try.

    Examples
    --------
    >>> import numpy as np
    >>> import fastgrad
    >>> x = np.array([0.5, -1.0, 2.0])
    >>> report = fastgrad.check_gradient(lambda x: np.sum(x**2), lambda x: 2 * x, x)
    >>> report.verdict
    'agree'
    >>> wrong = fastgrad.check_gradient(lambda x: np.sum(x**2), lambda x: 2 * x + [0, 0.01, 0], x)
    >>> wrong.verdict, wrong.wrong[0].label
    ('disagree', 'params[1]')
    """
    return check(Problem(cost, gradient, params, args), **options)


@takes_options
def check(problem: Problem, **options: Unpack[CheckOptions]) -> Report:
    """Check a Problem; the options are those of check_gradient.

    Parameters
    ----------
    problem : Problem
    options : each a keyword of its own

    Raises
    ------
    InputError
        When the problem cannot be checked as it was given; the message says what to try.

    Examples
    --------
    >>> import fastgrad
    >>> problem = fastgrad.Problem(lambda p: p["a"] ** 2, lambda p: {"a": 2 * p["a"]}, {"a": 3.0})
    >>> fastgrad.check(problem).passed
    True
    """
    if not isinstance(problem, Problem):
        raise InputError(
            f"check takes a Problem; got {type(problem).__name__}. For functions there is "
            "check_gradient(cost, gradient, params)",
            code="FG130",
        )
    if problem.gradient is None:
        raise InputError("there is no gradient to check: use numerical_gradient, or give one", code="FG131")
    return _recorded_or_plain(_checked, problem, dict(options))


_Found = TypeVar("_Found")


def _recorded_or_plain(
    measure: Callable[[Problem, dict[str, Any], str], _Found],
    problem: Problem,
    options: dict[str, Any],
) -> _Found:
    """What is found, from the start by the plain engine where a recorded cost turns out to be another one."""
    with calls_explained(problem.args, cost=problem.cost, gradient=problem.gradient):
        try:
            return measure(problem, options, "")
        except AnotherCostError as error:
            if options.get("engine", "auto") != "auto":
                raise
            because = f"{error.message}; so all was evaluated anew by calls of the cost"
            return measure(problem, options, because)


def _checked(problem: Problem, options: dict[str, Any], plain_because: str) -> Report:
    began = time.perf_counter()
    spec = Specification.of(problem, options)
    with Run.of(spec.options, began, plain_because) as run:
        run.expect_report_of(len(spec.parameters.blocks))
        untouched, looks = first_look(spec), Looks(run)
        spec, claim = vetted_gradient(spec, looks)
        choice = choose(spec, claim)
        run.keep_in(open_checkpoint(spec, claim, untouched))
        spec, engines = _engines_of(spec, run, choice.for_engine, looks)
        coordinates = Coordinates(spec, engines, run, claim)
        with args_unchanged(engines.in_reals.engine.args, "cost", run.note):
            outcome = measure_choice(coordinates, choice)
            second = _second_look(coordinates)
            complex_step = ask_complex_step(coordinates)
            found = coordinates.result()
        path_integral = ask_path_integral(spec, engines, run, found, outcome, coordinates.z)
        claim.require_unchanged()
    if run.spent:
        run.charge("witnesses")
    said = tuple(sentence for sentence in (second, complex_step, path_integral) if sentence)
    return build_report(spec, engines, found, outcome, run, said)


def _engines_of(
    spec: Specification, run: Run, indices: IndexArray, looks: Looks
) -> tuple[Specification, Engines]:
    """The engines of a check; where the cost is seen to return (loss, gradient), those of the loss alone."""
    try:
        return spec, vetted_engines(spec, run, indices, looks)
    except PairReturnedError as error:
        spec = with_loss_alone(spec, error)
        run.note(FIRST_TAKEN)
        return spec, vetted_engines(spec, run, indices, looks)


def _second_look(coordinates: Coordinates) -> str:
    """Whether the differences hold at far smaller steps; a sentence for the report."""
    if coordinates.engines.engine.moves_together:
        return ask_closer(coordinates)
    return ask_directions(coordinates).sentence


@takes_options
def assert_gradient(
    cost: Callable[..., Any],
    gradient: Any,
    params: Any,
    *,
    args: tuple[Any, ...] = (),
    **options: Unpack[CheckOptions],
) -> Report:
    """Check a gradient and raise GradientError, with the report's text, unless it agrees.

    Parameters
    ----------
    cost, gradient, params, args : as for check_gradient
    options : each a keyword of its own

    Returns
    -------
    Report
        The report, when the verdict is "agree".

    Raises
    ------
    GradientError
        An AssertionError, when the verdict is "disagree" or "undecided"; its `.report` has the details.
    KeyboardInterrupt
        When Ctrl-C was pressed during the check, with the report of what is known.

    Examples
    --------
    >>> import numpy as np
    >>> import fastgrad
    >>> fastgrad.assert_gradient(lambda x: np.sum(np.sin(x)), np.cos, np.arange(4.0)).passed
    True
    """
    __tracebackhide__ = True  # pytest shows the line that called this one, and the report
    return asserted(check_gradient(cost, gradient, params, args=args, **options))


def asserted(report: Report) -> Report:
    """The report, unless it ends a test: one that does not agree, or a check that Ctrl-C ended.

    Parameters
    ----------
    report : Report

    Raises
    ------
    GradientError, KeyboardInterrupt
        As assert_gradient does.
    """
    __tracebackhide__ = True
    if report.stopped == INTERRUPTED:  # a test run is to end, not to go on with the next test
        raise KeyboardInterrupt(str(report))
    report.raise_if_failed()
    return report


@takes_options
def numerical_gradient(
    cost: Callable[..., Any], params: Any, *, args: tuple[Any, ...] = (), **options: Unpack[CheckOptions]
) -> NumericalGradient:
    """The gradient of a cost by finite differences, with a bound on the error of each entry.

    Parameters
    ----------
    cost, params, args : as for check_gradient
    options : each a keyword of its own, but tolerance, probes, wrong_fraction and draw="importance"

    Returns
    -------
    NumericalGradient
        `.values` and `.error_bound` as float64 arrays in the structure of params, with its labels where it
        has some. Entries left out by coordinates=, or that no difference could find, are NaN with an error
        bound of inf.

    Raises
    ------
    InputError
        For an option that is about a claimed gradient, and when the cost cannot be differenced.

    Examples
    --------
    >>> import numpy as np
    >>> import fastgrad
    >>> result = fastgrad.numerical_gradient(lambda x: np.sum(x**3), np.array([1.0, 2.0]))
    >>> np.round(result.values, 6)
    array([ 3., 12.])
    """
    return _recorded_or_plain(_differenced, Problem(cost, None, params, args), dict(options))


def _differenced(problem: Problem, options: dict[str, Any], plain_because: str) -> NumericalGradient:
    began = time.perf_counter()
    spec = Specification.of(problem, options)
    require_no_claim_options(spec.options)
    with Run.of(spec.options, began, plain_because) as run:
        choice = choose(spec, None)
        run.keep_in(open_checkpoint(spec, None, first_look(spec)))
        spec, engines = _engines_of(spec, run, choice.for_engine, Looks(run))
        coordinates = Coordinates(spec, engines, run, None)
        with args_unchanged(engines.in_reals.engine.args, "cost", run.note):
            measure_choice(coordinates, choice)
            _second_look(coordinates)
            found = coordinates.result()
    return NumericalGradient.of(spec, engines, found, run)


def relative_error(a: Any, b: Any) -> float:
    """||a - b|| / ||a + b||, the classic measure of two gradients: 0 when both are zero.

    Parameters
    ----------
    a, b : arrays, or dicts, lists and nestings of them, with as many numbers in each

    Raises
    ------
    InputError
        When they do not hold as many numbers.

    Examples
    --------
    >>> relative_error([1.0, 1.0], [1.0, 1.0 + 2e-8]) < 1e-8
    True
    >>> relative_error({"W": [0.0]}, {"W": [0.0]})
    0.0
    """
    left, right = flatten_alike(a, b)
    if left.size != right.size:
        raise InputError(
            f"relative_error compares as many numbers with as many; got {left.size} and {right.size}",
            code="FG114",
        )
    return _relative_error(left, right)

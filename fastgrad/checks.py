"""check_gradient, numerical_gradient and their kin: problem -> plan -> values -> verdict -> report."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Unpack

import numpy as np

from fastgrad.coordinates.measurement import Measurement
from fastgrad.errors import InputError
from fastgrad.execution.budget import INTERRUPTED, Budget
from fastgrad.execution.identity import open_checkpoint
from fastgrad.execution.progress import Progress
from fastgrad.execution.workers import one_blas_thread
from fastgrad.options import CheckOptions, Options, check_seed, takes_options
from fastgrad.preflight.gradient import claimed_gradient
from fastgrad.problem.arguments import args_unchanged
from fastgrad.problem.parameters import Parameters
from fastgrad.problem.problem import Problem
from fastgrad.problem.structure import flatten_alike
from fastgrad.report.build import build_report
from fastgrad.report.numerical import NumericalGradient, scatter
from fastgrad.report.report import Report
from fastgrad.strategy.ask_witnesses import path_sentence
from fastgrad.strategy.run import carry_out, coordinates_for_engine
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
    gradient : callable(params, *args) -> same structure as params, or such a structure of values
    params : array of any shape | dict | list | tuple | nestings of them, float32 or float64 leaves;
        they are only read
    args : whatever else cost and gradient take, as a tuple
    options : those of fastgrad.options.Options

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
    """Check a Problem with the options of check_gradient.

    Parameters
    ----------
    problem : Problem
    options : those of fastgrad.options.Options

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
            "check_gradient(cost, gradient, params)"
        )
    if problem.gradient is None:
        raise InputError("there is no gradient to check: use numerical_gradient, or give one")
    began = time.perf_counter()
    chosen = Options.of(options)
    check_seed(chosen.seed)
    parameters = Parameters(problem.params)
    budget, tally = Budget(chosen.budget, chosen.max_evaluations), Progress(chosen.progress)
    with one_blas_thread():
        with args_unchanged(problem.args, "gradient function"):
            pure = problem.gradient_is_networks_own
            whole = claimed_gradient(problem.gradient, parameters, problem.args, pure)
        with open_checkpoint(problem, parameters, whole, chosen) as keeper:
            m = Measurement(
                problem, parameters, chosen, coordinates_for_engine(chosen, parameters), budget, keeper
            )
            with args_unchanged(problem.args, "cost"):
                done = carry_out(m, whole, tally)
                found = m.finish()
            path = ""
            if not (found.comparison.wrong.any() or done.coverage.certificate or budget.limited):
                path = path_sentence(problem, parameters, found, chosen)
            whole.require_unchanged()
            earlier = keeper.seconds
    seconds = earlier + time.perf_counter() - began
    return build_report(problem, parameters, chosen, found, done, m, path, seconds)


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
    options : those of fastgrad.options.Options

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
    report = check_gradient(cost, gradient, params, args=args, **options)
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
    options : those of fastgrad.options.Options

    Returns
    -------
    NumericalGradient
        `.values` and `.error_bound` in float64, in the structure of params. Entries that coordinates= leaves
        out, or that no difference could find, are NaN with an error bound of inf.

    Raises
    ------
    InputError
        When the problem cannot be differentiated as it was given, and for tolerance=, probes=,
        wrong_fraction= and draw="importance", which are about a claimed gradient.

    Examples
    --------
    >>> import numpy as np
    >>> import fastgrad
    >>> result = fastgrad.numerical_gradient(lambda x: np.sum(x**3), np.array([1.0, 2.0]))
    >>> np.round(result.values, 6)
    array([ 3., 12.])
    """
    began = time.perf_counter()
    chosen = Options.of(options)
    if chosen.tolerance is not None:
        raise InputError("tolerance= compares two gradients: numerical_gradient has only one")
    parameters = Parameters(params)
    if chosen.probes or chosen.wrong_fraction or chosen.draw == "importance":
        raise InputError("probes=, wrong_fraction= and draw= are about a claimed gradient, and there is none")
    problem, budget, tally = (
        Problem(cost, None, params, args),
        Budget(chosen.budget, chosen.max_evaluations),
        (Progress(chosen.progress)),
    )
    with one_blas_thread(), open_checkpoint(problem, parameters, None, chosen) as keeper:
        m = Measurement(
            problem, parameters, chosen, coordinates_for_engine(chosen, parameters), budget, keeper
        )
        with args_unchanged(args, "cost"):
            carry_out(m, None, tally)
        found = m.finish()
    stopped = (f"stopped early: {budget.stopped}",) * bool(budget.stopped)
    return NumericalGradient(
        values=scatter(parameters, found.indices, found.estimates.numeric, np.nan),
        error_bound=scatter(parameters, found.indices, found.estimates.error_bound, np.inf),
        cost=found.start.cost,
        evaluations=found.evaluations,
        seconds=time.perf_counter() - began,
        engine=found.engine.name,
        method=chosen.method,
        n_jobs=found.n_jobs,
        notes=found.notes + stopped,
    )


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
            f"relative_error compares as many numbers with as many; got {left.size} and {right.size}"
        )
    return _relative_error(left, right)

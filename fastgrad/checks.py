"""check_gradient, numerical_gradient and their kin: problem -> plan -> values -> verdict -> report."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fastgrad.bounds import Estimates, carried, coarsest_epsilon, estimate
from fastgrad.engines.base import Engine, Values
from fastgrad.engines.choose import choose_engine
from fastgrad.errors import InputError
from fastgrad.options import Options
from fastgrad.parallel import Evaluation, choose_workers, evaluate, one_blas_thread
from fastgrad.parameters import IndexArray, Parameters, flatten_alike
from fastgrad.preflight import (
    Start,
    args_unchanged,
    check_complex_step,
    check_cost,
    claimed_gradient,
)
from fastgrad.problem import Problem
from fastgrad.progress import announced, progress_bar
from fastgrad.report import Report
from fastgrad.report.build import (
    NonFinite,
    build_arrays,
    build_blocks,
    build_findings,
    overall_relative_error,
)
from fastgrad.sampling import choose_coordinates
from fastgrad.stencils import CENTRAL, find_stencil
from fastgrad.steps import Plan, StepOption, make_plan
from fastgrad.verdict import compare
from fastgrad.verdict import relative_error as _relative_error


def check_gradient(
    cost: Callable[..., Any],
    gradient: Any,
    params: Any,
    *,
    args: tuple[Any, ...] = (),
    coordinates: Any = "auto",
    seed: int = 0,
    method: str = "central",
    step: StepOption = None,
    perturb: str = "parameters",
    engine: str = "auto",
    vectorized: bool = False,
    n_jobs: int | None = None,
    backend: Any = None,
    tolerance: float | None = None,
    progress: bool | None = None,
) -> Report:
    """Check a claimed gradient against finite differences of the cost.

    Parameters
    ----------
    cost : callable(params, *args) -> float
    gradient : callable(params, *args) -> same structure as params, or such a structure of values
    params : array of any shape | dict | list | tuple | nestings of them, float32 or float64 leaves;
        they are only read
    args : whatever else cost and gradient take, as a tuple
    coordinates : "auto" or "all" for every coordinate, an int for a random subset of that size (at least
        some from each block), or an array of flat indices
    seed : of every random choice
    method : "forward", "central", "central4", "central6" or "complex"
    step : None for the default of each block; a float, or floats by block name, in units of the parameter
    perturb : "parameters"; for a Network also "nodes", the pre-activations of its Dense layers, from which
        the derivatives of their weights follow, or "auto", whichever takes less work for each layer
    engine : "auto", "python", "compiled" (a Numba cost), "batched" (a vectorized one) or "network"
    vectorized : whether cost takes a batch, each array with a leading axis k, and returns shape (k,)
    n_jobs, backend : as joblib.Parallel takes them; None is what joblib.parallel_config says, else one
        worker. Naming backend="threading" for a plain Python cost says that it is safe in threads
    tolerance : a fixed relative tolerance instead of the error bounds
    progress : True or False for a progress bar on stderr; None for one on a terminal only

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
    return check(
        Problem(cost, gradient, params, args),
        coordinates=coordinates,
        seed=seed,
        method=method,
        step=step,
        perturb=perturb,
        engine=engine,
        vectorized=vectorized,
        n_jobs=n_jobs,
        backend=backend,
        tolerance=tolerance,
        progress=progress,
    )


def check(problem: Problem, **options: Any) -> Report:
    """Check a Problem; the options are those of check_gradient.

    Parameters
    ----------
    problem : Problem
    options : the keywords of check_gradient, other than args

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
    parameters = Parameters(problem.params)
    indices, coverage = choose_coordinates(chosen.coordinates, parameters, chosen.seed)
    with one_blas_thread():
        with args_unchanged(problem.args, "gradient function"):
            claimed = claimed_gradient(problem.gradient, parameters, problem.args, indices)
        found = _difference(problem, parameters, indices, chosen)
    comparison = compare(claimed, found.estimates, indices, parameters, chosen.tolerance)
    arrays = build_arrays(parameters, indices, claimed, found.estimates, comparison, found.nonfinite)
    wrong, undecided = build_findings(parameters, arrays, comparison)
    return Report(
        verdict=comparison.verdict,
        relative_error=overall_relative_error(arrays),
        wrong=wrong,
        undecided=undecided,
        blocks=build_blocks(parameters, arrays, comparison),
        coverage=coverage,
        indices=arrays.indices,
        claimed=arrays.claimed,
        numeric=arrays.numeric,
        error_bound=arrays.error_bound,
        cost=found.start.cost,
        evaluations=found.evaluations,
        seconds=time.perf_counter() - began,
        engine=found.engine.name,
        method=chosen.method,
        n_jobs=found.run.n_jobs,
        seed=chosen.seed,
        perturbed=found.engine.space.sentence,
        rule=comparison.rule,
        notes=found.engine.notes + found.run.notes,
    )


def assert_gradient(
    cost: Callable[..., Any],
    gradient: Any,
    params: Any,
    *,
    args: tuple[Any, ...] = (),
    **options: Any,
) -> Report:
    """Check a gradient and raise GradientError, with the report's text, unless it agrees.

    Parameters
    ----------
    cost, gradient, params, args : as for check_gradient
    options : the other options of check_gradient

    Returns
    -------
    Report
        The report, when the verdict is "agree".

    Raises
    ------
    GradientError
        An AssertionError, when the verdict is "disagree" or "undecided"; its `.report` has the details.

    Examples
    --------
    >>> import numpy as np
    >>> import fastgrad
    >>> fastgrad.assert_gradient(lambda x: np.sum(np.sin(x)), np.cos, np.arange(4.0)).passed
    True
    """
    report = check_gradient(cost, gradient, params, args=args, **options)
    report.raise_if_failed()
    return report


@dataclass(frozen=True, eq=False)
class NumericalGradient:
    """A numerical gradient: values and error bounds in the structure of the parameters.

    Examples
    --------
    >>> import fastgrad
    >>> found = fastgrad.numerical_gradient(lambda p: p["a"] ** 2, {"a": 3.0})
    >>> round(float(found.values["a"]), 6), bool(found.error_bound["a"] < 1e-6)
    (6.0, True)
    """

    values: Any
    error_bound: Any
    cost: float
    evaluations: int
    seconds: float
    engine: str
    method: str
    n_jobs: int
    notes: tuple[str, ...] = ()


def numerical_gradient(
    cost: Callable[..., Any], params: Any, *, args: tuple[Any, ...] = (), **options: Any
) -> NumericalGradient:
    """The gradient of a cost by finite differences, with a bound on the error of each entry.

    Parameters
    ----------
    cost, params, args : as for check_gradient
    options : the other options of check_gradient, but for tolerance; entries left out by coordinates=,
        or whose difference is not finite, are NaN

    Returns
    -------
    NumericalGradient
        `.values` and `.error_bound` in float64, in the structure of params.

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
    indices, _ = choose_coordinates(chosen.coordinates, parameters, chosen.seed)
    with one_blas_thread():
        found = _difference(Problem(cost, None, params, args), parameters, indices, chosen)
    return NumericalGradient(
        values=_scatter(parameters, indices, found.estimates.numeric),
        error_bound=_scatter(parameters, indices, found.estimates.error_bound),
        cost=found.start.cost,
        evaluations=found.evaluations,
        seconds=time.perf_counter() - began,
        engine=found.engine.name,
        method=chosen.method,
        n_jobs=found.run.n_jobs,
        notes=found.engine.notes + found.run.notes,
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


@dataclass(frozen=True, eq=False)
class _Differences:
    start: Start
    plan: Plan
    engine: Engine
    run: Evaluation
    estimates: Estimates
    """Of the user's coordinates, whatever was moved."""

    @property
    def evaluations(self) -> int:
        return self.start.evaluations + self.plan.evaluations

    @property
    def nonfinite(self) -> NonFinite:
        """Where the cost was not finite as differences were taken."""
        return NonFinite.among(self.engine.space, self.plan, self.run.values)


def _difference(
    problem: Problem, parameters: Parameters, indices: IndexArray, options: Options
) -> _Differences:
    """Plan, engine, values, estimates: what a check and a numerical gradient have in common."""
    stencil = find_stencil(options.method)
    engine = choose_engine(
        problem, parameters, stencil, options.engine, options.vectorized, options.perturb, indices
    )
    space = engine.space
    plan = make_plan(space.parameters, space.needed(indices), stencil, options.step)
    choose_workers(engine, options.n_jobs, options.backend)  # an unknown backend is refused now
    with args_unchanged(problem.args, "cost"):
        with announced(engine.preparation, options.progress):
            start = check_cost(engine)
        if stencil.is_complex:
            in_reals = choose_engine(problem, parameters, CENTRAL, "auto", options.vectorized)
            check_complex_step(engine, in_reals, plan)
    with progress_bar(len(plan.indices), options.progress) as advance:
        run = evaluate(
            engine,
            plan.indices,
            plan.displacements,
            seconds=start.seconds,
            n_jobs=options.n_jobs,
            backend=options.backend,
            advance=advance,
        )
    eps = max(coarsest_epsilon(space.parameters), engine.epsilon)
    moved = estimate(plan, run.values, start.cost, space.parameters, eps, engine.origin)
    estimates = carried(moved, plan.indices, space, parameters, indices)
    return _Differences(start, plan, engine, run, estimates)


def _scatter(parameters: Parameters, indices: IndexArray, values: Values) -> Any:
    flat: npt.NDArray[np.float64] = np.full(parameters.size, np.nan)
    flat[indices] = values
    return parameters.build_arrays([flat[b.start : b.stop] for b in parameters.blocks])

"""The measuring of `fastgrad bench`: each engine with one worker and with more.

cli/main.py calls run_bench and gets a BenchResult. The problems are those of problems.py. What is compared is
timed in turns, so that a slow spell of the machine falls on all of it. benchmarks/ uses in_turns too.
"""

from __future__ import annotations

import os
import platform
import statistics
import time
from collections.abc import Callable
from functools import partial
from importlib import metadata
from typing import Any

import numpy as np

from fastgrad.cli.bench.problems import PROBLEMS, Timed
from fastgrad.cli.bench.result import BenchResult, Row
from fastgrad.differences.plan import make_plan
from fastgrad.differences.stencils import CENTRAL
from fastgrad.errors import InputError
from fastgrad.execution.evaluate import evaluate
from fastgrad.execution.run import Run
from fastgrad.execution.workers import one_blas_thread

SECONDS = 1.5
"""Seconds that each problem takes one worker. It is enough for worker processes to be started
(WORTH_STARTING in fastgrad/execution/evaluate.py)."""

ROUNDS = 3
"""Rounds of which the median is taken. 4 engines take at most 4 * 3 * (1.5 + 0.75 + ...) < 36 s with workers
1, 2, 4, ..., so that the command ends within a minute."""

PILOT = 256
"""Coordinates that are evaluated to find how many fill SECONDS."""

PRODUCT = 768
"""Rows and columns of the matrices whose product by BLAS counts as the peak."""

PEAK_COORDINATES, PEAK_ROUNDS = 2000, 9
"""Coordinates and rounds by which an engine is compared with the peak. A round takes the engine about 15 ms,
and BLAS 20 ms."""

LIBRARIES = ("fastgrad", "numpy", "numba", "scipy", "joblib")


def run_bench(
    n_jobs: int = -1, *, seconds: float = SECONDS, say: Callable[[str], None] = lambda text: None
) -> BenchResult:
    """Coordinates per second of every engine on a built-in problem, by number of workers.

    Parameters
    ----------
    n_jobs : the most workers to try, as joblib takes it; -1 is all cores
    seconds : of one worker's work on each problem
    say : told what is being measured

    Raises
    ------
    InputError
        When n_jobs is no number of workers.
    """
    began = time.perf_counter()
    counts = worker_counts(_most(n_jobs))
    rows: list[Row] = []
    with one_blas_thread():
        for name, make in PROBLEMS.items():
            say(f"the {name} engine")
            timed = make()
            if timed is not None:
                rows += rows_of(name, timed, counts, seconds)
    return BenchResult(tuple(rows), _machine(), _versions(), time.perf_counter() - began)


def worker_counts(most: int) -> list[int]:
    """The numbers of workers that are tried: 1, 2, 4, ... and the most.

    Examples
    --------
    >>> worker_counts(1), worker_counts(6), worker_counts(8)
    ([1], [1, 2, 4, 6], [1, 2, 4, 8])
    """
    return [*(2**k for k in range(most.bit_length()) if 2**k < most), most]


def _most(n_jobs: int) -> int:
    import joblib

    try:
        return int(joblib.effective_n_jobs(n_jobs))
    except ValueError as error:
        raise InputError(
            f"the number of workers must be 1, 2, ... or -1 for all cores: {error}", code="FG402"
        ) from error


def rows_of(
    name: str, timed: Timed, counts: list[int], seconds: float = SECONDS, rounds: int = ROUNDS
) -> list[Row]:
    """Measure one engine with each number of workers.

    Parameters
    ----------
    name : of the engine
    timed : the engine and its problem
    counts : the numbers of workers, the first of them 1
    seconds : that the work takes one worker
    rounds : of which the median is taken
    """
    engine = timed.engine
    engine.baseline()
    each, plan = _measured_out(timed, seconds)

    def run(workers: int) -> None:
        evaluate(engine, plan.indices, plan.displacements, Run(n_jobs=workers), seconds=each)

    for workers in counts[1:]:
        run(workers)  # starts the workers, which is not timed
    found = in_turns({workers: partial(run, workers) for workers in counts}, rounds)
    share = None if timed.flops is None else _share_of_peak(timed)
    rows = []
    for workers in counts:
        taken = statistics.median(found[workers])
        faster = statistics.median(a / b for a, b in zip(found[1], found[workers], strict=True))
        count, evaluations = len(plan.indices), plan.evaluations
        rates = (count / taken, evaluations / taken, faster / workers)
        rows.append(Row(name, timed.name, workers, *rates, share if workers == 1 else None))
    return rows


def in_turns(functions: dict[Any, Callable[[], Any]], rounds: int) -> dict[Any, list[float]]:
    """Time functions in rounds; in each round every function is called once, one after the other.

    Parameters
    ----------
    functions : without arguments, by any key
    rounds : the number of rounds

    Returns
    -------
    dict
        For each key the seconds of its function in each round.
    """
    seconds: dict[Any, list[float]] = {key: [] for key in functions}
    for _ in range(rounds):
        for key, function in functions.items():
            began = time.perf_counter()
            function()
            seconds[key].append(time.perf_counter() - began)
    return seconds


def _measured_out(timed: Timed, seconds: float) -> tuple[float, Any]:
    """Seconds of one evaluation, and a plan with as many coordinates as take one worker `seconds`."""
    pilot = _plan(timed, min(PILOT, timed.coordinates))

    def values() -> None:
        timed.engine.values(pilot.indices, pilot.displacements)

    values()
    each = min(in_turns({"pilot": values}, 3)["pilot"]) / pilot.evaluations
    count = int(np.clip(seconds / each / 2, 1, timed.coordinates))
    return each, _plan(timed, count)


def _plan(timed: Timed, count: int) -> Any:
    return make_plan(timed.engine.parameters, np.arange(count, dtype=np.intp), CENTRAL)


def _share_of_peak(timed: Timed) -> float:
    """Floating-point operations per second of the engine over those of a BLAS product, both on one core."""
    assert timed.flops is not None
    plan = _plan(timed, min(PEAK_COORDINATES, timed.coordinates))
    a = np.random.default_rng(0).normal(size=(PRODUCT, PRODUCT))
    functions = {
        "engine": lambda: timed.engine.values(plan.indices, plan.displacements),
        "blas": lambda: a @ a,
    }
    found = in_turns(functions, PEAK_ROUNDS)
    done, peak = plan.evaluations * timed.flops, 2 * PRODUCT**3
    share: float = done / peak * statistics.median(found["blas"]) / statistics.median(found["engine"])
    return share


def _machine() -> str:
    cores = os.cpu_count() or 1
    processor = platform.processor() or platform.machine()
    return f"{processor}, {cores} core{'s' * (cores > 1)}, {platform.system()}"


def _versions() -> dict[str, str]:
    return {"python": platform.python_version(), **{name: metadata.version(name) for name in LIBRARIES}}

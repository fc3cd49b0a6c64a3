"""Time engines with one worker and with more, in turns, and their arithmetic beside that of BLAS."""

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
"""One worker's work on each problem: enough that worker processes are started (parallel.WORTH_STARTING)."""

ROUNDS = 3
"""Medians are of so many rounds. With 4 engines, rounds and workers 1, 2, 4, ... that is 36 s at the most."""

PILOT = 256
"""Coordinates by which the work is measured out."""

PRODUCT = 768
"""Rows and columns of the matrices whose product by BLAS is the peak."""

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
    """1, 2, 4, ... and the most.

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
        raise InputError(f"the number of workers must be 1, 2, ... or -1 for all cores: {error}") from error


def rows_of(
    name: str, timed: Timed, counts: list[int], seconds: float = SECONDS, rounds: int = ROUNDS
) -> list[Row]:
    """One engine with each number of workers.

    Parameters
    ----------
    name : of the engine
    timed : the engine and its problem
    counts : of workers, the first of them 1
    seconds : of one worker's work
    rounds : that medians are taken of
    """
    engine = timed.engine
    engine.baseline()
    each, plan = _measured_out(timed, seconds)

    def run(workers: int) -> None:
        evaluate(engine, plan.indices, plan.displacements, Run(n_jobs=workers), seconds=each)

    for workers in counts[1:]:
        run(workers)  # starts them
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
    """The seconds of each function in each round, all of them in turn within a round.

    Parameters
    ----------
    functions : by any key
    rounds : how many
    """
    seconds: dict[Any, list[float]] = {key: [] for key in functions}
    for _ in range(rounds):
        for key, function in functions.items():
            began = time.perf_counter()
            function()
            seconds[key].append(time.perf_counter() - began)
    return seconds


def _measured_out(timed: Timed, seconds: float) -> tuple[float, Any]:
    """Seconds of one evaluation, and a plan of as many coordinates as take the seconds asked for."""
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
    """Arithmetic per second of the engine over that of a matrix product by BLAS, both on one core."""
    assert timed.flops is not None
    plan = _plan(timed, min(2000, timed.coordinates))
    a = np.random.default_rng(0).normal(size=(PRODUCT, PRODUCT))
    functions = {
        "engine": lambda: timed.engine.values(plan.indices, plan.displacements),
        "blas": lambda: a @ a,
    }
    found = in_turns(functions, 9)
    done, peak = plan.evaluations * timed.flops, 2 * PRODUCT**3
    share: float = done / peak * statistics.median(found["blas"]) / statistics.median(found["engine"])
    return share


def _machine() -> str:
    cores = os.cpu_count() or 1
    processor = platform.processor() or platform.machine()
    return f"{processor}, {cores} core{'s' * (cores > 1)}, {platform.system()}"


def _versions() -> dict[str, str]:
    return {"python": platform.python_version(), **{name: metadata.version(name) for name in LIBRARIES}}

"""Where the time of a whole check of a benchmark network goes, part by part.

    scripts/breakdown                               the three dense networks and the convolutions
    scripts/breakdown "64-32-10 tanh" auto          one of bench_network.py's, by nodes where these are fewer

Parts are timed by wrapping the functions that do them: one worker, medians of several checks. Preparation is
a part of the first values, and the kernels are inside both and inside the looks.
"""

from __future__ import annotations

import argparse
import functools
import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

from bench_network import CASES, OTHERS, batch_of

import fastgrad
from fastgrad import checks
from fastgrad.coordinates import measurement
from fastgrad.engines.network.engine import NetworkEngine
from fastgrad.engines.network.state import NetworkState
from fastgrad.kernels import dense_tail, polynomials
from fastgrad.report.plain_table import plain_table

PARTS: dict[str, list[tuple[Any, str]]] = {
    "claimed gradient": [(checks, "vetted_gradient")],
    "network at its parameters": [(NetworkState, "__init__")],
    "calibration of the blocks": [(measurement.Coordinates, "calibrate")],
    "preparation of tables": [(NetworkEngine, "prepared")],
    "first values and bounds": [(measurement.Coordinates, "_screen")],
    "verdicts and further stages": [(measurement.Coordinates, "_escalate")],
    "report": [(checks, "build_report")],
    "kernels": [(dense_tail, "sweep"), (dense_tail, "sweep_nodes"), (polynomials, "evaluate_polynomials")],
}
"""What is timed: functions by the object they are looked up in."""

ROUNDS = 7


@contextmanager
def timed(seconds: dict[str, float]) -> Iterator[None]:
    """Add up what each part takes while this is entered."""

    def wrapped(part: str, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def run(*args: Any, **options: Any) -> Any:
            began = time.perf_counter()
            try:
                return function(*args, **options)
            finally:
                seconds[part] += time.perf_counter() - began

        return run

    with ExitStack() as stack:
        for part, places in PARTS.items():
            for owner, name in places:
                stack.enter_context(patch.object(owner, name, wrapped(part, getattr(owner, name))))
        yield


def breakdown(name: str, perturb: str, rounds: int) -> str:
    """The table of one network."""
    net, shape, *_ = CASES[name] if name in CASES else OTHERS[name]
    samples = CASES[name][2] if name in CASES else 16 if len(shape) == 3 else 64
    params, X, Y = batch_of(net, shape, samples)
    problem = net.problem(params, X, Y)
    found: dict[str, list[float]] = defaultdict(list)
    for k in range(rounds + 2):
        seconds: dict[str, float] = dict.fromkeys(PARTS, 0.0)
        with timed(seconds):
            began = time.perf_counter()
            report = fastgrad.check(problem, coordinates="all", perturb=perturb, n_jobs=1)
            whole = time.perf_counter() - began
        if k > 1:  # the first ones compile and warm up
            for part, taken in {"whole check": whole, **seconds}.items():
                found[part].append(taken)
    medians = {part: statistics.median(taken) for part, taken in found.items()}
    whole = medians["whole check"]
    rows = [(part, f"{taken * 1e3:.2f}", f"{taken / whole:.0%}") for part, taken in medians.items()]
    table = plain_table(("part", "ms", "of the whole"), rows, right=(1, 2))
    return f"{name}, perturb={perturb!r}: {len(report.indices):,} coordinates\n{table}"


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("network", nargs="?", choices=[*CASES, *OTHERS])
    parser.add_argument("perturb", nargs="?", default="parameters", choices=["parameters", "nodes", "auto"])
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="checks of which the median is taken")
    chosen = parser.parse_args()
    wanted = [(chosen.network, chosen.perturb)] if chosen.network else []
    for name, perturb in wanted or [(name, how) for name in CASES for how in ("parameters", "auto")]:
        print(breakdown(name, perturb, chosen.rounds), end="\n\n", flush=True)


if __name__ == "__main__":
    main()

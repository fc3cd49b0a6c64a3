"""The same derivatives by other libraries, in one run: who is how fast, and who is right.

    scripts/bench --peers benchmarks/bench_peers.py     (installs them; without, only those here already)

Every peer gets the same network's cost at the same parameters. Each is timed in turns with the textbook
loop, whose seconds per coordinate over the peer's are `times_textbook`. Where a peer would take minutes it
gets fewer coordinates of the same cost. BLAS and torch are held to one thread; JAX takes the cores it takes.

What each returns is checked: `relative_error` is ||g - d|| / ||g + d|| of its derivatives against the
analytic gradient, `passes_right` and `finds_wrong` whether it passes that gradient, and whether it finds the
one coordinate, of middling size, that is twice too large in another. Peers without a verdict are asked for
a relative error of 1e-6.
"""

from __future__ import annotations

import statistics
import time
import tracemalloc

import numpy as np
import pytest
from measure import in_turns
from peers import all_peers
from peers.case import Case, Piece

import fastgrad
from fastgrad.execution.workers import one_blas_thread

ASKED = 1e-6
"""The relative error that derivatives are asked for."""

NETWORKS = {
    "64-32-10": ((64, 32, 10), 128),
    "784-256-128-10": ((784, 256, 128, 10), 32),
}
PEERS = all_peers()
CASES = {}


def case_of(network):
    """The Case of a network, made once."""
    if network not in CASES:
        CASES[network] = Case(*NETWORKS[network])
    return CASES[network]


def some(case, count):
    """So many coordinates drawn at random, or all."""
    if count is None or count >= len(case.x):
        return np.arange(len(case.x))
    return np.sort(np.random.default_rng(1).choice(len(case.x), count, replace=False))


def agrees(found, claimed):
    """The peer's verdict, or that of the error asked for."""
    if found.agrees is not None:
        return found.agrees
    return bool(fastgrad.relative_error(claimed, found.derivatives) <= ASKED)


def one_wrong(right):
    """The gradient with one coordinate, of middling size, twice too large."""
    wrong = right.copy()
    wrong[np.argsort(np.abs(right))[len(right) // 2]] *= 2
    return wrong


def peak_memory(function):
    """MiB that Python and NumPy allocate at the most while the function runs."""
    tracemalloc.start()
    try:
        function()
        return tracemalloc.get_traced_memory()[1] / 2**20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("peer", PEERS)
@pytest.mark.parametrize("network", NETWORKS)
def bench_peer(benchmark, tiny, network, peer):
    """One peer on one network, in turns with the textbook loop."""
    chosen = PEERS[peer]
    if not chosen.is_installed:
        pytest.skip(f"{chosen.package} is not installed: {peer} is left out")
    case = case_of(network)
    count = chosen.small if network == "64-32-10" else chosen.large
    piece = Piece(case, some(case, 6 if tiny else count))
    loop = PEERS["textbook loop"].prepare(case, Piece(case, some(case, 3 if tiny else 100)))
    right = case.truth[piece.indices]
    with one_blas_thread():
        run = chosen.prepare(case, piece)
        began = time.perf_counter()
        run(right)  # compiles, starts workers
        first = time.perf_counter() - began
        piece.calls = 0
        found = run(right)
        calls = found.evaluations or piece.calls
        finds_wrong = not agrees(run(one_wrong(right)), one_wrong(right))
        turns = {"loop": lambda: loop(None), "peer": lambda: run(right)}
        seconds = in_turns(turns, 1 if tiny else 5)
        memory = peak_memory(lambda: run(right)) if chosen.package not in ("torch", "jax") else None
        benchmark.pedantic(run, args=(right,), rounds=1)
    each = len(right) / (3 if tiny else 100)
    ratios = [a * each / b for a, b in zip(seconds["loop"], seconds["peer"], strict=True)]
    taken = statistics.median(seconds["peer"])
    error = found.relative_error
    if found.derivatives is not None:
        error = fastgrad.relative_error(right, found.derivatives)
    benchmark.extra_info |= {
        "network": network,
        "peer": peer,
        "workers": chosen.workers or "all cores",
        "coordinates": len(right),
        "seconds": taken,
        "coordinates_per_second": None if chosen.directions else len(right) / taken,
        "times_textbook": None if chosen.directions else statistics.median(ratios),
        "evaluations": calls,
        "evaluations_per_second": calls / taken,
        "relative_error": error,
        "passes_right": agrees(found, right),
        "finds_wrong": finds_wrong,
        "first_call_seconds": first,
        "peak_MiB": memory,
    }

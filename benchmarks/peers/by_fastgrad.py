"""fastgrad: whole checks, report and all, by each engine."""

from __future__ import annotations

import numba
import numpy as np

import fastgrad
from fastgrad import kernels
from peers import Found, Peer


@numba.njit(nogil=True)
def compiled_cost(x, X, labels, sizes):
    """The cost in Numba, of the whole vector of parameters."""
    at, a = 0, X
    for k in range(len(sizes) - 1):
        inputs, outputs = sizes[k], sizes[k + 1]
        weight = x[at : at + inputs * outputs].reshape(inputs, outputs)
        at += inputs * outputs
        bias = x[at : at + outputs]
        at += outputs
        a = (kernels.tanh(a) if k else a) @ weight + bias
    return kernels.softmax_cross_entropy(a, labels)


def found(report):
    """What a report says."""
    return Found(report.numeric, report.passed, report.evaluations)


def check(n_jobs, **options):
    """A check of the NumPy cost of one vector."""

    def prepare(case, piece):
        return checked(case, piece, case.formula.cost, (), n_jobs, options)

    return prepare


def batched(n_jobs):
    """A check of the vectorized cost."""

    def prepare(case, piece):
        return checked(case, piece, case.formula.batch_cost, (), n_jobs, {"vectorized": True})

    return prepare


def compiled(n_jobs):
    """A check of the Numba cost."""

    def prepare(case, piece):
        args = (case.X, case.labels, case.formula.sizes)
        return checked(case, piece, compiled_cost, args, n_jobs, {})

    return prepare


def checked(case, piece, cost, args, n_jobs, options):
    """A run of check_gradient at the coordinates of a piece; the claim is exact elsewhere."""
    options = {"coordinates": piece.indices, "n_jobs": n_jobs, **options}

    def run(claimed):
        whole = case.truth.copy()
        whole[piece.indices] = claimed
        return found(fastgrad.check_gradient(cost, whole, case.x, args=args, **options))

    return run


def network(n_jobs, perturb="parameters"):
    """A check of the fastgrad.Network."""

    def prepare(case, piece):
        options = {"coordinates": piece.indices, "n_jobs": n_jobs, "perturb": perturb}

        def run(claimed):
            whole = case.truth.copy()
            whole[piece.indices] = claimed
            pieces = np.split(whole, np.cumsum([block.size for block in case.params.values()])[:-1])
            blocks = {k: p.reshape(b.shape) for p, (k, b) in zip(pieces, case.params.items(), strict=True)}
            problem = case.network.problem(case.params, case.X, case.labels, gradient=blocks)
            return found(fastgrad.check(problem, **options))

        return run

    return prepare


PEERS = [
    Peer("fastgrad, NumPy cost", "fastgrad", check(1), large=2_000),
    Peer("fastgrad, NumPy cost, 2 workers", "fastgrad", check(2), workers=2, large=2_000),
    Peer("fastgrad, vectorized cost", "fastgrad", batched(1), large=2_000),
    Peer("fastgrad, vectorized cost, 2 workers", "fastgrad", batched(2), workers=2, large=2_000),
    Peer("fastgrad, Numba cost", "fastgrad", compiled(1), large=2_000),
    Peer("fastgrad, Numba cost, 2 workers", "fastgrad", compiled(2), workers=2, large=2_000),
    Peer("fastgrad, Network", "fastgrad", network(1), large=None),
    Peer("fastgrad, Network, 2 workers", "fastgrad", network(2), workers=2, large=None),
    Peer("fastgrad, Network by nodes, 2 workers", "fastgrad", network(2, "auto"), workers=2, large=None),
]

"""scipy.optimize and scipy.differentiate."""

from __future__ import annotations

import numpy as np

from peers import Found, Peer

NORM = 1e-5
"""check_grad returns a norm and draws no line; this one is ours, as in benchmarks/trust.py."""


def approx_derivative(method):
    """scipy.optimize's own differences, which its minimisers use."""

    def prepare(case, piece):
        from scipy.optimize._numdiff import approx_derivative

        return lambda claimed: Found(approx_derivative(piece, piece.start, method=method))

    return prepare


def check_grad(case, piece):
    """Forward differences with a step of 1.5e-8, and the norm of what they differ by."""
    from scipy.optimize import check_grad

    def run(claimed):
        norm = check_grad(piece, lambda z: claimed, piece.start)
        relative = norm / np.linalg.norm(2 * claimed)
        return Found(agrees=bool(norm <= NORM), relative_error=relative)

    return run


def jacobian(case, piece):
    """Adaptive differences of order 8, of a function that takes many points at once."""
    from scipy.differentiate import jacobian

    options = {"tolerances": {"rtol": 1e-6, "atol": 0}, "initial_step": 0.01}
    return lambda claimed: Found(jacobian(piece.many, piece.start, **options).df)


def derivative(case, piece):
    """The same for each coordinate by itself, the cost vectorised over them."""
    from scipy.differentiate import derivative

    which = np.arange(len(piece.indices))
    options = {"tolerances": {"rtol": 1e-6, "atol": 0}, "initial_step": 0.01}
    return lambda claimed: Found(derivative(piece.one_by_one, piece.start, args=(which,), **options).df)


PEERS = [
    Peer("scipy approx_derivative 2-point", "scipy", approx_derivative("2-point")),
    Peer("scipy approx_derivative 3-point", "scipy", approx_derivative("3-point")),
    Peer("scipy check_grad", "scipy", check_grad),
    Peer("scipy.differentiate.jacobian", "scipy", jacobian, small=200, large=50),
    Peer("scipy.differentiate.derivative", "scipy", derivative, small=800, large=50),
]

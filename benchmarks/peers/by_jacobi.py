"""jacobi: extrapolated to an error estimate."""

from __future__ import annotations

from peers import Found, Peer


def jacobi(case, piece):
    """Its jacobi, asked for a relative error of 1e-6."""
    from jacobi import jacobi

    return lambda claimed: Found(jacobi(piece, piece.start, rtol=1e-6)[0])


PEERS = [Peer("jacobi", "jacobi", jacobi, small=400, large=50)]

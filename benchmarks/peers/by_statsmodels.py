"""statsmodels.tools.numdiff."""

from __future__ import annotations

from peers import Found, Peer


def centered(case, piece):
    """Central differences."""
    from statsmodels.tools.numdiff import approx_fprime

    return lambda claimed: Found(approx_fprime(piece.start, piece, centered=True))


def complex_step(case, piece):
    """The complex step: exact, one complex evaluation a coordinate."""
    from statsmodels.tools.numdiff import approx_fprime_cs

    return lambda claimed: Found(approx_fprime_cs(piece.start, piece))


PEERS = [
    Peer("statsmodels approx_fprime, centered", "statsmodels", centered),
    Peer("statsmodels approx_fprime_cs", "statsmodels", complex_step),
]

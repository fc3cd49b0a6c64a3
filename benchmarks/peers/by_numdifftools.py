"""numdifftools: extrapolated, as it comes, and with one step."""

from __future__ import annotations

from peers import Found, Peer


def gradient(**options):
    """Its Gradient of order 2."""

    def prepare(case, piece):
        import numdifftools

        found = numdifftools.Gradient(piece, method="central", order=2, **options)
        return lambda claimed: Found(found(piece.start))

    return prepare


PEERS = [
    Peer("numdifftools Gradient", "numdifftools", gradient(), small=200, large=50),
    Peer("numdifftools Gradient, one step", "numdifftools", gradient(step=1e-5), small=800),
]

"""optimagic: central differences, on one process or two."""

from __future__ import annotations

from peers import Found, Peer

STEP = 1e-5


def first_derivative(n_cores):
    """Its first_derivative by joblib, with the step that others have: by default its error is 4e-6."""

    def prepare(case, piece):
        import optimagic

        def run(claimed):
            found = optimagic.first_derivative(piece, piece.start, n_cores=n_cores, step_size=STEP)
            return Found(found.derivative, evaluations=2 * len(piece.start))

        return run

    return prepare


PEERS = [
    Peer("optimagic first_derivative", "optimagic", first_derivative(1)),
    Peer("optimagic first_derivative, 2 processes", "optimagic", first_derivative(2), workers=2),
]

"""torch: gradcheck of a backward written by hand, and a vmap of central differences.

Held to one thread: on two cores, beside other work, two threads took up to a hundred times longer.
"""

from __future__ import annotations

import numpy as np

from peers import Found, Peer

STEP = 1e-5
CHUNK = 16
"""Of 1, 4, 16, 64 and 256 the best over both networks."""


def cost_of(case):
    """The cost in torch, of the whole vector of parameters."""
    import torch

    torch.set_num_threads(1)
    X, labels = torch.from_numpy(case.X), torch.from_numpy(case.labels)

    def cost(x):
        a = X
        for k, (weight, bias) in enumerate(case.formula.layers(x)):
            a = (torch.tanh(a) if k else a) @ weight + bias
        return torch.nn.functional.cross_entropy(a, labels)

    return cost


def gradcheck(fast):
    """torch.autograd.gradcheck at its defaults."""

    def prepare(case, piece):
        import torch

        x, indices, cost = torch.from_numpy(case.x), torch.from_numpy(piece.indices), cost_of(case)

        def run(claimed):
            given = torch.from_numpy(claimed)

            class Claimed(torch.autograd.Function):
                @staticmethod
                def forward(context, z):
                    piece.calls += 1
                    whole = x.clone()
                    whole[indices] = z
                    return cost(whole)

                @staticmethod
                def backward(context, upstream):
                    return upstream * given

            z = torch.from_numpy(piece.start.copy()).requires_grad_()
            agrees = torch.autograd.gradcheck(
                Claimed.apply, (z,), fast_mode=fast, raise_exception=False, check_undefined_grad=False
            )
            return Found(agrees=bool(agrees))

        return run

    return prepare


def vmap(case, piece):
    """torch.func.vmap over coordinates of one central difference, in chunks."""
    import torch

    x, indices, cost = torch.from_numpy(case.x), torch.from_numpy(piece.indices), cost_of(case)

    def difference(i):
        e = torch.zeros_like(x).scatter(0, i[None], STEP)
        return (cost(x + e) - cost(x - e)) / (2 * STEP)

    every = torch.func.vmap(difference, chunk_size=CHUNK)

    def run(claimed):
        with torch.no_grad():
            return Found(np.asarray(every(indices)), evaluations=2 * len(indices))

    return run


PEERS = [
    Peer("torch gradcheck, slow", "torch", gradcheck(False), small=400, large=50),
    Peer("torch gradcheck, fast", "torch", gradcheck(True), large=None, directions=True),
    Peer("torch.func.vmap of central differences", "torch", vmap),
]

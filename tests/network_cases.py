"""Networks, batches and a textbook evaluation that the tests of networks and of their engine share."""

from __future__ import annotations

from itertools import pairwise

import numba
import numpy as np
from hypothesis import strategies as st

from fastgrad import (
    ELU,
    GELU,
    AvgPool2D,
    BatchNorm,
    Conv2D,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    HalfSquaredError,
    LayerNorm,
    LeakyReLU,
    LogisticLoss,
    MaxPool2D,
    MeanSquaredError,
    Network,
    ReLU,
    Residual,
    Sigmoid,
    SiLU,
    SoftmaxCrossEntropy,
    Softplus,
    Tanh,
    networks,
)
from fastgrad.problem.parameters import Parameters

CE = SoftmaxCrossEntropy()

RNG = np.random.default_rng(0)

FLAT = RNG.normal(size=(6, 5))

LABELS = RNG.integers(0, 3, 6)

IMAGES = RNG.normal(size=(6, 2, 9, 8))

TOKENS = RNG.integers(0, 7, (6, 3))

REAL = RNG.normal(size=(6, 3))


def dense(activation, loss=CE, l2=0.0):
    """A network of two dense layers."""
    return Network([Dense(5, 4), activation, Dense(4, 3)], loss, l2)


# network, inputs, targets
NETWORKS = [
    *[
        (dense(a, l2=0.1), FLAT, LABELS)
        for a in (Sigmoid(), Tanh(), ReLU(), LeakyReLU(0.1), ELU(), Softplus(), SiLU(), GELU())
    ],
    (dense(Tanh(), HalfSquaredError()), FLAT, REAL),
    (dense(Tanh(), MeanSquaredError()), FLAT, REAL),
    (dense(Tanh(), LogisticLoss()), FLAT, (REAL > 0).astype(float)),
    (Network([Dense(5, 3), Sigmoid()], HalfSquaredError()), FLAT, REAL),
    (Network([Dense(5, 4), BatchNorm(4), Tanh(), Dense(4, 3)], CE), FLAT, LABELS),
    (Network([Dense(5, 4), LayerNorm(4), Tanh(), Dense(4, 3)], CE), FLAT, LABELS),
    (Network([Dense(5, 8), Dropout(0.4, seed=3), Tanh(), Dense(8, 3)], CE), FLAT, LABELS),
    (Network([Dense(5, 4), Residual([Dense(4, 6), Tanh(), Dense(6, 4)]), Dense(4, 3)], CE), FLAT, LABELS),
    (Network([Conv2D(2, 3, 3), Tanh(), Flatten(), Dense(126, 3)], CE), IMAGES, LABELS),
    (Network([Conv2D(2, 3, 3, stride=2, padding=1), Tanh(), Flatten(), Dense(60, 3)], CE), IMAGES, LABELS),
    (Network([Conv2D(2, 3, 3), BatchNorm(3), Tanh(), Flatten(), Dense(126, 3)], CE), IMAGES, LABELS),
    (Network([Conv2D(2, 3, 3), MaxPool2D(2), Flatten(), Dense(27, 3)], CE), IMAGES, LABELS),
    (Network([Conv2D(2, 3, 3), AvgPool2D(3, stride=2), Flatten(), Dense(18, 3)], CE), IMAGES, LABELS),
    (Network([Embedding(7, 4), Flatten(), Dense(12, 3)], CE), TOKENS, LABELS),
]


def parameters_of(net, dtype=np.float64):
    """Parameters away from zero biases and unit scales."""
    rng = np.random.default_rng(5)
    return {
        name: (block + 0.1 * rng.normal(size=block.shape)).astype(dtype)
        for name, block in net.initial_parameters(1).items()
    }


JIT = numba.config.DISABLE_JIT == 0
"""With JIT each set of activations and loss is compiled once, 10 s each: one set here. All others run in the
CI step without JIT, on the same code."""

ACTIVATIONS = [
    networks.Sigmoid(),
    networks.Tanh(),
    networks.ReLU(),
    networks.LeakyReLU(0.2),
    networks.ELU(0.7),
    networks.Softplus(),
    networks.SiLU(),
    networks.GELU(),
]

LOSSES = [
    networks.HalfSquaredError(),
    networks.MeanSquaredError(),
    networks.SoftmaxCrossEntropy(),
    networks.LogisticLoss(),
]


def textbook(net, params, X, Y, indices, offsets):
    """The full network's cost for each perturbation, in float64, the parameters copied each time."""
    p = Parameters({name: block.astype(np.float64) for name, block in params.items()})
    X = X if X.dtype.kind == "i" else X.astype(np.float64)
    out = np.empty(offsets.shape)
    for k, i in enumerate(indices):
        for s in range(offsets.shape[1]):
            leaves = [leaf.copy() for leaf in p.leaves]
            block = p.blocks.index(p.block_of(int(i)))
            leaves[block][i - p.blocks[block].start] += offsets[k, s]
            out[k, s] = net.cost(p.build_arrays(leaves), X, Y)
    return out


def between(features, norms):
    """What may stand between two dense layers: mostly an activation, at times a norm or a dropout too."""
    if not norms:
        return st.sampled_from([[a] for a in ACTIVATIONS] + [[]])
    normal, drop = networks.BatchNorm(features), networks.Dropout(0.3, seed=features)
    around = st.sampled_from(ACTIVATIONS).flatmap(
        lambda a: st.sampled_from(
            [[a]] * 6
            + [[normal, a], [a, normal], [a, drop], [drop, a], [normal, a, drop], [a, drop, normal]]
            + [[networks.LayerNorm(features), a]]
        )
    )
    return st.one_of(around, around, around, st.sampled_from([[], [normal], [drop]]))


@st.composite
def dense_networks(draw, norms=True):
    """A dense network of random depth, widths, activations, loss and dtype, with a batch."""
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    sizes = draw(st.lists(st.integers(1, 9), min_size=3 if JIT else 2, max_size=5))
    layers = []
    for inputs, outputs in pairwise(sizes):
        layers.append(networks.Dense(inputs, outputs))
        layers += [networks.Tanh()] if JIT else draw(between(outputs, norms))
    if JIT:
        layers.pop()
    loss = LOSSES[2] if JIT else draw(st.sampled_from(LOSSES))
    net = networks.Network(layers, loss, l2=draw(st.sampled_from([0.0, 0.1])))
    samples = draw(st.integers(1, 7))
    dtype = draw(st.sampled_from([np.float64, np.float32]))
    X = rng.normal(size=(samples, sizes[0])).astype(dtype)
    X[rng.random(X.shape) < 0.2] = 0.0
    Y = {
        networks.SoftmaxCrossEntropy: rng.integers(0, sizes[-1], samples),
        networks.LogisticLoss: rng.random((samples, sizes[-1])),
    }.get(type(loss), rng.normal(size=(samples, sizes[-1])))
    params = {k: v + 0.3 * rng.normal(size=v.shape) for k, v in net.initial_parameters(0).items()}
    return net, {k: v.astype(dtype) for k, v in params.items()}, X, Y, rng

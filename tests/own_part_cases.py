"""Layers, activations, losses and networks of one's own, and cases with one of them in a network."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from network_cases import parameters_of

from fastgrad import networks
from fastgrad.engines.network.engine import NetworkEngine
from fastgrad.networks import (
    BatchNorm,
    Conv2D,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    HalfSquaredError,
    LayerNorm,
    LeakyReLU,
    MaxPool2D,
    MeanSquaredError,
    Network,
    Residual,
    SoftmaxCrossEntropy,
    Tanh,
)
from fastgrad.problem.parameters import Parameters

RNG = np.random.default_rng(7)
FLAT = RNG.normal(size=(6, 5))
LABELS = RNG.integers(0, 3, 6)
REAL = RNG.normal(size=(6, 3))
IMAGES = RNG.normal(size=(4, 2, 6, 5))
TOKENS = RNG.integers(0, 7, (6, 3))


# Losses


class OwnLoss:
    """A loss of one's own, with the three methods that a network calls."""

    def check(self, shape, samples, target):
        """Targets have the outputs' shape."""
        return np.asarray(target)


class Quartic(OwnLoss):
    """sum((y - target)^4)."""

    def value(self, y, target):
        """sum((y - target)^4)."""
        return float(np.sum((y - target) ** 4))

    def gradient(self, y, target):
        """4 (y - target)^3."""
        return 4 * (y - target) ** 3


class Huber(OwnLoss):
    """mean(sqrt(1 + (y - target)^2) - 1): squares near the target, slopes of one far away."""

    def value(self, y, target):
        """mean(sqrt(1 + (y - target)^2) - 1)."""
        return np.mean(np.sqrt(1 + (y - target) ** 2) - 1)

    def gradient(self, y, target):
        """(y - target) / sqrt(1 + (y - target)^2) / size."""
        d = y - target
        return d / np.sqrt(1 + d**2) / d.size


class RootMeanSquare(OwnLoss):
    """sqrt(mean((y - target)^2)): no sum over samples."""

    def value(self, y, target):
        """sqrt(mean((y - target)^2))."""
        return np.sqrt(np.mean((y - target) ** 2))

    def gradient(self, y, target):
        """(y - target) / (size value)."""
        return (y - target) / (y.size * self.value(y, target))


class InPlaceQuartic(Quartic):
    """The same, written over the outputs."""

    def value(self, y, target):
        """sum((y - target)^4)."""
        y -= target
        return np.sum(y**4)


class Power(OwnLoss):
    """sum(|y - target|^2) of complex outputs."""

    def value(self, y, target):
        """sum(|y - target|^2)."""
        return np.sum(np.abs(y - target) ** 2)


class Clips(Quartic):
    """The same for targets from -1 to 1, which are clipped where they stand."""

    def value(self, y, target):
        """sum((y - target)^4)."""
        np.clip(target, -1, 1, out=target)
        return super().value(y, target)


class Analytic(Quartic):
    """The same, in whatever numbers come."""

    def value(self, y, target):
        """sum((y - target)^4)."""
        return np.sum((y - target) ** 4)


class Smoothed(SoftmaxCrossEntropy):
    """Cross-entropy with a tenth of each label spread over all classes; `each` stays that of its parent."""

    def value(self, y, target):
        """-mean(sum(q log softmax(y)))."""
        return float(-np.sum(self.labels(y, target) * self.log_softmax(y)) / len(y))

    def gradient(self, y, target):
        """(softmax(y) - q) / samples."""
        return (np.exp(self.log_softmax(y)) - self.labels(y, target)) / len(y)

    @staticmethod
    def labels(y, target):
        """q = 0.9 [label] + 0.1 / classes."""
        return 0.9 * np.eye(y.shape[1])[target] + 0.1 / y.shape[1]

    @staticmethod
    def log_softmax(y):
        """y - log(sum(exp(y)))."""
        z = y - y.max(axis=1, keepdims=True)
        return z - np.log(np.exp(z).sum(axis=1, keepdims=True))


class Tempered(SoftmaxCrossEntropy):
    """Cross-entropy of a third of the scores, by way of `each`."""

    def each(self, y, target, samples=None):
        """That of the third."""
        return super().each(y / 3, target, samples)

    def gradient(self, y, target):
        """A third of that of the third."""
        return super().gradient(y / 3, target) / 3


class Clipped(MeanSquaredError):
    """Targets are clipped on their way in; everything else is inherited."""

    def check(self, shape, samples, target):
        """The targets from -1 to 1."""
        return np.clip(super().check(shape, samples, target), -1.0, 1.0)


# Activations


class Own:
    """A layer of one's own without parameters, that keeps the shape of its input."""

    def output_shape(self, shape):
        """The shape stays."""
        return shape

    def initial(self, rng):
        """There are no parameters."""
        return {}


class SinFive(Own):
    """sin(5 x)."""

    def forward(self, p, x):
        """sin(5 x)."""
        return np.sin(5 * x)

    def backward(self, p, x, dy):
        """5 cos(5 x) dy."""
        return 5 * np.cos(5 * x) * dy, {}


class OwnActivation(networks.activations.Activation):
    """The softmax of the features: an Activation that is no function of each number by itself."""

    def value(self, z):
        """The softmax."""
        e = np.exp(z - z.max(axis=1, keepdims=True))
        return e / e.sum(axis=1, keepdims=True)

    def backward(self, p, x, dy):
        """a (dy - sum(a dy))."""
        a = self.value(x)
        return a * (dy - (a * dy).sum(axis=1, keepdims=True)), {}


class ThreeTanh(Tanh):
    """3 tanh(z), by forward and backward."""

    def forward(self, p, x):
        """3 tanh(x)."""
        return 3 * super().forward(p, x)

    def backward(self, p, x, dy):
        """3 times the parent's."""
        return super().backward(p, x, 3 * dy)


class Steep(Tanh):
    """tanh(1000 z) / 20, by value and slope: its Lipschitz constant is 50, its curvature that of a step."""

    def value(self, z):
        """tanh(1000 z) / 20."""
        return np.tanh(1000 * z) / 20

    def slope(self, z, a):
        """50 (1 - tanh^2)."""
        return 50 * (1 - (20 * a) ** 2)


def shadowed():
    """A Tanh whose methods are replaced on the object alone."""
    found = Tanh()
    object.__setattr__(found, "value", np.sin)
    object.__setattr__(found, "slope", lambda z, a: np.cos(z))
    return found


# Layers


class Doubled(Dense):
    """2 (x W + b)."""

    def forward(self, p, x):
        """Twice the parent's."""
        return 2 * super().forward(p, x)

    def backward(self, p, x, dy):
        """Twice the parent's."""
        return super().backward(p, x, 2 * dy)


class OneBias(Dense):
    """A Dense layer with one bias for all units: its methods are Dense's, its blocks are not."""

    def initial(self, rng):
        """A bias of one entry."""
        return super().initial(rng) | {"bias": np.zeros(1)}

    def backward(self, p, x, dy):
        """The bias gets the sum over the units."""
        dx, g = super().backward(p, x, dy)
        return dx, g | {"bias": g["bias"].sum(keepdims=True)}


class Identity(Dense):
    """A Dense layer that starts elsewhere, and computes as Dense does."""

    def initial(self, rng):
        """A part of the identity."""
        return {"weight": np.eye(self.inputs, self.outputs), "bias": np.zeros(self.outputs)}


class Centred(Own):
    """x minus its mean over the batch: the samples are coupled."""

    def forward(self, p, x):
        """x - mean."""
        return x - x.mean(axis=0)

    def backward(self, p, x, dy):
        """dy - mean."""
        return dy - dy.mean(axis=0), {}


class ByPlace(Own):
    """x times its number in the batch: the samples are told apart."""

    def forward(self, p, x):
        """x[n] (n + 1)."""
        return x * self.numbers(x)

    def backward(self, p, x, dy):
        """The same."""
        return dy * self.numbers(x), {}

    @staticmethod
    def numbers(x):
        """1, 2, ... in x's dimensions."""
        return np.arange(1, len(x) + 1).reshape(-1, *(1,) * (x.ndim - 1))


class Block(Own):
    """tanh(x A) nodes[0] + x nodes[1]; its blocks have names that a branch or the engine could have."""

    def initial(self, rng):
        """A matrix and two numbers."""
        return {"0.weight": rng.normal(size=(4, 4)), "nodes": rng.normal(size=2)}

    def forward(self, p, x):
        """tanh(x A) nodes[0] + x nodes[1]."""
        return np.tanh(x @ p["0.weight"]) * p["nodes"][0] + x * p["nodes"][1]

    def backward(self, p, x, dy):
        """By hand."""
        a = np.tanh(x @ p["0.weight"])
        dz = dy * p["nodes"][0] * (1 - a**2)
        g = {"0.weight": x.T @ dz, "nodes": np.array([np.sum(dy * a), np.sum(dy * x)])}
        return dz @ p["0.weight"].T + dy * p["nodes"][1], g


class InPlace(Own):
    """tanh, written over its input."""

    def forward(self, p, x):
        """tanh(x)."""
        return np.tanh(x, out=x)

    def backward(self, p, x, dy):
        """x is the output by then."""
        return dy * (1 - x**2), {}


class Buffered(Own):
    """tanh, always written to the same array."""

    def forward(self, p, x):
        """tanh(x)."""
        if getattr(self, "buffer", None) is None or self.buffer.shape != x.shape:
            self.buffer = np.empty(x.shape)
        return np.tanh(x, out=self.buffer)

    def backward(self, p, x, dy):
        """1 - tanh^2."""
        return dy * (1 - np.tanh(x) ** 2), {}


class Single(Own):
    """Rounds to float32 on the way."""

    def forward(self, p, x):
        """The input in float32."""
        return x.astype(np.float32)

    def backward(self, p, x, dy):
        """As if it did not round."""
        return dy, {}


class Positive(Own):
    """Whether each number is positive."""

    def forward(self, p, x):
        """x > 0."""
        return x > 0


class Fourier(Own):
    """The Fourier transform of each sample: complex numbers."""

    def forward(self, p, x):
        """By the fast transform."""
        return np.fft.fft(x, axis=1)


class Magnitude(Own):
    """|x| of complex numbers."""

    def forward(self, p, x):
        """|x|."""
        return np.abs(x)


class Mean(Own):
    """The mean of the batch, as a batch of one."""

    def forward(self, p, x):
        """The mean over samples."""
        return x.mean(axis=0, keepdims=True)


class Total(Own):
    """One number for each sample."""

    def output_shape(self, shape):
        """No axis is left."""
        return ()

    def forward(self, p, x):
        """The sum of squares of a sample."""
        return np.sum(x**2, axis=1)

    def backward(self, p, x, dy):
        """2 x dy."""
        return 2 * x * dy[:, None], {}


class Pairs(Own):
    """Neighbouring samples become one."""

    def forward(self, p, x):
        """The means of pairs."""
        return (x[::2] + x[1::2]) / 2

    def backward(self, p, x, dy):
        """Half to each."""
        return np.repeat(dy, 2, axis=0) / 2, {}


class Channels(Own):
    """Images times the mean of their channels: own layer between a convolution and a dense one."""

    def forward(self, p, x):
        """x mean(x)."""
        return x * x.mean(axis=1, keepdims=True)

    def backward(self, p, x, dy):
        """dy mean(x) + mean over channels of the rest."""
        return dy * x.mean(axis=1, keepdims=True) + (dy * x).mean(axis=1, keepdims=True), {}


class Difference(Residual):
    """branch(x) - x."""

    def forward(self, p, x):
        """branch(x) - x."""
        return self.chain.forward(p, x)[-1] - x

    def backward(self, p, x, dy):
        """Both ways."""
        dx, g = self.chain.backward(p, self.chain.forward(p, x), dy)
        return dx - dy, g


class Shifted(BatchNorm):
    """A batch norm of another mean, by the helper that `forward` calls."""

    def normalised(self, x):
        """Twice the parent's."""
        return 2 * super().normalised(x)

    def backward(self, p, x, dy):
        """Twice the parent's, but for the shift."""
        dx, g = super().backward(p, x, 2 * dy)
        return dx, g | {"shift": dy.sum(axis=0)}


class PairedError(MeanSquaredError):
    """Targets of every second sample: the batch was halved on its way."""

    def check(self, shape, samples, target):
        """As they are."""
        return np.asarray(target)


CE, HALF = SoftmaxCrossEntropy(), HalfSquaredError()


def dense(*middle, loss=CE, first=None, l2=0.0):
    """Two dense layers and what stands between them."""
    return Network([first or Dense(5, 4), *middle, Dense(4, 3)], loss, l2)


@dataclass(frozen=True)
class Case:
    """A network with a part of one's own, a batch, and the parts that the report must name."""

    net: Network
    X: np.ndarray
    Y: np.ndarray
    parts: tuple[str, ...]
    first_bias: float = 1.0  # how much smaller the first layer's biases are


CASES = {
    "quartic loss": Case(dense(Tanh(), loss=Quartic(), l2=0.1), FLAT, REAL, ("the loss Quartic()",)),
    "huber loss": Case(dense(Tanh(), loss=Huber()), FLAT, REAL, ("the loss Huber()",)),
    "no sum over samples": Case(dense(Tanh(), loss=RootMeanSquare()), FLAT, REAL, ("the loss",)),
    "label smoothing": Case(dense(Tanh(), loss=Smoothed()), FLAT, LABELS, ("the loss Smoothed()",)),
    "temperature": Case(dense(Tanh(), loss=Tempered()), FLAT, LABELS, ("the loss Tempered()",)),
    "own targets": Case(dense(Tanh(), loss=Clipped()), FLAT, REAL, ("the loss Clipped()",)),
    "sin(5x)": Case(dense(SinFive(), l2=0.1), FLAT, LABELS, ("layer 1 (SinFive())",)),
    "own Activation": Case(dense(OwnActivation()), FLAT, LABELS, ("layer 1 (OwnActivation())",)),
    "3 tanh": Case(dense(ThreeTanh()), FLAT, LABELS, ("layer 1 (ThreeTanh())",)),
    "steep": Case(dense(Steep()), FLAT / 1000, LABELS, ("layer 1 (Steep())",), 1 / 1000),
    "shadowed method": Case(dense(shadowed()), FLAT, LABELS, ("layer 1 (Tanh())",)),
    "slopes by feature": Case(
        dense(LeakyReLU(np.array([0.1, 0.5, 2.0, -1.0]))), FLAT, LABELS, ("layer 1 (LeakyReLU",)
    ),
    "doubled Dense": Case(dense(Tanh(), first=Doubled(5, 4)), FLAT, LABELS, ("layer 0 (Doubled(",)),
    "doubled Dense last": Case(
        Network([Dense(5, 4), Tanh(), Doubled(4, 3)], CE), FLAT, LABELS, ("layer 2 (Doubled(",)
    ),
    "one bias": Case(dense(Tanh(), first=OneBias(5, 4)), FLAT, LABELS, ("layer 0 (OneBias(",)),
    "samples coupled": Case(dense(Centred(), Tanh()), FLAT, LABELS, ("layer 1 (Centred())",)),
    "samples told apart": Case(dense(ByPlace(), Tanh()), FLAT, LABELS, ("layer 1 (ByPlace())",)),
    "own blocks": Case(
        Network([Dense(5, 4), Block(), Dense(4, 4), Tanh(), Dense(4, 3)], CE, l2=0.1),
        FLAT,
        LABELS,
        ("layer 1 (Block())",),
    ),
    "writes over its input": Case(dense(InPlace()), FLAT, LABELS, ("layer 1 (InPlace())",)),
    "keeps a buffer": Case(
        Network([Dense(5, 4), Buffered(), Dense(4, 4), Tanh(), Dense(4, 3)], CE), FLAT, LABELS, ("layer 1",)
    ),
    "one number a sample": Case(
        Network([Dense(5, 4), Total(), Tanh()], HALF), FLAT / 5, REAL[:, 0], ("layer 1 (Total())",)
    ),
    "fewer samples": Case(
        Network([Dense(5, 4), Pairs(), Dense(4, 4), Tanh(), Dense(4, 3)], PairedError()),
        FLAT,
        REAL[::2],
        ("layer 1 (Pairs())", "the loss PairedError()"),
    ),
    "own layer in a branch": Case(
        dense(Residual([Dense(4, 4), SinFive(), Dense(4, 4)])), FLAT, LABELS, ("layer 1.1 (SinFive())",)
    ),
    "own coupling in a branch": Case(
        dense(Residual([Dense(4, 4), Residual([Centred()]), Tanh()])),
        FLAT,
        LABELS,
        ("layer 1.1.0 (Centred())",),
    ),
    "own branch": Case(
        dense(Difference([Dense(4, 4), Tanh()])), FLAT, LABELS, ("layer 1 (Residual([Dense(",)
    ),
    "own batch norm": Case(dense(Shifted(4), Tanh()), FLAT, LABELS, ("layer 1 (Shifted(",)),
    "between convolution and dense": Case(
        Network([Conv2D(2, 3, 3), Channels(), MaxPool2D(2), Flatten(), Dense(6, 3)], CE),
        IMAGES,
        LABELS[:4],
        ("layer 1 (Channels())",),
    ),
    "after an embedding": Case(
        Network([Embedding(7, 4), SinFive(), Flatten(), Dense(12, 3)], CE), TOKENS, LABELS, ("layer 1",)
    ),
    "own loss after an embedding": Case(
        Network([Embedding(7, 4), Flatten(), Dense(12, 3)], Quartic()), TOKENS, REAL, ("the loss Quartic()",)
    ),
    "before dense layers": Case(
        Network([SinFive(), Dense(5, 4), LayerNorm(4), Dropout(0.2), Dense(4, 3)], CE),
        FLAT,
        LABELS,
        ("layer 0 (SinFive())",),
    ),
}
PERTURB = ("parameters", "nodes", "auto")


def parameters_for(case, dtype=np.float64):
    """Parameters away from zero biases, of the first layer less far where the case says so."""
    params = parameters_of(case.net, dtype)
    if "0.bias" in params:
        params["0.bias"] *= case.first_bias
    return params


def engine_of(case, params=None):
    """The network engine."""
    params = parameters_for(case) if params is None else params
    return NetworkEngine(case.net.cost, Parameters(params), (case.X, case.Y), case.net)


def costs_by(engine, indices, offsets):
    """The costs for each column of offsets by itself: kernels take rows of small ones only."""
    return np.hstack([engine.values(indices, column[:, None]) for column in offsets.T]) + engine.origin

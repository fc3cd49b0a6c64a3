"""Layers, activations and losses of one's own are evaluated by their own methods, in every path."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from network_cases import ACTIVATIONS, JIT, parameters_of, textbook

import fastgrad
from fastgrad import networks
from fastgrad.engines.choose import is_networks_own
from fastgrad.engines.network.engine import NetworkEngine
from fastgrad.engines.network.tie import is_own_cost
from fastgrad.execution import chunks
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
from fastgrad.networks.known import is_entirely_ours, kind_of
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


@pytest.mark.parametrize("perturb", PERTURB)
@pytest.mark.parametrize("name", CASES)
class TestChecks:
    def test_right_gradient_agrees(self, name, perturb):
        """A right gradient agrees with the plain network's numbers, and a note names what has no rule."""
        case = CASES[name]
        problem = case.net.problem(parameters_for(case), case.X, case.Y)
        report = fastgrad.check(problem, perturb=perturb)
        plain = fastgrad.check(problem, engine="python")
        assert (report.verdict, report.engine, plain.verdict) == ("agree", "network", "agree")
        assert np.abs(report.numeric - plain.numeric).max() <= 1e-7 * np.abs(plain.numeric).max()
        (note,) = [note for note in report.notes if "own methods, a batch at a time" in note]
        assert all(part in note for part in case.parts)

    def test_wrong_gradient_is_found(self, name, perturb):
        """A gradient off by a thousandth in its largest entry is called wrong there and nowhere else."""
        case = CASES[name]
        params = parameters_for(case)
        spoiled = case.net.gradient(params, case.X, case.Y)
        block = max(spoiled, key=lambda k: np.abs(spoiled[k]).max())
        at = np.unravel_index(np.abs(spoiled[block]).argmax(), spoiled[block].shape)
        spoiled[block][at] *= 1.001
        report = fastgrad.check(case.net.problem(params, case.X, case.Y, spoiled), perturb=perturb)
        assert [(f.block, f.index) for f in report.wrong] == [(block, tuple(map(int, at)))]


class TestValues:
    @pytest.mark.parametrize("name", CASES)
    @pytest.mark.parametrize("dtype", [np.float64, np.float32])
    def test_are_those_of_the_plain_network(self, name, dtype):
        """Moved by little or by much, each parameter changes the cost as in the plain network."""
        case, rng = CASES[name], np.random.default_rng(1)
        params = parameters_for(case, dtype)
        engine = engine_of(case, params)
        indices = np.arange(engine.parameters.size)
        offsets = rng.normal(size=(len(indices), 3)) * [1e-6, 1e-3, 0.5]
        expected = textbook(case.net, params, case.X, case.Y, indices, offsets)
        found = costs_by(engine, indices, offsets)
        assert np.all(np.abs(found - expected) <= 1e-12 * np.maximum(np.abs(expected), 1.0))

    @pytest.mark.parametrize("name", CASES)
    def test_of_nodes_are_those_of_biases(self, name):
        """Moving a node in every sample is moving a bias: their first-order changes add up to the bias's."""
        case, h = CASES[name], 2.0**-20
        engine = engine_of(case)
        moving = engine.through_nodes("nodes", np.arange(engine.parameters.size))
        for place in moving.state.dense_places:
            block = next(b for b in moving.parameters.blocks if b.name == f"{place.name}.nodes")
            bias = next(b for b in engine.parameters.blocks if b.name == f"{place.name}.bias")
            both = np.array([[-h, h]])
            nodes = np.arange(block.start, block.stop)
            by_node = np.diff(moving.values(nodes, np.repeat(both, len(nodes), axis=0)), axis=1) / (2 * h)
            units = np.arange(bias.start, bias.stop)
            by_bias = np.diff(engine.values(units, np.repeat(both, len(units), axis=0)), axis=1) / (2 * h)
            added = np.moveaxis(by_node.reshape(block.shape), -1, 0).reshape(-1, block.shape[-2]).sum(axis=0)
            assert np.allclose(added, by_bias[:, 0], rtol=1e-6, atol=1e-7)

    @given(st.data())
    @settings(max_examples=60)
    def test_random_networks(self, data):
        """Whatever stands where, own parts among known ones, values are the plain network's."""
        middle = [
            SinFive(),
            ThreeTanh(),
            OwnActivation(),
            Centred(),
            ByPlace(),
            InPlace(),
            Block(),
            shadowed(),
        ]
        known = [
            Tanh(),
            BatchNorm(4),
            LayerNorm(4),
            Dropout(0.3),
            Dense(4, 4),
            Residual([Dense(4, 4), Tanh()]),
        ]
        known += [] if JIT else ACTIVATIONS
        branch = Residual([Dense(4, 4), data.draw(st.sampled_from([*middle, *known])), Dense(4, 4)])
        layers = data.draw(st.lists(st.sampled_from([*middle, *known, branch]), max_size=4))
        loss = data.draw(st.sampled_from([Quartic(), RootMeanSquare(), HALF]))
        l2 = data.draw(st.sampled_from([0.0, 0.1]))
        net = Network([Dense(5, 4), *layers, Dense(4, 3)], loss, l2)
        case, rng = Case(net, FLAT, REAL, ()), np.random.default_rng(0)
        engine = engine_of(case)
        indices = np.arange(0, engine.parameters.size, 3)
        offsets = rng.normal(size=(len(indices), 2)) * [1e-5, 0.1]
        expected = textbook(net, parameters_for(case), FLAT, REAL, indices, offsets)
        found = costs_by(engine, indices, offsets)
        assert np.all(np.abs(found - expected) <= 1e-11 * np.maximum(np.abs(expected), 1.0))

    @pytest.mark.filterwarnings("ignore::numpy.exceptions.ComplexWarning")
    @pytest.mark.parametrize(
        ("layers", "loss", "Y"),
        [
            ([Single(), BatchNorm(4), LeakyReLU(0.3), Dropout(0.3), Dense(4, 3)], HALF, REAL),
            ([Single(), Dense(4, 4), Tanh(), Dense(4, 3)], HALF, REAL),
            ([Single(), Residual([Tanh()]), LayerNorm(4), Dense(4, 3)], HALF, REAL),
            ([Positive(), Dropout(0.3), Dense(4, 4), Tanh(), Dense(4, 3)], HALF, REAL),
            ([Positive(), BatchNorm(4), Dense(4, 3)], HALF, REAL),
            ([Fourier(), Dense(4, 4), Residual([Dense(4, 4)]), Magnitude(), Dense(4, 3)], HALF, REAL),
            ([Fourier(), Magnitude(), Dense(4, 3)], HALF, REAL),
            ([Fourier(), Dense(4, 4), Tanh(), Dense(4, 3)], HALF, REAL),  # the loss takes real parts
            ([Dense(4, 3), Fourier()], Power(), REAL),
            ([Total(), Dropout(0.3)], HALF, REAL[:, 0]),
            ([Mean(), Dense(4, 4), Tanh(), Dense(4, 3)], HALF, REAL),
            ([Dense(4, 3), Mean()], HALF, REAL),
            ([Tanh(), Dense(4, 3)], InPlaceQuartic(), REAL),
        ],
        ids=lambda v: "-".join(type(layer).__name__ for layer in v) if isinstance(v, list) else "",
    )
    def test_of_other_numbers_between_the_layers(self, layers, loss, Y):
        """Parts of one's own may hand on float32, booleans, complex numbers, or fewer of them."""
        rng = np.random.default_rng(2)
        case = Case(Network([Dense(5, 4), *layers], loss), FLAT, Y, ())
        engine = engine_of(case)
        indices = np.arange(engine.parameters.size)
        offsets = rng.normal(size=(len(indices), 3)) * [1e-6, 1e-2, 0.5]
        expected = textbook(case.net, parameters_for(case), FLAT, Y, indices, offsets)
        found = costs_by(engine, indices, offsets)
        assert np.all(np.abs(found - expected) <= 1e-12 * np.abs(expected))
        places = engine.through_nodes("nodes", indices).state.dense_places
        assert all(np.isrealobj(place.x) for place in places)

    def test_tables_behind_an_own_layer(self):
        """Behind a layer of one's own the weights of many units are read off tables of the changes."""
        rng = np.random.default_rng(0)
        net = Network([Single(), Dense(20, 30), Tanh(), Dense(30, 3)], CE)
        case = Case(net, rng.normal(size=(6, 20)), LABELS, ())
        engine = engine_of(case)
        engine.origin = engine.state.cost  # of changes more digits are seen
        indices, offsets = np.arange(600), 1e-4 * rng.normal(size=(600, 3))
        prepared = engine.prepared(indices, offsets, lambda other, at, by: other.for_worker().values(at, by))
        assert prepared.tables["1"].has.all()
        expected = engine.values(indices, offsets)
        for twin in (prepared, prepared.for_worker()):
            off = np.abs(twin.values(indices, offsets) - expected)
            assert off.max() <= 1e-12 * np.abs(expected).max()

    @pytest.mark.parametrize("name", ["own loss after an embedding", "quartic loss", "sin(5x)"])
    @pytest.mark.parametrize("method", ["forward", "central4", "central6"])
    def test_by_every_stencil(self, name, method):
        """Other stencils agree with a right gradient too."""
        case = CASES[name]
        problem = case.net.problem(parameters_for(case), case.X, case.Y)
        assert fastgrad.check(problem, method=method).passed

    def test_by_the_complex_step(self):
        """A loss of one's own that carries complex numbers through can be checked by the complex step."""
        case = Case(dense(Tanh(), loss=Analytic()), FLAT, REAL, ())
        report = fastgrad.check(case.net.problem(parameters_for(case), FLAT, REAL), method="complex")
        assert (report.verdict, report.engine) == ("agree", "python")


MADE = {
    networks.LeakyReLU: (0.1,),
    networks.ELU: (0.5,),
    Dense: (4, 3),
    Conv2D: (2, 3, 3),
    BatchNorm: (4,),
    LayerNorm: (4,),
    Embedding: (7, 4),
    Dropout: (0.5,),
    MaxPool2D: (2,),
    networks.AvgPool2D: (2,),
    Residual: ([Dense(4, 4)],),
    Network: ([Dense(4, 3)], CE),
}
"""What the classes are made with that take something."""

KNOWN = [getattr(networks, name) for name in networks.__all__]


class TestKnown:
    @pytest.mark.parametrize("kind", KNOWN)
    def test_a_subclass_that_overrides_what_the_cost_calls(self, kind):
        """Every method of a layer, a loss or the network counts, but those of its gradient and its start."""
        made = MADE.get(kind, ())
        assert kind_of(kind(*made)) is kind
        assert kind_of(type("Named", (kind,), {"backward": None, "gradient": None, "note": 1})(*made)) is kind
        calls = {"forward", "value", "cost", "check", "each", "mask", "normalised", "view", "penalty", "step"}
        for name in calls & set(dir(kind)):
            method = vars(kind).get(name) or getattr(kind, name)
            own = method if isinstance(method, property) else (lambda self, *a, m=method: m(self, *a))
            own = property(own.fget) if isinstance(own, property) else own
            assert kind_of(type("Own", (kind,), {name: own})(*made)) is None

    def test_a_replaced_method(self, monkeypatch):
        """A method replaced on an object, or on the class itself, counts too."""
        assert kind_of(shadowed()) is None
        monkeypatch.setattr(Tanh, "value", lambda self, z: np.sin(z))
        assert kind_of(Tanh()) is None

    def test_a_branch_by_another_chain(self):
        """A Residual whose chain was replaced is none."""
        block = Residual([Dense(4, 4)])
        block.chain = type("Reversed", (type(block.chain),), {"forward": None})(block.chain.layers)
        assert kind_of(block) is None

    def test_a_subclass_that_starts_elsewhere_keeps_its_rule(self):
        """A Dense layer with another initialisation is as fast as ever, and no note speaks of it."""
        net = Network([Identity(5, 4), Tanh(), Identity(4, 3)], CE)
        engine = engine_of(Case(net, FLAT, LABELS, ()))
        assert (engine.notes, engine.workers, engine.origin) == ((), "threads", engine.state.cost)
        assert engine.state.tail is not None
        assert engine.state.tail.positions == (0, 2)
        assert fastgrad.check(net.problem(parameters_of(net), FLAT, LABELS), perturb="nodes").passed

    def test_rules_stand_behind_an_own_layer(self):
        """Dense layers behind a layer of one's own are computed by kernels as before."""
        assert engine_of(CASES["keeps a buffer"]).state.tail.positions == (2, 4)

    def test_an_own_gradient_is_no_longer_taken_for_a_function(self):
        """A network's own gradient is called once only where all of it is known."""
        net, own = dense(Tanh()), CASES["sin(5x)"].net
        assert is_entirely_ours(net)
        assert not any(is_entirely_ours(n) for n in (own, CASES["quartic loss"].net, dense(ThreeTanh())))
        assert is_networks_own(net.gradient, net, "gradient")
        assert not is_networks_own(own.gradient, own, "gradient")
        assert not is_networks_own(net.cost, own, "cost")


class Counting(Own):
    """The identity, with a gradient that grows from call to call."""

    def __init__(self):
        """No calls yet."""
        self.calls = 0

    def forward(self, p, x):
        """x."""
        return x

    def backward(self, p, x, dy):
        """dy times the number of calls."""
        self.calls += 1
        return dy * self.calls, {}


class Random(Own):
    """A dropout without a seed."""

    def forward(self, p, x):
        """x times a random mask."""
        return x * (np.random.default_rng().random(x.shape) < 0.5)


class Shifts(Own):
    """Writes to the data."""

    def forward(self, p, x):
        """|x|."""
        return np.abs(x, out=x)


class Spoils(Own):
    """Writes to its parameters."""

    def initial(self, rng):
        """One number."""
        return {"scale": np.ones(1)}

    def forward(self, p, x):
        """scale x, and the scale is doubled."""
        y = x * p["scale"]
        p["scale"] *= 2
        return y


class Several(Own):
    """Hands two arrays on."""

    def forward(self, p, x):
        """x and its square."""
        return x, x**2

    def backward(self, p, x, dy):
        """From both."""
        return dy[0] + 2 * x * dy[1], {}


class Joined(Own):
    """Adds two arrays."""

    def forward(self, p, x):
        """Their sum."""
        return x[0] + x[1]

    def backward(self, p, x, dy):
        """To both."""
        return (dy, dy), {}


class Logarithmic(OwnLoss):
    """log of the sum of outputs less targets: math.log refuses what is not positive."""

    def value(self, y, target):
        """log(sum(y - target))."""
        return math.log(np.sum(y - target))

    def gradient(self, y, target):
        """1 / sum."""
        return np.full(y.shape, 1 / np.sum(y - target))


class Lasso(Network):
    """A network with another penalty."""

    def penalty(self, params):
        """The sum of absolute values."""
        return sum(float(np.abs(block).sum()) for block in params.values())

    def gradient(self, params, X, Y):
        """With the signs."""
        g = super().gradient(params, X, Y)
        return {name: g[name] + np.sign(block) for name, block in params.items()}


class Logged(Network):
    """A network whose cost is twice that of its parts."""

    def cost(self, params, X, Y):
        """Twice the parent's."""
        return 2 * super().cost(params, X, Y)

    def gradient(self, params, X, Y):
        """Twice the parent's."""
        return {name: 2 * block for name, block in super().gradient(params, X, Y).items()}


class TestEvaluatedFromOutside:
    """What cannot be taken apart is evaluated as any cost, by the python engine."""

    @pytest.mark.parametrize("of", [Lasso, Logged])
    def test_a_network_of_other_methods(self, of):
        """A subclass of Network is its own cost, penalty included, and a note says so."""
        net = of([Dense(5, 4), Tanh(), Dense(4, 3)], CE)
        report = fastgrad.check(net.problem(parameters_of(net), FLAT, LABELS))
        assert (report.verdict, report.engine) == ("agree", "python")
        assert f"a {of.__name__}, does not compute its cost by the methods" in report.notes[0]
        g = net.gradient(parameters_of(net), FLAT, LABELS)
        g["0.bias"][1] *= 1.001
        assert len(fastgrad.check(net.problem(parameters_of(net), FLAT, LABELS, g)).wrong) == 1

    def test_a_cost_that_is_another_method(self):
        """Of a network's methods only its cost is its cost."""
        net = dense(Tanh(), l2=0.1)
        params = parameters_of(net)
        of = {"structure": net, "args": (FLAT, LABELS)}
        assert is_own_cost(fastgrad.Problem(net.cost, None, params, **of))
        assert not is_own_cost(fastgrad.Problem(net.gradient, None, params, **of))

    def test_a_branch_that_writes_to_its_input(self):
        """Where the input of a branch is overwritten before it is added, the cost itself is evaluated."""
        net = dense(Residual([InPlace()]))
        params = parameters_of(net)
        numeric = fastgrad.numerical_gradient(net.cost, params, args=(FLAT, LABELS)).values
        with pytest.warns(fastgrad.FastgradWarning, match="when its layers are called one by one"):
            report = fastgrad.check(net.problem(params, FLAT, LABELS, numeric))
        assert (report.verdict, report.engine) == ("agree", "python")

    def test_layers_that_hand_on_several_arrays(self):
        """A layer may give anything that the next one takes; nodes are not known then."""
        net = dense(Several(), Joined())
        problem = net.problem(parameters_of(net), FLAT, LABELS)
        report = fastgrad.check(problem, perturb="auto")
        assert (report.verdict, report.engine) == ("agree", "python")
        assert "a layer of the network gives a tuple where others give arrays" in report.notes[0]
        with pytest.raises(fastgrad.InputError, match="knows the pre-activations"):
            fastgrad.check(problem, perturb="nodes")


class TestState:
    """Parts of one's own that keep something, write somewhere, or fail."""

    def given(self, *middle, loss=CE, Y=LABELS, first=None):
        """A problem whose claimed gradient is an array, so that only the cost can be at fault."""
        net = Network([*(first or []), Dense(5, 4), *middle, Dense(4, 3)], loss)
        params = parameters_of(net)
        zeros = {name: np.zeros_like(block) for name, block in params.items()}
        return net.problem(params, FLAT.copy(), Y, zeros)

    def test_random_layer_is_refused(self):
        """A layer that draws at random is refused, as in any cost."""
        with pytest.warns(fastgrad.FastgradWarning), pytest.raises(fastgrad.InputError, match="and then"):
            fastgrad.check(self.given(Random()))

    def test_part_that_writes_to_the_data_is_refused(self):
        """A layer that writes to the inputs, or a loss that writes to the targets, is refused."""
        for problem in (self.given(first=[Shifts()]), self.given(Tanh(), loss=Clips(), Y=2 * REAL)):
            with pytest.raises(fastgrad.InputError, match="changes the arrays in args"):
                fastgrad.check(problem)

    def test_layer_that_writes_to_its_parameters_is_refused(self):
        """A layer that writes to its parameters is refused, and the entry named."""
        with pytest.raises(fastgrad.InputError, match=r"the cost changes its parameters: 1\.scale"):
            fastgrad.check(self.given(Spoils()))

    def test_gradient_that_accumulates_is_refused(self):
        """A network's own gradient with a layer that keeps count is asked more than once."""
        net = dense(Counting())
        with pytest.raises(fastgrad.InputError, match="gradient"):
            fastgrad.check(net.problem(parameters_of(net), FLAT, LABELS))

    def test_loss_outside_its_domain(self):
        """Where a loss raises the cost has no value, in every path; what it raised is quoted."""
        net = Network([Dense(1, 1)], Logarithmic())
        params = {"0.weight": np.ones((1, 1)), "0.bias": np.array([1e-7])}
        X, Y = np.zeros((1, 1)), np.zeros((1, 1))
        engine = NetworkEngine(net.cost, Parameters(params), (X, Y), net)
        offsets = np.array([[-1.0, 1.0, -1e-8]])
        for moving, at in ((engine, 1), (engine.through_nodes("nodes", np.arange(2)), 0)):
            found = moving.values(np.array([at]), offsets) + moving.origin
            assert np.isnan(found[0, 0])
            assert found[0, 1:] == pytest.approx([math.log(1 + 1e-7), math.log(9e-8)], rel=1e-12)
            assert moving.quoted.startswith("ValueError")
        for perturb in PERTURB:
            assert fastgrad.check(net.problem(params, X, Y), perturb=perturb).passed

    def test_float32_inside_is_noise_as_in_any_cost(self):
        """A layer that rounds to float32 is noise, and said to be, as in the plain network."""
        net = dense(Single(), Tanh())
        problem = net.problem(parameters_of(net), FLAT, LABELS)
        plain = fastgrad.check(problem, engine="python")
        for perturb in PERTURB:
            report = fastgrad.check(problem, perturb=perturb)
            assert (report.engine, len(report.wrong), len(plain.wrong)) == ("network", 0, 0)
        by_parameters = fastgrad.check(problem)
        assert by_parameters.notes[1:] == plain.notes
        assert "as much as float32 arithmetic leaves" in plain.notes[-1]

    def test_many_workers(self, monkeypatch):
        """A part of one's own may keep a buffer: processes, not threads, give bitwise the numbers of one."""
        monkeypatch.setattr(chunks, "PILOT_SECONDS", {"threads": 0.0, "processes": 0.0})
        monkeypatch.setattr(chunks, "SHORTEST_CHUNK", {"threads": 1e-5, "processes": 1e-5})
        case = CASES["keeps a buffer"]
        assert engine_of(case).workers == "processes"
        problem = case.net.problem(parameters_for(case), FLAT, LABELS)
        one, two = fastgrad.check(problem), fastgrad.check(problem, n_jobs=2, backend="loky")
        assert two.n_jobs == 2
        assert np.array_equal(one.numeric, two.numeric)


class Images(Own):
    """A first layer whose `inputs` is no number of features."""

    inputs = 2

    def forward(self, p, x):
        """x."""
        return x

    def backward(self, p, x, dy):
        """dy."""
        return dy, {}


class TestConstructor:
    @pytest.mark.parametrize(
        ("attempt", "message"),
        [
            (
                lambda: Network([Dense(5, 3), np.tanh], CE),
                "layer 1, .*tanh.*, has no method output_shape, initial",
            ),
            (lambda: Network([Dense(5, 3), Tanh], CE), r"layer 1 is the class Tanh: pass .* Tanh\(\.\.\.\)"),
            (lambda: dense(Residual([np.tanh])), "layer 0, .*tanh.*, has no method"),
            (
                lambda: dense(loss=np.mean),
                "the loss, .*mean.*, has no method check, value: it needs check, value",
            ),
            (lambda: dense(loss=Quartic), "the loss is the class Quartic"),
        ],
    )
    def test_what_is_no_layer_or_loss_is_refused(self, attempt, message):
        """What lacks a method is refused at once, with its place and what is missing."""
        with pytest.raises(fastgrad.InputError, match=message):
            attempt()

    def test_a_first_layer_may_call_anything_its_inputs(self):
        """Only a Dense layer's inputs are taken for a number of features."""
        net = Network([Images(), Flatten(), Dense(60, 3)], CE)
        assert fastgrad.check(net.problem(parameters_of(net), IMAGES, LABELS[:4])).passed


def test_the_note_names_three_parts():
    """Of many parts without a rule the note names three and says how many more there are."""
    net = Network([Dense(5, 4), *(SinFive() for _ in range(5)), Dense(4, 3)], CE)
    (note,) = engine_of(Case(net, FLAT, LABELS, ())).notes
    assert note.startswith(
        "layer 1 (SinFive()), layer 2 (SinFive()), layer 3 (SinFive()) and 2 more were evaluated by their own"
    )

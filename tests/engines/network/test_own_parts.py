"""Layers, activations and losses of one's own are evaluated by their own methods, in every path."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from network_cases import ACTIVATIONS, JIT, textbook
from own_part_cases import (
    CASES,
    CE,
    FLAT,
    HALF,
    LABELS,
    PERTURB,
    REAL,
    Analytic,
    Block,
    ByPlace,
    Case,
    Centred,
    Fourier,
    InPlace,
    InPlaceQuartic,
    Magnitude,
    Mean,
    OwnActivation,
    Positive,
    Power,
    Quartic,
    RootMeanSquare,
    SinFive,
    Single,
    ThreeTanh,
    Total,
    costs_by,
    dense,
    engine_of,
    parameters_for,
    shadowed,
)

import fastgrad
from fastgrad.networks import (
    BatchNorm,
    Dense,
    Dropout,
    LayerNorm,
    LeakyReLU,
    Network,
    Residual,
    Tanh,
)


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


def test_the_note_names_three_parts():
    """Of many parts without a rule the note names three and says how many more there are."""
    net = Network([Dense(5, 4), *(SinFive() for _ in range(5)), Dense(4, 3)], CE)
    (note,) = engine_of(Case(net, FLAT, LABELS, ())).notes
    assert note.startswith(
        "layer 1 (SinFive()), layer 2 (SinFive()), layer 3 (SinFive()) and 2 more were evaluated by their own"
    )

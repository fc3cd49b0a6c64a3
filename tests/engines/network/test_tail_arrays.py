"""Which layers the kernels know, and the bounds on what these do to a change."""

from __future__ import annotations

import numpy as np
import pytest

from fastgrad import networks
from fastgrad.engines.network.layer_rules import bind_layers
from fastgrad.engines.network.tail_arrays import StageArrays, stages_of
from fastgrad.networks.chain import Chain
from fastgrad.networks.known import ACTIVATIONS

RNG = np.random.default_rng(5)


def bound_layers(layers):
    """The layers with random parameters, and their activations on a batch of six samples."""
    chain = Chain(layers)
    params = {name: RNG.normal(size=b.shape) for name, b in chain.initial(np.random.default_rng(0)).items()}
    return bind_layers(chain, params), chain.forward(params, RNG.normal(size=(6, 5)))


def test_stages_end_at_a_layer_that_kernels_do_not_know():
    """The tail goes back from the last layer to the first that has no kernel, or comes a second time."""
    layers = [networks.Dense(5, 4), networks.LayerNorm(4), networks.Dense(4, 4), networks.Tanh()]
    layers += [networks.Dense(4, 4), networks.BatchNorm(4), networks.ReLU(), networks.Dense(4, 3)]
    assert [stage.position for stage in stages_of(bound_layers(layers)[0])] == [2, 4, 7]
    twice = [networks.Dense(5, 4), networks.Tanh(), networks.ReLU(), networks.Dense(4, 3)]
    assert [stage.position for stage in stages_of(bound_layers(twice)[0])] == [3]


def made(kind):
    """An object of an activation's class, steeper than 1 where it takes a number."""
    return kind(2.5) if kind in (networks.LeakyReLU, networks.ELU) else kind()


@pytest.mark.parametrize("kind", ACTIVATIONS, ids=lambda kind: kind.__name__)
def test_no_slope_is_larger_than_the_lipschitz_constant(kind):
    """Between points 0.002 apart no activation changes by more than its constant says."""
    layers, _ = bound_layers([networks.Dense(5, 4), made(kind)])
    (stage,) = stages_of(layers)
    z = np.linspace(-12, 12, 12_001)
    steepest = np.abs(np.diff(made(kind).forward({}, z)) / np.diff(z)).max()
    assert steepest <= stage.activation.lipschitz * (1 + 1e-9) <= 1.01 * steepest


@pytest.mark.parametrize(
    "after",
    [
        [networks.BatchNorm(4)],
        [networks.Dropout(0.4, seed=1)],
        [networks.BatchNorm(4), networks.Tanh()],
        [networks.SiLU(), networks.BatchNorm(4), networks.Dropout(0.4, seed=1)],
    ],
    ids=lambda after: "-".join(type(layer).__name__ for layer in after),
)
def test_growth_bounds_a_change(after):
    """A small change of one unit is enlarged by no more than the factor after all operations."""
    layers, values = bound_layers([networks.Dense(5, 4), *after])
    (stage,) = stages_of(layers)
    _, factor = StageArrays(layers, values, stage).growth()
    for unit in np.repeat(range(4), 25):
        z = values[1].copy()
        d = 1e-6 * RNG.choice([-1.0, 1.0], size=len(z))
        z[:, unit] += d
        for layer in layers[1:]:
            z = layer.layer.forward(layer.p, z)
        assert np.abs(z - values[-1]).max() <= factor * np.abs(d).max() * (1 + 1e-3)

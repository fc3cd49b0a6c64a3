"""Outputs at many points in one call."""

from __future__ import annotations

import numpy as np
import pytest
from torch_cases import drawn, torch

from fastgrad.adapters.torch import ways
from fastgrad.adapters.torch.output_batches import OutputsBatch, outputs_way
from fastgrad.adapters.torch.tensor_function import TensorFunction
from fastgrad.engines.python import PythonEngine
from fastgrad.problem.parameters import Parameters
from fastgrad.vector.combination import Combination
from fastgrad.vector.outputs import Outputs


def plain_engine(fn, *inputs):
    """The engine of a random combination of the outputs."""
    function = TensorFunction(fn, inputs, list(range(len(inputs))))
    outputs = Outputs.of(function(function.at))
    weights = np.random.default_rng(0).normal(size=outputs.size)
    plain = PythonEngine(Combination(function, outputs, weights), Parameters(function.at))
    plain.baseline()
    return plain


CASES = {
    "two outputs": (lambda x, y: (x @ y, {"s": y.sin()}), drawn(3, 4), drawn(4, seed=1)),
    "complex": (lambda z: (z * z, z.abs()), torch.complex(drawn(5), drawn(5, seed=1))),
}


@pytest.mark.parametrize("case", CASES)
def test_values(case):
    """A batch gives the values of the plain engine, for each input."""
    plain = plain_engine(*CASES[case])
    for number, block in enumerate(plain.parameters.blocks):
        inside = np.arange(block.size)
        by = 0.1 * (1 + inside)
        expected = plain.values(block.start + inside, by[:, None])[:, 0]
        points = plain.working.flat_leaves[number] + by
        found = OutputsBatch(plain.cost, number, 64)(plain.working.structure, inside, points)
        assert np.allclose(found, expected, rtol=1e-13)


def test_way(monkeypatch):
    """The engine batches inputs with enough entries, and leaves a function that vmap cannot take alone."""
    monkeypatch.setattr(ways, "_seconds_of_a_pass", lambda plain: 1.0)  # so that batches are always faster
    engine = outputs_way(plain_engine(lambda x, y: x.sin() * y.sum(), drawn(100), drawn(3)))
    assert list(engine.batches) == [0]
    assert outputs_way(plain_engine(lambda x: x * float(x.sum().item() > 0), drawn(100))) is None
    assert outputs_way(PythonEngine(lambda p: 1.0, Parameters(np.ones(3)))) is None

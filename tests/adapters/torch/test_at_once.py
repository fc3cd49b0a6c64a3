"""A yes at once, where nothing is in doubt."""

from __future__ import annotations

import numpy as np
import pytest
from torch_cases import Scaled, drawn, torch

from fastgrad.adapters.torch.at_once import _rows, is_right_at_once
from fastgrad.adapters.torch.tensor_function import TensorFunction
from fastgrad.options import Options
from fastgrad.vector.projection import VectorProblem


def made(fn, *inputs):
    """The function at these inputs."""
    return TensorFunction(fn, inputs, list(range(len(inputs))))


A = drawn(12, 10)

RIGHT = {
    "elementwise": (lambda x: Scaled.apply(x, 1.0), drawn(70)),
    "dense": (lambda x: (A @ x).tanh(), drawn(10)),
    "two inputs and outputs": (lambda x, y: (x @ y, y.sin()), drawn(3, 4), drawn(4)),
    "a number": (lambda x: Scaled.apply(x, 1.0) * A[0], torch.tensor(0.7, dtype=torch.float64)),
    "a number, no vmap": (lambda x: A[0] * (x if x.item() < 9 else 2), torch.tensor(0.7).double()),
    "complex": (lambda z: (z * z, z.abs()), torch.complex(drawn(5), drawn(5, seed=1))),
    "no vmap": (lambda x: A @ x * (1.0 if x.sum().item() < 1e9 else 2.0), drawn(10)),
}


@pytest.mark.parametrize("case", RIGHT)
def test_right(case):
    """What is right and smooth is seen to be right."""
    assert is_right_at_once(made(*RIGHT[case]), 0)


DOUBTFUL = {
    "wrong": (lambda x: Scaled.apply(x, 1.00001), drawn(70)),
    "wrong and dense": (lambda x: A @ Scaled.apply(x, 1.00001), drawn(10)),
    "kink": (lambda x: x.abs(), torch.tensor([1.0, 0.0, 2.0], dtype=torch.float64)),
    "single precision": (lambda x: x.float().sin(), drawn(10)),
    "detached": (lambda x: x.detach() * 2 + 0 * x, drawn(10)),
}


@pytest.mark.parametrize("case", DOUBTFUL)
def test_doubtful(case):
    """Anything else is left to a whole check."""
    assert not is_right_at_once(made(*DOUBTFUL[case]), 0)


def test_rows():
    """Rows of the Jacobian in one backward pass are those of one pass for each."""
    function = made(lambda x, y: (x @ y, y.sin()), drawn(3, 4), drawn(4))
    vector = VectorProblem(function, function.at, (), Options())
    found = _rows(vector, 0)
    for k, row in enumerate(np.eye(7)):
        u = vector.outputs.structure(row)
        one = function.vjp(function.at, u)
        assert np.allclose(found[k], np.concatenate([g.reshape(-1) for g in one.values()]))

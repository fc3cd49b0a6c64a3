"""Many points in one forward pass give what one pass for each gives."""

from __future__ import annotations

import numpy as np
import pytest
from torch_cases import drawn, settled, torch

from fastgrad.adapters.torch.batches import LayerBatch, TensorBatch, batch_of
from fastgrad.adapters.torch.copies import copied
from fastgrad.adapters.torch.loss_cost import LossCost
from fastgrad.adapters.torch.names import Slot
from fastgrad.adapters.torch.refusals import subject_of
from fastgrad.engines.python import PythonEngine
from fastgrad.problem.parameters import Parameters

nn = torch.nn


def plain_engine(module, X, by_inputs=False):
    """The plain engine of the sum of cubes of a module's output."""
    cost = LossCost(copied(subject_of(settled(module), lambda y: (y**3).abs().sum(), (X,)), None), by_inputs)
    plain = PythonEngine(cost, Parameters(cost.at))
    plain.baseline()
    return plain


def same(plain, number, batch):
    """Whether a batch gives the values of the plain engine."""
    block = plain.parameters.blocks[number]
    inside = np.arange(block.size)
    by = 0.01 * (1 + inside % 7)
    points = plain.working.flat_leaves[number] + by
    expected = plain.values(block.start + inside, by[:, None])[:, 0]
    return np.allclose(batch(plain.working.structure, inside, points), expected, rtol=1e-12, atol=0)


LAYERS = {
    "linear": (nn.Linear(4, 3), drawn(5, 4)),
    "linear on tokens": (nn.Linear(4, 3), drawn(2, 5, 4)),
    "convolution": (nn.Conv2d(2, 4, 3), drawn(3, 2, 5, 5)),
    "grouped": (nn.Conv2d(4, 6, (3, 2), stride=2, padding=1, dilation=2, groups=2), drawn(3, 4, 7, 7)),
}


@pytest.mark.parametrize("name", LAYERS)
def test_layers(name):
    """Weights and biases of a layer amid others, its output batched and its tensor batched."""
    layer, X = LAYERS[name]
    plain = plain_engine(nn.Sequential(nn.Tanh(), layer, nn.GELU()), X)
    for number, is_bias in ((0, False), (1, True)):
        assert same(plain, number, LayerBatch(plain.cost, "1", is_bias, 64))
        assert same(plain, number, TensorBatch(plain.cost, number, 64))


def test_a_wrong_layer():
    """The twin: where the tensor is used elsewhere too the layer's output is not enough."""
    module = nn.Sequential(nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 4))
    module[2].bias = module[0].bias
    plain = plain_engine(module, drawn(5, 4))
    assert not same(plain, 1, LayerBatch(plain.cost, "0", True, 64))
    assert same(plain, 1, TensorBatch(plain.cost, 1, 64))


def test_a_layer_called_twice():
    """It is refused: its two outputs move."""
    layer = nn.Linear(4, 4)
    plain = plain_engine(nn.Sequential(layer, nn.Tanh(), layer), drawn(5, 4))
    with pytest.raises(RuntimeError, match="called 2 times"):
        same(plain, 0, LayerBatch(plain.cost, "0", False, 64))


def test_inputs():
    """Inputs are batched as parameters are."""
    plain = plain_engine(nn.Sequential(nn.Linear(4, 3), nn.Tanh()), drawn(5, 4), by_inputs=True)
    assert plain.parameters.blocks[2].name == "inputs"
    assert same(plain, 2, TensorBatch(plain.cost, 2, 64))


def test_state():
    """Batch normalisation and dropout draw and normalise as in the plain pass."""
    module = nn.Sequential(nn.Linear(4, 5), nn.BatchNorm1d(5), nn.Dropout(0.4), nn.Linear(5, 3))
    plain = plain_engine(module, drawn(6, 4))
    assert same(plain, 0, TensorBatch(plain.cost, 0, 64))
    assert same(plain, 0, LayerBatch(plain.cost, "0", False, 64))


def test_left_as_they_were():
    """After a batch, also one that raises, the module has its own tensors and its own forward again."""
    plain = plain_engine(nn.Sequential(nn.Linear(4, 3)), drawn(5, 4))
    layer = plain.cost.subject.module[0]
    weight = layer.weight
    batch, where = TensorBatch(plain.cost, 0, 64), (np.array([0]), np.array([0.5]))
    batch(plain.working.structure, *where)
    plain.cost.subject = subject_of(plain.cost.subject.module, lambda y: y.nothing, (drawn(5, 4),))
    for failing in (batch, LayerBatch(plain.cost, "0", False, 64)):
        with pytest.raises(AttributeError):
            failing(plain.working.structure, *where)
    assert layer.weight is weight
    assert "forward" not in vars(layer)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.complex128])
def test_on_another_device(dtype):
    """A batch is made on the device of its tensor: on the meta device it takes no memory."""
    tensor = torch.empty(3, 4, dtype=dtype, device="meta")
    slot = Slot("x", tensor)
    inside, points = np.arange(5), np.linspace(0.0, 1.0, 5)
    moved = batch_of(slot, tensor, inside, points)
    assert (moved.device.type, moved.shape, moved.dtype) == ("meta", (5, 3, 4), dtype)
    block = np.zeros((3, 4, 2) if dtype.is_complex else (3, 4))
    made = slot.from_block(block)
    assert (made.device.type, made.shape, made.dtype) == ("meta", (3, 4), dtype)
    assert not slot.fits(block)

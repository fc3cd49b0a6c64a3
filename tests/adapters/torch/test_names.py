"""Names of what is checked."""

from __future__ import annotations

from collections import namedtuple

import numpy as np
import pytest
from torch_cases import drawn, small_net, torch

from fastgrad.adapters.torch.names import (
    Slot,
    flatten_data,
    frozen_names,
    input_slots,
    joined,
    parameter_slots,
)
from fastgrad.errors import InputError


def test_parameters():
    """Parameters have the names that torch prints, in its order; frozen ones are apart."""
    net = small_net()
    net[0].bias.requires_grad_(False)
    assert [slot.name for slot in parameter_slots(net)] == ["0.weight", "2.weight", "2.bias"]
    assert frozen_names(net) == ["0.bias"]


def test_inputs():
    """Inputs have the names by which one finds them, and can be put together again."""
    Pair = namedtuple("Pair", "left right")
    data = {"b": drawn(2), "a": (drawn(2), Pair(drawn(2), torch.tensor([1])))}
    leaves, names, spec = flatten_data(data, "inputs")
    assert names == ["inputs['b']", "inputs['a'][0]", "inputs['a'][1].left", "inputs['a'][1].right"]
    assert [slot.number for slot in input_slots(leaves, names, [])] == [0, 1, 2]
    again = joined(spec, leaves)
    assert list(again) == ["b", "a"]
    assert isinstance(again["a"][1], Pair)


def test_a_parameter_called_inputs():
    """No two blocks have the same name."""
    taken = [Slot("inputs", drawn(2))]
    assert [slot.name for slot in input_slots([drawn(2)], ["inputs"], taken)] == ["the inputs"]


def test_nothing_to_move():
    """Integers alone are no inputs to check by."""
    with pytest.raises(InputError, match="no floating-point tensor among them"):
        input_slots([torch.tensor([1])], ["inputs"], [])


def test_complex_numbers():
    """A complex tensor is a block with one more axis, whose memory the tensor made of it shares."""
    slot = Slot("z", torch.tensor([1 + 2j, 3 - 1j], dtype=torch.complex128))
    block = slot.to_block(slot.tensor)
    assert np.array_equal(block, [[1, 2], [3, -1]])
    made = slot.from_block(block)
    block[0, 1] = 5.0
    assert made[0] == 1 + 5j


def test_copies():
    """A block is a copy: writing to it leaves the tensor alone."""
    slot = Slot("x", drawn(3))
    before = slot.tensor.clone()
    slot.to_block(slot.tensor)[:] = 0
    assert torch.equal(slot.tensor, before)


def test_half_precision():
    """A tensor in half precision is a block of float32, and made of one again, also of one of float64."""
    slot = Slot("x", drawn(3, dtype=torch.bfloat16))
    block = slot.to_block(slot.tensor)
    assert block.dtype == np.float32
    assert not slot.fits(block)
    assert not slot.fits(block.astype(np.float64))
    assert torch.equal(slot.from_block(block.astype(np.float64)), slot.tensor)

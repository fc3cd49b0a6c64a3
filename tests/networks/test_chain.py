"""Chain: layers one after the other, their parameters named by position."""

from __future__ import annotations

import numpy as np
import pytest

from fastgrad.errors import InputError
from fastgrad.networks import Dense, Residual, Tanh
from fastgrad.networks.chain import Chain

CHAIN = Chain([Dense(3, 4), Tanh(), Residual([Dense(4, 4)])])
X = np.random.default_rng(0).normal(size=(5, 3))


class TestChain:
    def test_shapes(self):
        """The shape before the first layer and after each; two that do not chain are named."""
        assert CHAIN.shapes((3,)) == [(3,), (4,), (4,), (4,)]
        with pytest.raises(InputError, match=r"layer 1 does not fit layer 0, Dense\(inputs=3, outputs=4\),"):
            Chain([Dense(3, 4), Dense(3, 4)]).shapes((3,))

    def test_names(self):
        """Parameters are named by their layer's position, inside a branch by two; each layer gets its own."""
        p = CHAIN.initial(np.random.default_rng(0))

        assert list(p) == ["0.weight", "0.bias", "2.0.weight", "2.0.bias"]
        assert list(CHAIN.own(p, 2)) == ["0.weight", "0.bias"]
        assert CHAIN.own(p, 1) == {}

    def test_own_is_by_the_whole_number(self):
        """Layer 1 does not get what belongs to layer 10."""
        assert CHAIN.own({"10.weight": X, "1.bias": X}, 1) == {"bias": X}

    def test_forward_from_a_layer(self):
        """From the input of any layer on the values are those of the whole pass."""
        p = CHAIN.initial(np.random.default_rng(0))
        values = CHAIN.forward(p, X)

        assert len(values) == 4
        for start in range(4):
            again = CHAIN.forward(p, values[start], start)
            assert all(np.array_equal(a, b) for a, b in zip(again, values[start:], strict=True))

    def test_backward(self):
        """The gradient of each parameter has its name and its shape."""
        p = CHAIN.initial(np.random.default_rng(0))
        dx, gradients = CHAIN.backward(p, CHAIN.forward(p, X), np.ones((5, 4)))

        assert dx.shape == X.shape
        assert {name: g.shape for name, g in gradients.items()} == {name: b.shape for name, b in p.items()}

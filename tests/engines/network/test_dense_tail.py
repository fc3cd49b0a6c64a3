"""The dense tail: what the kernels read of a network."""

from __future__ import annotations

import numpy as np
import pytest
from network_cases import CE, FLAT, LABELS, parameters_of

from fastgrad.engines.network.dense_tail import _first_equal_row
from fastgrad.engines.network.state import NetworkState
from fastgrad.networks import GELU, BatchNorm, Dense, Dropout, LayerNorm, Network, ReLU, Tanh


def test_first_equal_row():
    """Rows equal to an earlier one are found, zeros and rows that only begin alike are not."""
    rows = np.array([[1.0, 2.0], [0.0, 0.0], [1.0, 3.0], [1.0, 2.0], [0.0, 0.0], [5.0, 1.0], [1.0, 3.0]])
    assert _first_equal_row(rows).tolist() == [0, 1, 2, 0, 4, 5, 2]


def state_of(*layers, loss=CE):
    """The state of a network on the flat batch."""
    net = Network(layers, loss)
    return NetworkState(net, parameters_of(net), FLAT, LABELS)


class TestDenseTail:
    @pytest.mark.parametrize(
        ("layers", "positions"),
        [
            ([Dense(5, 4), Tanh(), Dense(4, 3)], (0, 2)),
            ([Dense(5, 4), BatchNorm(4), Tanh(), Dropout(0.5), Dense(4, 3), ReLU()], (0, 4)),
            ([Dense(5, 4), LayerNorm(4), Dense(4, 3)], (2,)),
            ([Dense(5, 4), Tanh(), Tanh(), Dense(4, 3)], (3,)),
            ([Dense(5, 3), LayerNorm(3)], None),
        ],
    )
    def test_positions(self, layers, positions):
        """The tail goes back as far as kernels know what stands between the layers; there may be none."""
        tail = state_of(*layers).tail

        assert (None if tail is None else tail.positions) == positions

    def test_amplification_is_a_bound(self):
        """No change of a unit grows more on its way to a later activation than is said."""
        state = state_of(Dense(5, 4), Tanh(), Dense(4, 4), GELU(), Dense(4, 3))
        du = 1e-3
        for stage, position in enumerate(state.tail.positions):
            for unit, bound in enumerate(state.tail.amplification[stage]):
                moved = state.values[position + 1].copy()
                moved[:, unit] += du
                after = state.network.chain.forward(state.params, moved, position + 1)
                grown = [
                    np.abs(a - b).max() for a, b in zip(after, state.values[position + 1 :], strict=True)
                ]
                assert max(grown) <= bound * du * (1 + 1e-9)

    def test_is_small(self):
        """A coordinate is small where the offset times the largest input stays within the kernel's series."""
        tail = state_of(Dense(5, 4), Tanh(), Dense(4, 3)).tail
        feature, unit = np.array([0, 0, -1]), np.array([1, 1, 1])

        found = tail.is_small(0, feature, unit, np.array([[1e-6, -1e-6], [1e3, 0.0], [1e-6, 0.0]]))

        assert found.tolist() == [True, False, True]

"""Embedding: rows of a table for integers."""

from __future__ import annotations

import numpy as np
import pytest
from layer_gradients import require_gradients

from fastgrad.errors import InputError
from fastgrad.networks.embedding import Embedding

TOKENS = np.array([[0, 2, 2], [1, 0, 3]])


class TestEmbedding:
    def test_rows(self):
        """Each integer becomes its row."""
        table = np.arange(8.0).reshape(4, 2)

        assert Embedding(4, 2).forward({"weight": table}, TOKENS[:1]).tolist() == [[[0, 1], [4, 5], [4, 5]]]

    def test_gradients(self):
        """A row's gradient is the sum over all places where it was used; an unused row has none."""
        require_gradients(Embedding(5, 2), TOKENS, by_input=False)
        _, own = Embedding(5, 2).backward({"weight": np.zeros((5, 2))}, TOKENS, np.ones((2, 3, 2)))

        assert own["weight"][:, 0].tolist() == [2, 1, 2, 1, 0]

    @pytest.mark.parametrize("tokens", [np.array([[4]]), np.array([[-1]]), np.array([[0.0]])])
    def test_refused(self, tokens):
        """What is no row is refused, a float too."""
        with pytest.raises(InputError, match="takes integers from 0 to 3"):
            Embedding(4, 2).forward({"weight": np.zeros((4, 2))}, tokens)

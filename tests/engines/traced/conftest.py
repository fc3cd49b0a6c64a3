"""Random numbers for tests of recorded costs: no two are equal, and none is at a threshold."""

from __future__ import annotations

import numpy as np
import pytest

APART = 0.004
"""What is added at most: guards such as x > 1, and the order of entries, then outlast a small move."""


@pytest.fixture
def rng(rng):
    """The numbers of the fixture of that name, each moved by a little of its own."""

    class Apart(type(rng)):
        """Random arrays whose entries stand apart from each other and from round numbers."""

        def array(self, *shape, **options):
            """An array of that shape."""
            x = super().array(*shape, **options)
            offsets = APART * (1 + np.arange(x.size).reshape(x.shape)) / (1 + x.size)
            return np.asarray(x + offsets, dtype=x.dtype)

    return Apart(rng.seed)

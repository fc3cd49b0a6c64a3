"""The gradient of another block is recognised by its numbers."""

from __future__ import annotations

import numpy as np
import pytest
from diagnosis_cases import B1, B2, VECTOR, block, changed, kinds, said

from fastgrad.diagnosis.diagnose import diagnose
from fastgrad.diagnosis.other_blocks import Others

# what is claimed: all that is said, as (kind, sentence)
NAMED = {
    "swapped": (
        changed(b1=B2, b2=B1),
        [
            (
                "swapped",
                "b1 and b2: the claimed gradients of b1 and b2 are swapped: look at the order in which "
                "they are returned",
            )
        ],
    ),
    "another block": (
        changed(b1=B2),
        [
            (
                "another block",
                "b1: the claimed gradient is that of b2: look for the wrong name, or an index into a list of "
                "gradients that is off",
            ),
        ],
    ),
}


class TestNamed:
    @pytest.mark.parametrize("bug", NAMED)
    def test_bug(self, bug):
        """Each bug in the gradient of a small network is named with its numbers, and nothing else is said."""
        claimed, expected = NAMED[bug]

        assert said(claimed) == expected

    def test_off_by_one_in_a_list(self):
        """Gradients that are each the next one of a list are named one by one."""
        rng = np.random.default_rng(6)
        d = rng.normal(size=(4, 5))
        blocks = [block(f"params[{i}]", d[(i + 1) % 4], d[i]) for i in range(4)]

        found = [x.sentence.partition(": look")[0] for x in diagnose(blocks)]

        assert found == [
            f"params[{i}]: the claimed gradient is that of params[{(i + 1) % 4}]" for i in range(4)
        ]


class TestNotNamed:
    """What only looks like a mistake that has a name."""

    def test_block_of_zeros(self):
        """A claim next to zero is not called the gradient of a block whose gradient is zero."""
        none = block("v", np.zeros(12), np.zeros(12), e=1e-9)

        assert kinds(block("w", 1e-12 * VECTOR[::-1] ** 2, VECTOR), none) == ["unexplained"]


class TestOthers:
    def test_another_block(self):
        """The block whose gradient is claimed is found among others of its size, and by its entries."""
        d = np.random.default_rng(6).normal(size=(3, 40))
        wrong, other, third = block("a", d[1], d[0]), block("b", d[1], d[1]), block("c", d[2], d[2])
        longer = block("d", np.arange(50.0), np.arange(50.0))

        found = Others([wrong, third, other, longer]).another_block(wrong)

        assert found.text.startswith("the claimed gradient is that of b: look for the wrong name")
        assert Others([wrong, third, longer]).another_block(wrong) is None

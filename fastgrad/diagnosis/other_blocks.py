"""Detector of a block that has the gradient of another: two are swapped, or an index into a list is off.

Notation: g, d, t as in evidence.py. Only blocks of the same size with the same checked entries are compared.
All of them are compared at a few entries first, as one array.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from fastgrad.arrays import Floats
from fastgrad.diagnosis.evidence import Evidence, Explanation
from fastgrad.diagnosis.rearranged import FEWEST_MOVED

COMPARED_FIRST = 16
"""Entries at which blocks are compared first. Only blocks that agree there are compared at all entries."""


class OtherBlocks:
    """All of the user's blocks, in which the claimed gradient of one block is looked up.

    Parameters
    ----------
    blocks : the evidence of every block, in the user's order
    """

    def __init__(self, blocks: Sequence[Evidence]) -> None:
        self.blocks = blocks

    def another_block(self, block: Evidence) -> Explanation | None:
        """The claimed gradient is that of another block of the same size."""
        if not block.explicable:
            return None
        other = next((o for o in self._candidates(block) if _is_gradient_of(block, o)), None)
        if other is None:
            return None
        if other.explicable and _is_gradient_of(other, block):
            first, second = (b.name for b in self.blocks if b is block or b is other)
            text = f"the claimed gradients of {first} and {second} are swapped"
            return Explanation("swapped", f"{text}: look at the order in which they are returned")
        return Explanation(
            "another block",
            f"the claimed gradient is that of {other.name}: look for the wrong name, or an index into a list "
            "of gradients that is off",
        )

    def _candidates(self, block: Evidence) -> list[Evidence]:
        """Other blocks whose gradient is the claimed gradient of this one at the first few entries."""
        group, d, t = self._groups[_key(block)]
        near = ~(np.abs(block.claimed[_compared_first(block)] - d) > t).any(axis=1)
        return [group[i] for i in np.flatnonzero(near) if group[i] is not block]

    @cached_property
    def _groups(self) -> dict[tuple[int, int], tuple[list[Evidence], Floats, Floats]]:
        """Blocks of the same size, with d and t at their first few entries, (blocks, entries) each."""
        groups: dict[tuple[int, int], list[Evidence]] = {}
        for block in self.blocks:
            groups.setdefault(_key(block), []).append(block)
        return {
            key: (
                group,
                np.array([b.numeric[_compared_first(b)] for b in group]),
                np.array([_tolerance(b) for b in group]),
            )
            for key, group in groups.items()
        }


def _key(block: Evidence) -> tuple[int, int]:
    return block.size, len(block.inside)


def _compared_first(block: Evidence) -> slice:
    """COMPARED_FIRST checked entries or some more, at equal distances."""
    return slice(None, None, max(1, len(block.inside) // COMPARED_FIRST))


def _tolerance(block: Evidence) -> Floats:
    """t at the first few entries, inf where d is unknown."""
    t = np.full(len(block.inside), np.inf)
    t[block.known] = block.facts.t
    return t[_compared_first(block)]


def _is_gradient_of(block: Evidence, other: Evidence) -> bool:
    """Whether the claimed gradient of a block is the gradient of another, and not its own."""
    known, least = other.known, min(FEWEST_MOVED, block.size)
    if not (other.inside == block.inside).all() or (block.wrong & known).sum() < least:
        return False
    return other.facts.explains(block.claimed[known]) and other.facts.visible(other.facts.d) >= least

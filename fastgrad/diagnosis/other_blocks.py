"""The gradient of another block: two that are swapped, or a list of gradients with an index that is off.

Notation: g, d, t as in evidence.py. Only blocks of the same size with the same entries checked are compared,
at a few probes first, for all of them at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from fastgrad.arrays import Floats
from fastgrad.diagnosis.evidence import Evidence, Explanation
from fastgrad.diagnosis.rearranged import MOVED

PROBES = 16
"""Entries by which blocks are compared before all of their entries are."""


class Others:
    """All of the user's blocks, to find in them what is claimed of one.

    Parameters
    ----------
    blocks : in the user's order
    """

    def __init__(self, blocks: Sequence[Evidence]) -> None:
        self.blocks = blocks

    def another_block(self, block: Evidence) -> Explanation | None:
        """The claim is the gradient of another block of the same size."""
        if not block.explicable:
            return None
        other = next((o for o in self._alike(block) if _holds(block, o)), None)
        if other is None:
            return None
        if other.explicable and _holds(other, block):
            first, second = (b.name for b in self.blocks if b is block or b is other)
            text = f"the claimed gradients of {first} and {second} are swapped"
            return Explanation("swapped", f"{text}: look at the order in which they are returned")
        return Explanation(
            "another block",
            f"the claimed gradient is that of {other.name}: look for the wrong name, or an index into a list "
            "of gradients that is off",
        )

    def _alike(self, block: Evidence) -> list[Evidence]:
        """Other blocks whose gradients are those claimed of this one, at the probes."""
        group, d, t = self._groups[_key(block)]
        near = ~(np.abs(block.claimed[_probes(block)] - d) > t).any(axis=1)
        return [group[i] for i in np.flatnonzero(near) if group[i] is not block]

    @cached_property
    def _groups(self) -> dict[tuple[int, int], tuple[list[Evidence], Floats, Floats]]:
        """Blocks of the same size, with d and t at their probes."""
        groups: dict[tuple[int, int], list[Evidence]] = {}
        for block in self.blocks:
            groups.setdefault(_key(block), []).append(block)
        return {
            key: (
                group,
                np.array([b.numeric[_probes(b)] for b in group]),
                np.array([_room(b) for b in group]),
            )
            for key, group in groups.items()
        }


def _key(block: Evidence) -> tuple[int, int]:
    return block.size, len(block.inside)


def _probes(block: Evidence) -> slice:
    return slice(None, None, max(1, len(block.inside) // PROBES))


def _room(block: Evidence) -> Floats:
    """t at the probes."""
    t = np.full(len(block.inside), np.inf)
    t[block.known] = block.facts.t
    return t[_probes(block)]


def _holds(block: Evidence, other: Evidence) -> bool:
    """Whether the claim of a block is the gradient of another, which is not its own."""
    known, least = other.known, min(MOVED, block.size)
    if not (other.inside == block.inside).all() or (block.wrong & known).sum() < least:
        return False
    return other.facts.explains(block.claimed[known]) and other.facts.visible(other.facts.d) >= least

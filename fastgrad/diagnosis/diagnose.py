"""The likely mistake in a wrong gradient, from what is known of each block.

The report calls `diagnose` with the `Evidence` of every block, (m,) arrays over its checked entries, and gets
`Diagnosis` values with sentences. Nothing is evaluated.

A detector is a function that takes the evidence of a block, and returns an `Explanation` or None. Each module
has the detectors of one family of mistakes. Those that explain every checked entry of a block are asked
first, from the simplest mistake on; the first explanation is believed. evidence.py defines when a mistake
explains a block (docs/numerics.md, Diagnosis).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from fastgrad.diagnosis.evidence import SPARE, Detector, Diagnosis, Evidence, Explanation
from fastgrad.diagnosis.factors import factor
from fastgrad.diagnosis.layers import over_layers
from fastgrad.diagnosis.other_blocks import OtherBlocks
from fastgrad.diagnosis.partial import in_places, tail, unexplained
from fastgrad.diagnosis.penalties import factor_and_penalty, only_penalty, penalty
from fastgrad.diagnosis.per_unit import per_unit
from fastgrad.diagnosis.rearranged import permuted, rearranged, shifted
from fastgrad.diagnosis.sentences import Found, sentences
from fastgrad.diagnosis.simple import independent, not_finite, single_precision, unresolved, zero
from fastgrad.diagnosis.sums import broadcast, clipped

__all__ = ["Diagnosis", "Evidence", "diagnose"]


@np.errstate(all="ignore")  # what overflows explains nothing
def diagnose(blocks: Sequence[Evidence], lengths: Sequence[int] = ()) -> tuple[Diagnosis, ...]:
    """The likely mistakes, in the order of the blocks; patterns over the layers come last.

    Parameters
    ----------
    blocks : the evidence of every block, also of the right ones, in the user's order
    lengths : of the axes of the user's data, such as the number of examples: a factor may be one of them

    Examples
    --------
    >>> d = np.array([1.0, -2.0, 4.0, 0.5])
    >>> no, yes = np.zeros(4, bool), np.ones(4, bool)
    >>> b = Evidence("b", (4,), np.arange(4), -d, d, 1e-9 * abs(d), yes, no, np.zeros(4))
    >>> diagnose([b])[0].sentence
    'b: claimed = -1 * numeric in every entry: a minus sign is missing, or one too many'
    """
    found = _explain([b for b in blocks if b.wrong.any()], blocks, lengths)
    patterns = over_layers(blocks, {b.name: e.kind for b, e in found})
    covered = {name for p in patterns for name in p.blocks}
    kept = [(b, e) for b, e in found if not (e.kind == "unexplained" and b.name in covered)]
    return (*sentences(kept, blocks), *patterns)


def _explain(wrong: Sequence[Evidence], blocks: Sequence[Evidence], lengths: Sequence[int]) -> Found:
    """The explanation of each wrong block.

    A block without an explanation of its own is tried with the number that explains another block, then
    together with all that are left, and at last in part.
    """
    detectors = _of_whole_blocks(blocks, lengths)
    found = {id(b): _first(b, detectors) for b in wrong}
    known = [e for e in found.values() if e is not None and e.numbers]
    for b in wrong:
        found[id(b)] = found[id(b)] or _by_a_known_number(b, known, lengths)
    left = [b for b in wrong if found[id(b)] is None]
    together = _together(left, lengths)
    for b in left:
        found[id(b)] = together or _first(b, _of_parts(lengths))
    return [(b, e) for b in wrong if (e := found[id(b)]) is not None]


def _of_whole_blocks(blocks: Sequence[Evidence], lengths: Sequence[int]) -> list[Detector]:
    """The detectors that explain every entry of a block, simplest first."""
    return [
        not_finite,
        zero,
        independent,
        unresolved,
        single_precision,
        *_with_numbers(lengths),
        only_penalty,
        rearranged,
        shifted,
        OtherBlocks(blocks).another_block,
        permuted,
        broadcast,
        clipped,
        tail,
    ]


def _with_numbers(lengths: Sequence[int], spare: int = SPARE) -> list[Detector]:
    """The detectors that fit a number, which several blocks may have in common."""
    return [
        partial(factor, lengths=lengths, spare=spare),
        partial(penalty, spare=spare),
        partial(factor_and_penalty, lengths=lengths, spare=spare),
    ]


def _of_parts(lengths: Sequence[int]) -> list[Detector]:
    """The detectors that explain a part of a block, or only describe it."""
    return [per_unit, partial(in_places, relation=partial(factor, lengths=lengths)), unexplained]


def _first(block: Evidence, detectors: Sequence[Detector]) -> Explanation | None:
    """The explanation of the first detector that has one."""
    return next((e for detector in detectors if (e := detector(block)) is not None), None)


def _by_a_known_number(
    block: Evidence, known: Sequence[Explanation], lengths: Sequence[int]
) -> Explanation | None:
    """The explanation of a small block by a number that explains another block too.

    In a small block any number would fit by chance.
    """
    for detector in _with_numbers(lengths, spare=0) if known else ():
        e = detector(block)
        if e is not None and any(e.agrees(other) for other in known):
            return e
    return None


def _together(blocks: Sequence[Evidence], lengths: Sequence[int]) -> Explanation | None:
    """One factor or term that explains several blocks as if they were one, such as single numbers."""
    if len(blocks) < 2 or not all(b.explicable for b in blocks):
        return None
    dtypes = [b.claimed_dtype for b in blocks if b.claimed_dtype is not None]
    arrays: dict[str, Any] = {
        name: np.concatenate([getattr(b, name) for b in blocks])
        for name in ("claimed", "numeric", "bound", "wrong", "undecided", "x")
    }
    size = len(arrays["x"])
    coarsest = min(dtypes, key=lambda t: t.itemsize, default=None)
    joint = Evidence("", (size,), np.arange(size), **arrays, claimed_dtype=coarsest)
    return _first(joint, _with_numbers(lengths))

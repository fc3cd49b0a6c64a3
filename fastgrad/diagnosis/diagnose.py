"""What the likely mistake in a wrong gradient is, from what is known of each block.

Nothing is evaluated: arrays in, sentences out. Each module knows one family of mistakes; for each block they
are asked in order, the simplest first, and the first that explains every checked entry is believed. What
"explains" means is said in evidence.py. (docs/numerics.md, Diagnosis.)
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from fastgrad.diagnosis.evidence import MORE, Detector, Diagnosis, Evidence, Explanation
from fastgrad.diagnosis.factors import factor
from fastgrad.diagnosis.layers import over_layers
from fastgrad.diagnosis.other_blocks import Others
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
    """Say what the likely mistakes are, in the order of the blocks; what the layers say comes last.

    Parameters
    ----------
    blocks : what is known of every block, the right ones too, in the user's order
    lengths : of the axes of the user's data, such as the number of samples, to name factors by

    Examples
    --------
    >>> d = np.array([1.0, -2.0, 4.0, 0.5])
    >>> no, yes = np.zeros(4, bool), np.ones(4, bool)
    >>> b = Evidence("b", (4,), np.arange(4), -d, d, 1e-9 * abs(d), yes, no, np.zeros(4))
    >>> diagnose([b])[0].sentence
    'b: claimed = -1 * numeric in every entry: a minus sign is missing, or one too many'
    """
    found = _explained([b for b in blocks if b.wrong.any()], blocks, lengths)
    patterns = over_layers(blocks, {b.name: e.kind for b, e in found})
    covered = {name for p in patterns for name in p.blocks}
    kept = [(b, e) for b, e in found if not (e.kind == "unexplained" and b.name in covered)]
    return (*sentences(kept, blocks), *patterns)


def _explained(wrong: Sequence[Evidence], blocks: Sequence[Evidence], lengths: Sequence[int]) -> Found:
    """What explains each block: by itself, by the numbers of another, together with others, or in part."""
    detectors = _whole(blocks, lengths)
    found = {id(b): _first(b, detectors) for b in wrong}
    known = [e for e in found.values() if e is not None and e.numbers]
    for b in wrong:
        found[id(b)] = found[id(b)] or _borrowed(b, known, lengths)
    left = [b for b in wrong if found[id(b)] is None]
    shared = _shared(left, lengths)
    for b in left:
        found[id(b)] = shared or _first(b, _part(lengths))
    return [(b, e) for b in wrong if (e := found[id(b)]) is not None]


def _whole(blocks: Sequence[Evidence], lengths: Sequence[int]) -> list[Detector]:
    """What explains all of a block, simplest first."""
    return [
        not_finite,
        zero,
        independent,
        unresolved,
        single_precision,
        *_numbers(lengths),
        only_penalty,
        rearranged,
        shifted,
        Others(blocks).another_block,
        permuted,
        broadcast,
        clipped,
        tail,
    ]


def _numbers(lengths: Sequence[int], spare: int = MORE) -> list[Detector]:
    """What has numbers to fit, which several blocks may have in common."""
    return [
        partial(factor, lengths=lengths, spare=spare),
        partial(penalty, spare=spare),
        partial(factor_and_penalty, lengths=lengths, spare=spare),
    ]


def _part(lengths: Sequence[int]) -> list[Detector]:
    """What explains a part of a block, or compares it."""
    return [per_unit, partial(in_places, relation=partial(factor, lengths=lengths)), unexplained]


def _first(block: Evidence, detectors: Sequence[Detector]) -> Explanation | None:
    return next((e for detector in detectors if (e := detector(block)) is not None), None)


def _borrowed(block: Evidence, known: Sequence[Explanation], lengths: Sequence[int]) -> Explanation | None:
    """A block too small to tell a number from chance may have the one that another block has."""
    for detector in _numbers(lengths, spare=0) if known else ():
        e = detector(block)
        if e is not None and any(e.agrees(other) for other in known):
            return e
    return None


def _shared(blocks: Sequence[Evidence], lengths: Sequence[int]) -> Explanation | None:
    """One factor or term for several blocks, such as parameters that are single numbers."""
    if len(blocks) < 2 or not all(b.explicable for b in blocks):
        return None
    dtypes = [b.claimed_dtype for b in blocks if b.claimed_dtype is not None]
    arrays = {
        name: np.concatenate([getattr(b, name) for b in blocks])
        for name in ("claimed", "numeric", "bound", "wrong", "undecided", "x")
    }
    size = len(arrays["x"])
    coarsest = min(dtypes, key=lambda t: t.itemsize, default=None)
    return _first(Evidence("", (size,), np.arange(size), **arrays, claimed_dtype=coarsest), _numbers(lengths))

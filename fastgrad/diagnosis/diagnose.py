"""The likely mistake in a wrong gradient, from what is known of each block.

The report calls `diagnose` with the `Evidence` of every block, (m,) arrays over its checked entries, and gets
`Diagnosis` values with sentences. Nothing is evaluated.

A detector is a function that takes the evidence of a block, and returns an `Explanation` or None. Each module
has the detectors of one family of mistakes. Those that explain every checked entry of a block are asked
first, from the simplest mistake on; the first explanation is believed. evidence.py defines when a mistake
explains a block, coincidence.py when few entries are enough (docs/numerics.md, Diagnosis).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from fastgrad.diagnosis.complex_numbers import another_convention, real_only
from fastgrad.diagnosis.evidence import SPARE, Detector, Diagnosis, Evidence, Explanation
from fastgrad.diagnosis.factor_names import Known
from fastgrad.diagnosis.factors import factor, named_factor
from fastgrad.diagnosis.layers import over_layers
from fastgrad.diagnosis.other_blocks import OtherBlocks
from fastgrad.diagnosis.parametrisations import function_of_parameter, scaled_function
from fastgrad.diagnosis.partial import in_places, tail, unexplained
from fastgrad.diagnosis.penalties import factor_and_penalty, only_penalty, penalty
from fastgrad.diagnosis.per_unit import per_unit
from fastgrad.diagnosis.projections import projection
from fastgrad.diagnosis.rearranged import permuted, rearranged, shifted
from fastgrad.diagnosis.sentences import Found, sentences
from fastgrad.diagnosis.simple import independent, not_finite, single_precision, unresolved, zero
from fastgrad.diagnosis.sums import broadcast, clipped
from fastgrad.diagnosis.symmetric import packed, symmetric
from fastgrad.diagnosis.tangents import tangent
from fastgrad.diagnosis.together import PARTIAL, together, together_in_part

__all__ = ["LEAVES_OPEN", "Diagnosis", "Evidence", "diagnose"]

LEAVES_OPEN = {
    "unexplained",
    "entry",
    "part",
    "rectangle",
    "complex part",
    "triangle",
    "range",
    "stride",
    "per unit",
    "delta",
    "bias",
}
"""The kinds of diagnoses that say where a gradient is wrong, or how, but not by what mistake."""


@np.errstate(all="ignore")  # what overflows explains nothing
def diagnose(
    blocks: Sequence[Evidence], lengths: Sequence[int] = (), cost: float | None = None
) -> tuple[Diagnosis, ...]:
    """The likely mistakes, in the order of the blocks; patterns over the layers come last.

    Parameters
    ----------
    blocks : the evidence of every block, also of the right ones, in the user's order
    lengths : of the axes of the user's data, such as the number of examples: a factor may be one of them
    cost : at the parameters; a factor may be a function of it. None if it is not known

    Examples
    --------
    >>> d = np.array([1.0, -2.0, 4.0, 0.5])
    >>> no, yes = np.zeros(4, bool), np.ones(4, bool)
    >>> b = Evidence("b", (4,), np.arange(4), -d, d, 1e-9 * abs(d), yes, no, np.zeros(4))
    >>> diagnose([b])[0].sentence
    'b: claimed = -1 * numeric in every entry: a minus sign is missing, or one too many'
    """
    found = _explain([b for b in blocks if b.wrong.any()], blocks, Known(tuple(lengths), cost))
    patterns = over_layers(blocks, {b.name: e.kind for b, e in found})
    covered = {name for p in patterns for name in p.blocks}
    kept = [(b, e) for b, e in found if not (e.kind == "unexplained" and b.name in covered)]
    return (*sentences(kept, blocks), *patterns)


def _explain(wrong: Sequence[Evidence], blocks: Sequence[Evidence], known: Known) -> Found:
    """The explanation of each wrong block.

    A block without an explanation of its own is tried with the number that explains another block, then
    together with all that are left, and at last in part.
    """
    detectors = _of_whole_blocks(blocks, known)
    own = {id(b): _first(b, detectors) for b in wrong}
    found = dict(own)
    named = [e for e in own.values() if e is not None]
    for b in wrong if named else ():
        found[id(b)] = _by_the_others(b, own[id(b)], named, known)
    left = [b for b in wrong if found[id(b)] is None]
    shared = together(left, lambda joint: _first(joint, _with_numbers(known)))
    for b in left:
        found[id(b)] = shared or _first(b, _of_parts(known))
    scattered = [b for b in left if (e := found[id(b)]) is not None and e.kind in PARTIAL]
    shared = together_in_part(scattered, partial(_relation, known=known))
    found |= {id(b): shared for b in scattered if shared}
    return [(b, e) for b in wrong if (e := found[id(b)]) is not None]


def _of_whole_blocks(blocks: Sequence[Evidence], known: Known) -> list[Detector]:
    """The detectors that explain every entry of a block, simplest first."""
    return [
        not_finite,
        zero,
        independent,
        another_convention,
        real_only,
        unresolved,
        partial(named_factor, known=known),
        function_of_parameter,
        projection,
        tangent,
        symmetric,
        packed,
        *_with_numbers(known),
        partial(scaled_function, known=known),
        single_precision,
        only_penalty,
        rearranged,
        shifted,
        OtherBlocks(blocks).another_block,
        permuted,
        broadcast,
        clipped,
        tail,
    ]


def _with_numbers(known: Known, spare: int = SPARE) -> list[Detector]:
    """The detectors that fit a number, which several blocks may have in common."""
    return [
        partial(factor, known=known, spare=spare),
        partial(penalty, spare=spare),
        partial(factor_and_penalty, known=known, spare=spare),
    ]


def _relation(part: Evidence, known: Known) -> Explanation | None:
    """In what way wrong entries, which may be few, are all wrong."""
    named = partial(named_factor, known=known)
    return _first(part, [named, function_of_parameter, partial(factor, known=known)])


def _of_parts(known: Known) -> list[Detector]:
    """The detectors that explain a part of a block, or only describe it."""
    return [per_unit, partial(in_places, relation=partial(_relation, known=known)), unexplained]


def _first(block: Evidence, detectors: Sequence[Detector]) -> Explanation | None:
    """The explanation of the first detector that has one."""
    return next((e for detector in detectors if (e := detector(block)) is not None), None)


def _by_the_others(
    block: Evidence, own: Explanation | None, named: Sequence[Explanation], known: Known
) -> Explanation | None:
    """The explanation of a block, given those of all."""
    if own is None:
        return _by_a_known_number(block, named, known)
    if own.kind == "projection" and own.numbers:
        return _common_term(block, own, [e for e in named if e is not own])
    return own


def _by_a_known_number(block: Evidence, others: Sequence[Explanation], known: Known) -> Explanation | None:
    """The explanation of a small block by a number that explains another block too.

    In a small block any number would fit by chance.
    """
    for detector in _with_numbers(known, spare=0):
        e = detector(block)
        if e is not None and any(e.agrees(other) for other in others):
            return e
    return None


def _common_term(block: Evidence, own: Explanation, others: Sequence[Explanation]) -> Explanation:
    """An L2 term in place of a projection, if another block has the same number.

    Projections have a number for each block. If there are several, and their numbers differ, they are no L2
    term, and the numbers say nothing.
    """
    term = penalty(block)
    if term is not None:
        alike = [o.numbers[0] for o in others if o.numbers and o.kind in (own.kind, term.kind)]
        if any(number.agrees(term.numbers[0]) for number in alike):
            return term
    several = any(o.kind == own.kind for o in others)
    return replace(own, numbers=(), detail="") if several else own

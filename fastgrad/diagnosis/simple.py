"""Detectors of the simplest mistakes: not finite, zero, independent of the loss, too few digits.

Notation: g, d, e as in evidence.py.
"""

from __future__ import annotations

import numpy as np

from fastgrad.diagnosis.evidence import Evidence, Explanation, Facts
from fastgrad.diagnosis.places import pattern_of

SINGLE_PRECISION_ERROR = 2.0**-20
"""8 eps of float32: the error that a gradient computed in float32 may have, as a share of an entry or of the
block's rms. (An error of 2^-22 of an entry is below the tolerance of 1e-6, and never called wrong.)"""

LARGEST_LOSS = 0.5
"""The largest error, as a share of the entry itself, that is put down to rounding."""

FEWEST_NUMBERS = 4
"""The fewest claimed numbers that must all be numbers of float32: fewer may be by chance."""


def not_finite(block: Evidence) -> Explanation | None:
    """Some claimed entries are NaN or infinite."""
    bad = ~np.isfinite(block.claimed)
    if not bad.any():
        return None
    first = int(np.argmax(bad))
    where = pattern_of(block, bad, ~bad)
    return Explanation(
        "not finite",
        f"{int(bad.sum())} of {len(bad)} claimed entries are NaN or infinite"
        f"{f', {where.words}' if where else ''}; the first is {block.label(block.inside[first])} = "
        f"{block.claimed[first]}: look for log(0), 0 / 0, sqrt at 0 or an overflow in the backward pass",
    )


def zero(block: Evidence) -> Explanation | None:
    """The claimed gradient is zero throughout, the gradient is not."""
    if block.claimed.any() or not block.explicable:
        return None
    return Explanation(
        "zero",
        "the claimed gradient is 0 in every entry, the numeric one up to {peak}: it is never written, "
        "or detached on the way back",
        peak=float(np.abs(block.facts.d).max()),
    )


def independent(block: Evidence) -> Explanation | None:
    """The gradient is zero within its bounds, the claimed one is not."""
    facts = block.facts
    if not (block.explicable and (np.abs(facts.d) <= facts.e).all()):
        return None
    return Explanation(
        "independent",
        "the loss does not depend on it here (every numeric derivative is 0 within its bound), yet the "
        "claimed gradient is up to {peak}: is it unused, copied or detached in the loss?",
        peak=float(np.abs(block.claimed).max()),
    )


def unresolved(block: Evidence) -> Explanation | None:
    """All differences are within the bounds: a fixed tolerance asks for more than the bounds allow."""
    facts = block.facts
    difference = np.abs(facts.g - facts.d)
    if not (block.explicable and (difference <= facts.e).all()):
        return None
    return Explanation(
        "unresolved",
        "claimed and numeric differ by up to {peak}, and nowhere by more than the numeric derivative may be "
        "off: the tolerance asks for more than differences can tell here",
        peak=float(difference.max()),
    )


def single_precision(block: Evidence) -> Explanation | None:
    """The claimed gradient is right but for the rounding error of float32."""
    facts = block.facts
    if not block.explicable or not _off_by_rounding(facts):
        return None
    worst = float(np.max(np.abs(facts.g - facts.d)))
    stored = _fits_single(facts)
    if stored or (block.claimed_dtype is not None and block.claimed_dtype.itemsize < 8):
        return Explanation(
            "float32",
            "it is right but for the rounding of float32 (off by up to {peak}): compute it in float64",
            peak=worst,
        )
    if np.median(np.abs(facts.g - facts.d) / np.maximum(facts.e, np.finfo(np.float64).tiny)) <= 1:
        return None
    return Explanation(
        "float32",
        "it is off by up to {peak}, no more than the rounding of float32: is part of it computed in float32, "
        "or a small constant (an eps) missing?",
        peak=worst,
    )


def _off_by_rounding(facts: Facts) -> bool:
    """Whether every error is one that rounding makes of that entry, or of a sum in which more canceled.

    What is left of such a sum may be off by as much as itself. An error of half an entry and more is yet not
    put down to rounding: a sign that is flipped, or an entry that is missing, would look the same.
    """
    error, size = np.abs(facts.g - facts.d), np.abs(facts.d)
    of_a_sum = np.minimum(SINGLE_PRECISION_ERROR * facts.rms, LARGEST_LOSS * size)
    return bool((error <= facts.e + np.maximum(SINGLE_PRECISION_ERROR * size, of_a_sum)).all())


def _fits_single(facts: Facts) -> bool:
    """Whether all claimed numbers are numbers of float32, and enough of them are not zero."""
    fits = facts.g.astype(np.float32) == facts.g
    return bool(fits.all()) and int(np.count_nonzero(facts.g)) >= FEWEST_NUMBERS

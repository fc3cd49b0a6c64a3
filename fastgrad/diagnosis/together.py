"""What several blocks have in common: one factor or term that explains them, or their wrong entries, as one.

`diagnose` asks for it where blocks are too small to show it alone, such as single numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from fastgrad.diagnosis.evidence import Detector, Evidence, Explanation
from fastgrad.diagnosis.partial import IN_EVERY_ENTRY, named_entries

PARTIAL = {"entry", "part", "unexplained"}
"""The kinds of explanations of wrong entries without a place in common."""


def together(blocks: Sequence[Evidence], detector: Detector) -> Explanation | None:
    """The explanation of several blocks as if they were one."""
    if len(blocks) < 2 or not all(b.explicable for b in blocks):
        return None
    return detector(_joint(blocks))


def together_in_part(blocks: Sequence[Evidence], detector: Detector) -> Explanation | None:
    """The explanation of the wrong entries of several blocks, in words that say where they are."""
    if len(blocks) < 2 or not all(b.explicable for b in blocks):
        return None
    found = detector(_joint([b.only(b.wrong) for b in blocks]))
    if found is None:
        return None
    labels = [b.label(i) for b in blocks for i in b.inside[b.wrong]]
    where = f" at all {len(labels)} wrong entries{named_entries(labels)}, the others agree"
    return replace(found, kind="part", text=found.text.replace(IN_EVERY_ENTRY, where))


def _joint(blocks: Sequence[Evidence]) -> Evidence:
    """One block of no shape with the entries of all, and the dtype of the coarsest."""
    names = ("claimed", "numeric", "bound", "wrong", "undecided", "x")
    arrays: dict[str, Any] = {name: np.concatenate([getattr(b, name) for b in blocks]) for name in names}
    dtypes = [b.claimed_dtype for b in blocks if b.claimed_dtype is not None]
    coarsest = min(dtypes, key=lambda t: t.itemsize, default=None)
    rounding = [b.rounding for b in blocks if b.rounding is not None]
    measured = np.concatenate(rounding) if len(rounding) == len(blocks) else None
    inside = np.arange(len(arrays["x"]))
    return Evidence("", (), inside, **arrays, claimed_dtype=coarsest, rounding=measured)

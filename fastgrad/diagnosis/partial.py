"""Detectors of a mistake in a part of a block, and a description in numbers of what has no explanation.

`diagnose` asks them for blocks that nothing explains as a whole. Notation: as in evidence.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from fastgrad.diagnosis.evidence import Detector, Evidence, Explanation
from fastgrad.diagnosis.places import Pattern, joined, pattern_of

NEARLY_PARALLEL = 0.9
"""The cosine between claimed and numerical gradient above which a term is probably wrong, not the whole
formula."""

NAMED_ENTRIES = 5
"""The most wrong entries that a sentence names one by one."""

IN_EVERY_ENTRY = " in every entry"
"""What the text of an explanation says of a whole block, and what is left out of that of a part."""


@dataclass(frozen=True)
class Way:
    """In what way all wrong entries are wrong."""

    text: str = ""
    """Such as "claimed = x * numeric"; empty if in no common way."""
    meaning: str = ""
    """What follows, if it says more than where the entries are."""


def tail(block: Evidence) -> Explanation | None:
    """The claimed gradient is 0 from some entry on, and right before it."""
    if not (block.whole and block.explicable) or not block.claimed.any():
        return None
    start = int(np.flatnonzero(block.claimed)[-1]) + 1
    if block.wrong[:start].any():
        return None
    first = block.label(start)
    return Explanation(
        "tail",
        f"the claimed gradient is 0 from {first} on and right before it ({block.size - start} of "
        f"{block.size} entries): look at where the loop or the slice that fills it ends",
    )


def in_places(block: Evidence, relation: Detector) -> Explanation | None:
    """Only some entries are wrong, and they form a pattern, or are all wrong in the same way.

    Parameters
    ----------
    block : Evidence
    relation : the detector that is tried on the wrong entries alone
    """
    bad = block.wrong
    good = ~(bad | block.uninformative)
    count = int(bad.sum())
    if not good.any() or not bad.any():
        return None
    where = pattern_of(block, bad, good)
    how = _how(block, relation)
    of = f"{count} of {len(bad)} {'' if block.whole else 'checked '}entries"
    if count == 1:
        return _single(block, how)
    if where is not None:
        return Explanation(where.kind, f"wrong {where.words} ({of}){_hint(where, how)}")
    if how.text:
        which = named_entries([block.label(i) for i in block.inside[bad]])
        look = how.meaning or "; look at a mask or an index"
        return Explanation("part", f"{of} are wrong{which}, all in the same way: {how.text}{look}")
    return None


def named_entries(labels: Sequence[str]) -> str:
    """The wrong entries in brackets, where they are few; else empty."""
    return f" ({joined(labels)})" if len(labels) <= NAMED_ENTRIES else ""


def _hint(where: Pattern, how: Way) -> str:
    look = {
        "range": "look at the bounds of a loop or a slice",
        "rectangle": "look at the index of one unit, or the bounds of a slice",
        "complex part": "look at a conjugate, .real or .imag",
        "stride": "look at the step of a slice, or at one channel",
        "triangle": "look at what is done there alone, and at conventions for symmetric matrices",
    }[where.kind]
    return f", {how.text} there{how.meaning or f': {look}'}" if how.text else f": {look}"


def _single(block: Evidence, how: Way) -> Explanation:
    i = int(np.argmax(block.wrong))
    there = f" ({how.text}{how.meaning})" if how.text else ""
    return Explanation(
        "entry",
        f"only {block.label(block.inside[i])} is wrong of {len(block.inside)} "
        f"{'' if block.whole else 'checked '}entries: claimed {block.claimed[i]:.6g}, numeric "
        f"{block.numeric[i]:.6g}{there}",
    )


def _how(block: Evidence, relation: Detector) -> Way:
    """In what way all wrong entries are wrong: zero, or by a factor."""
    part = block.only(block.wrong)
    if not part.claimed.any():
        return Way("the claimed gradient is 0")
    if not block.explicable:
        return Way()
    if (np.abs(part.numeric) <= part.bound).all():
        return Way("the numeric one is 0")
    found = relation(part)
    if found is None:
        return Way()
    text = replace(found, detail="").words()
    meaning = found.words().removeprefix(text) if found.kind == "parametrisation" else ""
    return Way(text.removesuffix(IN_EVERY_ENTRY), meaning)


def unexplained(block: Evidence) -> Explanation | None:
    """A description of a wrong block that nothing explains: cosine, ratio of the norms, signs."""
    count, total = int(block.wrong.sum()), len(block.wrong)
    if not count:
        return None
    of = f"{count} of {total} {'' if block.whole else 'checked '}entries are wrong"
    if count <= NAMED_ENTRIES < total:
        of += named_entries([block.label(i) for i in block.inside[block.wrong]])
    compared = compare(block)
    if compared is None:
        return Explanation("unexplained", f"{of}, in no way that has a name")
    cosine, ratio, signs = compared
    return Explanation(
        "unexplained",
        f"{of}, in no way that has a name: |claimed| / |numeric| = {ratio:.3g}, cosine {cosine:.3f}, "
        f"{signs:.0%} of the signs agree; {_reading(cosine)}",
    )


def _reading(cosine: float) -> str:
    if cosine > NEARLY_PARALLEL:
        return "a term is missing or wrong, not the whole formula"
    if cosine < -NEARLY_PARALLEL:
        return "the sign is wrong, and something else"
    return "look at the whole formula"


def compare(block: Evidence) -> tuple[float, float, float] | None:
    """cos(g, d), |g| / |d| and the share of equal signs; None if g or d is all zeros or not finite."""
    g, d = block.facts.g, block.facts.d
    largest = [float(np.abs(v).max(initial=0.0)) for v in (g, d)]
    if not (min(largest) > 0 and np.isfinite(largest).all()):
        return None
    g, d = g / largest[0], d / largest[1]
    norms = float(np.linalg.norm(g)), float(np.linalg.norm(d))
    cosine = float(g @ d) / (norms[0] * norms[1])
    ratio = norms[0] / norms[1] * (largest[0] / largest[1])
    return cosine, ratio, float(np.mean(np.sign(g) == np.sign(d)))

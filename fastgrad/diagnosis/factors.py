"""Detectors of a constant factor: g = k d, so that d = c g with c = 1 / k.

factor_names.py knows what a factor may mean. Notation: as in evidence.py.
"""

from __future__ import annotations

import numpy as np

from fastgrad.diagnosis.coincidence import is_coincidence
from fastgrad.diagnosis.evidence import SPARE, Evidence, Explanation, Facts, Number
from fastgrad.diagnosis.factor_names import NOTHING, UNNAMED_FACTOR, Known, named
from fastgrad.diagnosis.fits import slope
from fastgrad.diagnosis.parametrisations import formulas_of

FACTOR_TEXT = "claimed = {0} * numeric in every entry"


def named_factor(block: Evidence, known: Known = NOTHING) -> Explanation | None:
    """The claim is a constant times the gradient, and the constant has a meaning."""
    found = _fitted(block)
    if found is None:
        return None
    k, why = named(found, block.shape, known)
    if not why:
        return None
    if k.value == -1:
        return Explanation("sign", FACTOR_TEXT, (k,), detail=f": {why}")
    return Explanation("factor", FACTOR_TEXT, (k,), detail=f": {why}{_or_of_the_parameters(block.facts)}")


def factor(block: Evidence, known: Known = NOTHING, spare: int = SPARE) -> Explanation | None:
    """The claim is a constant times the gradient.

    Parameters
    ----------
    block : Evidence
    known : Known
    spare : a factor without a meaning must be visible in more than so many coordinates, or agree at two or
        more so well that it is no coincidence
    """
    with_name = named_factor(block, known)
    if with_name is not None:
        return with_name
    c, facts = _fitted(block), block.facts
    if c is None or c.low * c.high <= 0:
        return None
    few = facts.visible((c.value - 1) * facts.g) <= spare
    if few and is_coincidence(facts, _distinct(facts), fitted=1):
        return None
    k, _ = named(c, block.shape, known)
    return Explanation("factor", FACTOR_TEXT, (k,), detail=f": {UNNAMED_FACTOR}")


def _fitted(block: Evidence) -> Number | None:
    """c, if it explains every entry and is not 1."""
    facts = block.facts
    if not block.explicable:
        return None
    c = slope(facts.g, facts.d, facts.t)
    return None if c is None or not facts.visible((c.value - 1) * facts.g) else c


def _distinct(facts: Facts) -> np.ndarray:
    """A number for each entry, the same where |d| is the same within t."""
    size = np.abs(facts.d)
    order = np.argsort(size)
    apart = np.diff(size[order]) > facts.t[order][1:] + facts.t[order][:-1]
    number = np.zeros(len(size))
    number[order[1:]] = np.cumsum(apart)
    return number


def _or_of_the_parameters(facts: Facts) -> str:
    """What else the factor may be if the parameters are all one number: a function of them."""
    if not (facts.x == facts.x[0]).all():
        return ""
    found = formulas_of(facts)
    return (
        f"; or it is {found[0].text} with x = {facts.x[0]:g}, the parameter: {found[0].meaning}"
        if found
        else ""
    )

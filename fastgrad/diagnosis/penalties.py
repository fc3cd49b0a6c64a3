"""Detectors of a missing or extra term: d = g + beta x (L2), d = g + beta sign(x) (L1), d = g + beta.

Notation: as in evidence.py; lambda = the weight of a term lambda/2 |x|^2 or lambda |x|_1 of the loss, beta =
the fitted number. If the rest of the gradient (the data part) has a factor k too, g = k data + mu x and
d = data + lambda x. Then d = c g + beta x with c = 1 / k, and

    lambda = beta              if the claimed gradient has no L2 term (mu = 0)
    lambda = beta / (1 - c)    if its L2 term is right (mu = lambda)
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from fastgrad.arrays import Floats
from fastgrad.diagnosis.evidence import RELATIVE_ALLOWED, SPARE, Evidence, Explanation, Facts, Number
from fastgrad.diagnosis.factor_names import NOTHING, UNNAMED_FACTOR, Known, named
from fastgrad.diagnosis.fits import slope, two_slopes

L2_MISSING = (
    "numeric - claimed = {0} * parameters in every entry: an L2 term with lambda = {0} is missing, "
    "or one of twice that is there by half"
)
L2_EXTRA = (
    "claimed - numeric = {0} * parameters in every entry: an L2 term with lambda = {0} is there twice, "
    "or as weight decay that is not in the loss"
)
L1_MISSING = (
    "numeric - claimed = {0} * sign(parameters) in every entry: an L1 term with lambda = {0} is missing, "
    "or one of twice that is there by half"
)
L1_EXTRA = (
    "claimed - numeric = {0} * sign(parameters) in every entry: an L1 term with lambda = {0} is there twice, "
    "or is not in the loss"
)
OFFSET = "claimed - numeric = {0} in every entry: a constant is added, or a term missing that is linear"
OR_A_PROJECTION = (
    " (or the part along the parameters is projected out of one of the two, as for a unit norm: check every "
    "entry of the block to tell)"
)
OF_ONE_SIGN = " (or an L1 term: the parameters are all of one sign)"

ON_BIASES = {
    L2_MISSING: "numeric - claimed = {0} * parameters in every entry: the loss has an L2 term with "
    "lambda = {0} on the biases too, the gradient has not",
    L2_EXTRA: "claimed - numeric = {0} * parameters in every entry: the gradient has an L2 term with "
    "lambda = {0} on the biases too, the loss has not",
}
"""The texts for an L2 term where only biases are wrong and weights are right."""


def penalty(block: Evidence, spare: int = SPARE) -> Explanation | None:
    """An L2 term, an L1 term or a constant is missing or there twice.

    Parameters
    ----------
    block : Evidence
    spare : the term must be visible in more than so many coordinates
    """
    facts = block.facts
    if not block.explicable:
        return None
    signs = np.sign(facts.x)
    one_sign = bool((signs == signs[0]).all())
    if not (facts.x == facts.x[0]).all():
        found = _term(facts, facts.x, spare)
        if found is not None:
            return replace(_said("l2", L2_MISSING, L2_EXTRA, found), detail=_in_part(block))
    if not one_sign:
        found = _term(facts, signs, spare)
        if found is not None:
            return _said("l1", L1_MISSING, L1_EXTRA, found)
    found = _term(facts, np.ones(len(facts.d)), spare)
    text = OFFSET + (OF_ONE_SIGN if one_sign and facts.x[0] else "")
    return None if found is None else Explanation("offset", text, (found.times(-1.0),))


def _term(facts: Facts, r: Floats, spare: int) -> Number | None:
    """The beta for which g + beta r explains d, if the term is visible in enough coordinates."""
    beta = slope(r, facts.d - facts.g, facts.t)
    if beta is None or facts.visible(beta.value * r) <= spare or beta.low * beta.high <= 0:
        return None
    return beta


def _in_part(block: Evidence) -> str:
    """What else an L2 term may be where not every entry was checked: x.d is not known then."""
    return "" if block.whole else OR_A_PROJECTION


def _said(term: str, missing: str, extra: str, beta: Number) -> Explanation:
    if beta.value > 0:
        return Explanation(f"{term} missing", missing, (beta,))
    return Explanation(f"{term} extra", extra, (beta.times(-1.0),))


def only_penalty(block: Evidence) -> Explanation | None:
    """The claimed gradient is a multiple of the parameters: the rest of the gradient is missing."""
    facts = block.facts
    if not block.explicable or (facts.x == facts.x[0]).all():
        return None
    rounding = max(RELATIVE_ALLOWED, facts.rounding) * np.abs(facts.g)
    mu = slope(facts.x, facts.g, rounding)
    if mu is None or np.count_nonzero(facts.x) < SPARE + 1:
        return None
    return Explanation(
        "only l2",
        "claimed = {0} * parameters in every entry: an L2 term alone, the rest of the gradient is missing",
        (mu,),
    )


def factor_and_penalty(block: Evidence, known: Known = NOTHING, spare: int = SPARE) -> Explanation | None:
    """The data part has a factor, and there is an L2 term without it.

    Parameters
    ----------
    block : Evidence
    known : Known
    spare : factor and term must each be visible in so many coordinates, and two more
    """
    facts = block.facts
    if not block.explicable or (facts.x == facts.x[0]).all():
        return None
    fit = two_slopes(facts.g, facts.x, facts.d, facts.t)
    if fit is None:
        return None
    c, beta = fit
    k, why = named(c, block.shape, known)
    if min(c.low * c.high, beta.low * beta.high) <= 0:
        return None
    if min(facts.visible((c.value - 1) * facts.g), facts.visible(beta.value * facts.x)) < spare + 2:
        return None
    weight, numbers = _weight(k, beta)
    return Explanation(
        "factor and l2",
        f"claimed = {{0}} * numeric in every entry, once an L2 term is taken out ({weight})",
        (k, *numbers),
        detail=f": the data part has a factor that the penalty has not; {why or UNNAMED_FACTOR}",
    )


def _weight(k: Number, beta: Number) -> tuple[str, tuple[Number, ...]]:
    """What lambda is, in words: it depends on whether the claimed gradient has an L2 term."""
    of_right = beta.times(1 / (1 - 1 / k.value))
    if beta.value > 0 and of_right.value > 0:
        return "lambda = {1} if the claim lacks it, {2} if its own is right", (beta, of_right)
    if of_right.value > 0:
        return "lambda = {1}, which is right in the claim", (of_right,)
    if beta.value > 0:
        return "lambda = {1}, which the claim lacks", (beta,)
    return "lambda = {1}, which the loss has not", (beta.times(-k.value),)

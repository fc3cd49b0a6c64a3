"""Detectors of a factor that is a function of the parameter: a chain rule forgotten, or applied twice.

Notation: as in evidence.py; h = a change of variables, h' = its derivative, phi = a function of x.

    g = d / h'(x)    the claim is the derivative by h(x) instead of x: the h'(x) of the chain rule is missing
    g = d h'(x)      h'(x) is there twice, or where none is due

No number is fitted, so that one entry may show it (coincidence.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from fastgrad.arrays import Floats, IndexArray
from fastgrad.diagnosis.coincidence import is_coincidence
from fastgrad.diagnosis.evidence import SPARE, Evidence, Explanation, Facts, Number
from fastgrad.diagnosis.factor_names import Known, inverse, named
from fastgrad.diagnosis.fits import slope

LOOKED_AT_FIRST = 16
"""Entries at which a formula is tried first. Only one that explains these is tried at all entries."""

MEANINGS_SAID = 2
"""The most meanings of a factor that a sentence gives."""

SHORT = 100
"""The largest denominator of a factor that is called a short number: those that people choose have two
decimals, and parameters too. 0.7 and 1/1.4 are then 1/(2x) of each other, and mean nothing."""

LN10 = float(np.log(10.0))


@dataclass(frozen=True)
class Change:
    """A change of variables x -> h(x)."""

    h: str
    slope: str
    """h'(x) as a formula."""
    inverse: str
    """1 / h'(x) as a formula."""
    derivative: Callable[[Floats], Floats]
    """h'."""
    where: str = ""
    """Where it is usual, in words."""


def _sigmoid(x: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-x)))


CHANGES = (
    Change("log(x)", "1/x", "x", lambda x: 1 / x, "a gradient in log space"),
    Change("exp(x)", "exp(x)", "exp(-x)", np.exp, "x is a log"),
    Change("x^2", "2x", "1/(2x)", lambda x: 2 * x, "x is a sd, x^2 the variance"),
    Change(
        "sqrt(x)", "1/(2 sqrt(x))", "2 sqrt(x)", lambda x: 0.5 / x**0.5, "x is a variance, its root the sd"
    ),
    Change("1/x", "-1/x^2", "-x^2", lambda x: -1 / x**2, "x is a scale, 1/x the rate"),
    Change("logit(x)", "1/(x (1 - x))", "x (1 - x)", lambda x: 1 / (x * (1 - x)), "x is a probability"),
    Change(
        "sigmoid(x)", "sigmoid'(x)", "1/sigmoid'(x)", lambda x: _sigmoid(x) * _sigmoid(-x), "x is a logit"
    ),
    Change("tanh(x)", "(1 - tanh(x)^2)", "1/(1 - tanh(x)^2)", lambda x: 1 / np.cosh(x) ** 2),
    Change("atanh(x)", "1/(1 - x^2)", "(1 - x^2)", lambda x: 1 / (1 - x**2), "x is a correlation"),
    Change("softplus(x)", "sigmoid(x)", "1/sigmoid(x)", _sigmoid),
    Change("log(exp(x) - 1)", "1/(1 - exp(-x))", "(1 - exp(-x))", lambda x: -1 / np.expm1(-x)),
    Change("log(sqrt(x))", "1/(2x)", "2x", lambda x: 0.5 / x, "x is a variance, its root the sd"),
    Change("exp(2x)", "2 exp(2x)", "exp(-2x)/2", lambda x: 2 * np.exp(2 * x), "x is the log of a sd"),
    Change(
        "exp(x/2)", "exp(x/2)/2", "2 exp(-x/2)", lambda x: np.exp(x / 2) / 2, "x is the log of a variance"
    ),
    Change("log(x^2)", "2/x", "x/2", lambda x: 2 / x, "x is a sd, x^2 the variance"),
    Change("exp(-x)", "-exp(-x)", "-exp(x)", lambda x: -np.exp(-x)),
    Change("1/x^2", "-2/x^3", "-x^3/2", lambda x: -2 / x**3, "x is a sd, 1/x^2 the precision"),
    Change("1/sqrt(x)", "-1/(2 x^1.5)", "-2 x^1.5", lambda x: -0.5 / x**1.5, "x is a precision"),
    Change("log(1 + x)", "1/(1 + x)", "(1 + x)", lambda x: 1 / (1 + x)),
    Change("log10(x)", "1/(x ln 10)", "x ln 10", lambda x: 1 / (x * LN10)),
    Change("10^x", "10^x ln 10", "10^-x / ln 10", lambda x: 10**x * LN10, "x is a decimal log"),
)
"""Changes of variables, the usual ones first."""


@dataclass(frozen=True)
class Formula:
    """g = phi(x) d, and what it means."""

    text: str
    phi: Callable[[Floats], Floats]
    meaning: str


def _formulas() -> Iterator[Formula]:
    """What a forgotten chain rule leaves, and one too many, for each change of variables."""
    for c in CHANGES:
        where = f" ({c.where})" if c.where else ""
        yield Formula(
            c.inverse,
            _reciprocal(c.derivative),
            f"the claim is the derivative by {c.h}{where}, the factor {c.slope} of the chain rule is missing",
        )
        yield Formula(
            c.slope,
            c.derivative,
            f"the chain rule of {c.h}{where}, the factor {c.slope}, is applied twice, or where none is due",
        )


def _reciprocal(f: Callable[[Floats], Floats]) -> Callable[[Floats], Floats]:
    return lambda x: 1 / f(x)


FORMULAS = tuple(_formulas())

CANDIDATES = 2 * len(FORMULAS)
"""The number of factors that are tried: each formula with both signs."""


def function_of_parameter(block: Evidence) -> Explanation | None:
    """The claim is the gradient times a function of each parameter."""
    if not block.explicable:
        return None
    for sign, start in ((1.0, ""), (-1.0, "the sign is wrong, and ")):
        found = formulas_of(block.facts, sign)
        if found:
            return _said(block.facts, found, sign, start)
    return None


def _said(facts: Facts, found: list[Formula], sign: float, start: str) -> Explanation:
    """The explanation; a possibility only, if the factor is a short number that may come from elsewhere."""
    factor = found[0].text if sign > 0 else f"-({found[0].text})"
    k = _short_number(facts)
    if k is None:
        text = f"claimed = {factor} * numeric in every entry"
        return Explanation(
            "parametrisation", text, detail=f", x being the parameter: {start}{_in_words(found)}"
        )
    return Explanation(
        "parametrisation",
        "claimed = {0} * numeric in every entry",
        (Number(k, k),),
        detail=f", perhaps as {factor} = {{0}}, x being the parameter: {start}{found[0].meaning}",
    )


def _short_number(facts: Facts) -> float | None:
    """The factor, if it is one number, and short: short numbers have many formulas by chance."""
    c = slope(facts.g, facts.d, facts.t)
    if c is None or c.low * c.high <= 0:
        return None
    short = Fraction(1 / c.value).limit_denominator(SHORT)
    return float(short) if short and c.low <= 1 / short <= c.high else None


def formulas_of(facts: Facts, sign: float = 1.0) -> list[Formula]:
    """The formulas that explain the facts, if that is no coincidence; at most MEANINGS_SAID."""
    if is_coincidence(facts, facts.x, CANDIDATES):
        return []
    found: list[Formula] = []
    for formula in FORMULAS:
        if len(found) < MEANINGS_SAID and _explains(formula, facts, sign):
            found.append(formula)
    return found


def _in_words(found: list[Formula]) -> str:
    """What the formulas mean; each but the first with its own text, if that is another."""
    first, *others = found
    return "; or ".join([first.meaning, *(_beside(first, other) for other in others)])


def _beside(first: Formula, other: Formula) -> str:
    return other.meaning if other.text == first.text else f"{other.text} is meant: {other.meaning}"


def _explains(formula: Formula, facts: Facts, sign: float) -> bool:
    """Whether |g - phi d| <= |phi| t everywhere."""
    for some in (_looked_at_first(facts), slice(None)):
        phi = sign * formula.phi(facts.x[some])
        near = np.abs(facts.g[some] - phi * facts.d[some]) <= np.abs(phi) * facts.t[some]
        if not (near & np.isfinite(phi)).all():
            return False
    return True


def _looked_at_first(facts: Facts) -> IndexArray:
    return np.flatnonzero(np.abs(facts.g - facts.d) > facts.t)[:LOOKED_AT_FIRST]


def scaled_function(block: Evidence, known: Known) -> Explanation | None:
    """The claim is the gradient times a function of each parameter, times a number."""
    facts = block.facts
    if not block.explicable or len(facts.x) <= SPARE or (facts.x == facts.x[0]).all():
        return None
    if is_coincidence(facts, facts.x, CANDIDATES, fitted=1):
        return None
    for formula in FORMULAS:
        c = _scale(formula, facts)
        if c is not None and c.low * c.high > 0 and facts.visible(facts.g - facts.d) > SPARE:
            k, why = named(c, block.shape, known)
            beside = f"; beside that a factor: {why}" if why else ", beside a factor"
            return Explanation(
                "parametrisation",
                f"claimed = {{0}} * {formula.text} * numeric in every entry",
                (k if why else inverse(c),),
                detail=f", x being the parameter: {formula.meaning}{beside}",
            )
    return None


def _scale(formula: Formula, facts: Facts) -> Number | None:
    """c, where d = c g / phi everywhere."""
    c = None
    for some in (_looked_at_first(facts), slice(None)):
        c = slope(facts.g[some] / formula.phi(facts.x[some]), facts.d[some], facts.t[some])
        if c is None:
            return None
    return c

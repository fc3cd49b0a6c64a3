"""The arithmetic of what a checked sample proves about the coordinates that were not checked.

`strategy.decide` asks how many draws are needed (`least_count`), `guarantee` which limits follow from draws
that were made.

Notation: of N coordinates D are wrong; m are drawn at random and X of these are not clean. Then

    P(X = k) = C(D, k) C(N - D, m - k) / C(N, m)            drawn without replacement (hypergeometric)
    P(X <= x | D) <= delta                                   D is ruled out by X = x

With confidence 1 - delta, no more are wrong than the largest D that is not ruled out. This limit is exact and
one-sided (Clopper and Pearson, Biometrika 26, 1934; docs/numerics.md, Samples). A coordinate that could not
be decided counts as not clean.

The limits hold if the number of draws was fixed before any outcome was seen. Where batches are drawn, and
their outcome decides whether another follows, each has a confidence of its own: `sequential_confidences`.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from fastgrad.errors import InputError

TIE = 1e-9
"""A probability that differs from delta by less than this share of it equals delta, since 1 - confidence is
rounded. 1 - 0.999999 is off by 3e-11 of itself, and with N = 10^6 the chance to miss one wrong coordinate is
exactly 10^-6 at 999,999 draws."""

STIRLING = 16
"""From this n on, four terms of Stirling's series (Loader 2000) give log n! to 2e-14. (Compared: mpmath.)"""

NEGLIGIBLE = 1e-17
"""The sum of a tail ends at a term below this share of the sum: it is lost to rounding."""

TERMS = 4096
"""Terms of a tail that are computed together, as one vector."""


def least_count(size: int, confidence: float, wrong_fraction: float) -> int:
    """How many draws, all of them clean, prove that no more than a given share is wrong.

    If more than the share is wrong, at least floor(wrong_fraction size) + 1 coordinates are. The result is
    the smallest m for which m draws without replacement are then all clean with probability 1 - confidence
    at most. If wrong_fraction size is rounded to just under an integer, m is a little larger than needed.

    Parameters
    ----------
    size : int
        The number of coordinates.
    confidence : float
        1 - delta, over 0 and up to 1.
    wrong_fraction : float
        The share that may be wrong, from 0 to 1; with 0 a single wrong coordinate has to be ruled out.

    Raises
    ------
    InputError
        For a size under zero, and a confidence or share out of range.

    Examples
    --------
    >>> least_count(10**6, 0.999, 0.01), least_count(100, 0.95, 0.0)
    (688, 95)
    """
    check_counts(size, 0, 0)
    check_confidence(confidence)
    if not 0 <= wrong_fraction <= 1:
        raise InputError(f"wrong_fraction must be from 0 to 1; got {wrong_fraction!r}", code="FG405")
    size = int(size)
    bad = math.floor(wrong_fraction * size) + 1
    if bad > size:
        return 0
    never_clean = size - bad + 1  # with so many draws one at least is wrong
    return 1 + _last_possible(-1, never_clean, lambda m: _at_most(0, size, bad, m), confidence)


def most_wrong(size: int, drawn: int, wrong: int, confidence: float) -> int:
    """How many of all coordinates are wrong at most, after some draws without replacement.

    The result is the largest D with P(X <= wrong | D) > 1 - confidence, which is exact for a finite
    population. It is `wrong` where all were drawn, and `size` where none was.

    Parameters
    ----------
    size : int
        The number of coordinates.
    drawn : int
        How many of them were drawn.
    wrong : int
        How many of the drawn ones were not clean.
    confidence : float
        1 - delta, over 0 and up to 1; with 1 all that were not drawn count as wrong.

    Raises
    ------
    InputError
        Unless 0 <= wrong <= drawn <= size, and for a confidence out of range.

    Examples
    --------
    >>> most_wrong(10**6, 688, 0, 0.999), most_wrong(100, 100, 3, 0.999), most_wrong(100, 0, 0, 0.999)
    (9986, 3, 100)
    """
    check_counts(size, drawn, wrong)
    check_confidence(confidence)
    size, drawn, wrong = int(size), int(drawn), int(wrong)
    too_many = size - (drawn - wrong) + 1  # the clean ones are known to be right
    return _last_possible(wrong, too_many, lambda bad: _at_most(wrong, size, bad, drawn), confidence)


def clopper_pearson(drawn: int, wrong: int, confidence: float) -> float:
    """The upper limit on a probability, after some draws with replacement (Clopper and Pearson 1934).

    Parameters
    ----------
    drawn : int
        The number of draws, repeats counted.
    wrong : int
        How many of these were not clean, repeats counted.
    confidence : float
        1 - delta, over 0 and up to 1.

    Raises
    ------
    InputError
        Unless 0 <= wrong <= drawn, and for a confidence out of range.

    Examples
    --------
    >>> round(clopper_pearson(64, 0, 0.95), 3), round(clopper_pearson(64, 3, 0.95), 3)
    (0.046, 0.117)
    """
    from scipy.special import betainccinv  # where it is used: importing fastgrad stays quick

    check_counts(drawn, drawn, wrong)
    check_confidence(confidence)
    if wrong == drawn or confidence == 1:
        return 1.0
    return float(betainccinv(wrong + 1, drawn - wrong, 1 - confidence))


def wrong_mass(drawn: int, wrong: int, confidence: float) -> float:
    """The share of the sum of all |g| that is in wrong entries at most, after draws by importance.

    The draws are with replacement, and entry i has the probability q_i = 1/(2n) + |g_i| / (2 sum |g|). q_i is
    at least half of entry i's share of the sum. So the share of the wrong entries is at most twice the
    probability to draw one of them (docs/numerics.md, Samples).

    Parameters
    ----------
    drawn : int
        The number of draws, repeats counted.
    wrong : int
        How many of these were not clean, repeats counted.
    confidence : float
        1 - delta, over 0 and up to 1.

    Raises
    ------
    InputError
        Unless 0 <= wrong <= drawn, and for a confidence out of range.

    Examples
    --------
    >>> round(wrong_mass(1000, 0, 0.999), 4)
    0.0138
    """
    return min(1.0, 2 * clopper_pearson(drawn, wrong, confidence))


def sequential_confidences(confidence: float, rounds: int) -> list[float]:
    """The confidences of successive batches, so that the limits after all of them hold together.

    Batch k = 0, 1, 2, ... gets delta / 2^(k+1). These add up to less than delta however many batches there
    are: the limits hold after any batch, for whatever reason no more are drawn (docs/numerics.md, Samples).

    Parameters
    ----------
    confidence : float
        1 - delta of all batches together, over 0 and up to 1.
    rounds : int
        How many batches, zero or more.

    Raises
    ------
    InputError
        For a number of rounds under zero, and a confidence out of range.

    Examples
    --------
    >>> sequential_confidences(0.9, 3)
    [0.95, 0.975, 0.9875]
    """
    check_confidence(confidence)
    if rounds < 0:
        raise InputError(f"rounds must be zero or more; got {rounds!r}", code="FG418")
    return [1 - (1 - confidence) / 2 ** (k + 1) for k in range(rounds)]


def _last_possible(
    possible: int, impossible: int, probability: Callable[[int], float], confidence: float
) -> int:
    """The largest value with a probability over delta = 1 - confidence, by bisection.

    Parameters
    ----------
    possible : a value that is not ruled out
    impossible : a value that cannot be, whatever the confidence
    probability : of what was seen, for a value between them; it falls with the value
    confidence : with 1 no value with any probability is ruled out, though a float may round it to zero
    """
    if confidence == 1:
        return impossible - 1
    while impossible - possible > 1:
        middle = (possible + impossible) // 2
        if probability(middle) > (1 - confidence) * (1 + TIE):
            possible = middle
        else:
            impossible = middle
    return possible


def _at_most(x: int, size: int, bad: int, drawn: int) -> float:
    """P(X <= x): of `size` coordinates `bad` are wrong, and X are wrong among the `drawn`."""
    if x >= min(bad, drawn):
        return 1.0
    if x < max(0, drawn - (size - bad)):
        return 0.0
    if x * size > bad * drawn:  # x is over the mean: the other tail has fewer terms that matter
        return 1 - _at_most(drawn - x - 1, size, size - bad, drawn)
    return math.exp(_log_point(x, size, bad, drawn)) * _terms_down(x, size, bad, drawn)


def _terms_down(x: int, size: int, bad: int, drawn: int) -> float:
    """P(X <= x) / P(X = x) for x up to the mean, from the ratios P(X = k - 1) / P(X = k), all under 1."""
    total = last = 1.0
    lowest = max(0, drawn - (size - bad))
    for top in range(x, lowest, -TERMS):
        k = np.arange(top, max(lowest, top - TERMS), -1, dtype=np.float64)
        terms = last * np.cumprod(k / (bad - k + 1) * ((size - bad - drawn + k) / (drawn - k + 1)))
        total += float(terms.sum())
        last = float(terms[-1])
        if last < NEGLIGIBLE * total:
            break
    return total


def _log_point(x: int, size: int, bad: int, drawn: int) -> float:
    """The logarithm of P(X = x), for 0 < drawn < size.

    With p = m/N, P(X = x) = b(x; D, p) b(m - x; N - D, p) / b(m; N, p), where b is the binomial probability
    (Loader 2000, "Fast and accurate computation of binomial probabilities", as in R's dhyper). Differences
    of log-gammas would have a relative error of 1e-5 at N = 10^9; this has 1e-11.
    """
    return (
        _log_binomial(x, bad, drawn, size)
        + _log_binomial(drawn - x, size - bad, drawn, size)
        - _log_binomial(drawn, size, drawn, size)
    )


def _log_binomial(x: int, n: int, drawn: int, size: int) -> float:
    """The logarithm of the binomial probability b(x; n, drawn / size), by Loader's saddle point."""
    rest = size - drawn
    if x == 0:
        return n * math.log1p(-drawn / size)
    if x == n:
        return n * math.log1p(-rest / size)
    return (
        _stirling_error(n)
        - _stirling_error(x)
        - _stirling_error(n - x)
        - _deviance(x, n * drawn, size)
        - _deviance(n - x, n * rest, size)
        + 0.5 * math.log(n / (2 * math.pi * x * (n - x)))
    )


def _stirling_error(n: int) -> float:
    """The difference of log n! and Stirling's approximation of it, n log n - n + log(2 pi n) / 2."""
    if n < STIRLING:
        return math.lgamma(n + 1) - (n + 0.5) * math.log(n) + n - 0.5 * math.log(2 * math.pi)
    return (1 / 12 - (1 / 360 - (1 / 1260 - 1 / 1680 / n**2) / n**2) / n**2) / n


def _deviance(x: int, numerator: int, size: int) -> float:
    """The deviance x log(x / mean) + mean - x, for mean = numerator / size.

    The mean is given as two integers, so that x - mean is computed without rounding error.
    """
    t = (x * size - numerator) / numerator
    return numerator / size * ((1 + t) * math.log1p(t) - t)


def check_confidence(confidence: float) -> None:
    """Refuse a confidence that is not over 0 and up to 1."""
    if not 0 < confidence <= 1:
        raise InputError(f"confidence must be over 0 and up to 1; got {confidence!r}", code="FG405")


def check_counts(size: int, drawn: int, wrong: int) -> None:
    """Refuse counts that cannot be: more wrong than drawn, or more drawn than there are."""
    if not 0 <= wrong <= drawn <= size:
        raise InputError(
            f"counts must be 0 <= wrong <= checked <= size; got wrong {wrong}, checked {drawn}, size {size}",
            code="FG418",
        )

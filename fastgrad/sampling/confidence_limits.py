"""What a checked sample proves about the coordinates that were not checked.

Notation: of N coordinates D are wrong; m are drawn at random and X of these are not clean. Then

    P(X = k) = C(D, k) C(N - D, m - k) / C(N, m)            drawn without replacement (hypergeometric)
    P(X <= x | D) <= delta                                   D is too many to go with what was seen

so that, with confidence 1 - delta, no more are wrong than the largest D which is not too many (an exact
one-sided limit: Clopper and Pearson, Biometrika 26, 1934; docs/numerics.md, Samples). A coordinate that could
not be decided counts as not clean.

A promise holds for draws that were settled before their outcome was seen. Whoever looks again and again, and
draws more or stops by what came up, takes `sequential_confidences`.
"""

from __future__ import annotations

import math

import numpy as np

from fastgrad.errors import InputError

TIE = 1e-9
"""A probability within this share of delta equals delta, since 1 - confidence is rounded: 1 - 0.999999 is off
by 3e-11 of itself, and with N = 10^6 the chance to miss one wrong coordinate is exactly 10^-6 at 999,999
draws."""

STIRLING = 16
"""From this n on four terms of Stirling's series (Loader 2000) give log n! to 2e-14, compared with mpmath."""

NEGLIGIBLE = 1e-17
"""A tail's sum ends at a term under this share of the sum: double precision cannot see it."""

TERMS = 4096
"""Terms of a tail that are added up at a time."""


def least_count(size: int, confidence: float, wrong_fraction: float) -> int:
    """How many draws, all of them clean, prove that no more than a given share is wrong.

    The smallest m for which m draws without replacement from `size` coordinates are all clean with
    probability 1 - confidence at most, if more than the share, so at least floor(wrong_fraction size) + 1 of
    them, is wrong. The table in docs/numerics.md, Samples, is for exactly the share, one wrong coordinate
    less, so it asks for slightly more. Should wrong_fraction size be rounded to just under an integer, the
    answer is a little larger than it need be.

    Parameters
    ----------
    size : int
        The coordinates that there are.
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
        raise InputError(f"wrong_fraction must be from 0 to 1; got {wrong_fraction!r}")
    size = int(size)
    bad = math.floor(wrong_fraction * size) + 1
    if bad > size:
        return 0
    too_few, enough = -1, size - bad + 1  # so many draws cannot all be clean
    if confidence == 1:  # a chance too small for a float is still one
        return enough
    while enough - too_few > 1:
        middle = (too_few + enough) // 2
        if _possible(_at_most(0, size, bad, middle), confidence):
            too_few = middle
        else:
            enough = middle
    return enough


def most_wrong(size: int, drawn: int, wrong: int, confidence: float) -> int:
    """How many of all coordinates are wrong at most, after some draws without replacement.

    The largest D with P(X <= wrong | D) > 1 - confidence, exact for a finite population. It is `wrong`
    where all were drawn, and `size` where none was.

    Parameters
    ----------
    size : int
        The coordinates that there are.
    drawn : int
        How many of them were drawn.
    wrong : int
        How many of the drawn ones were not clean.
    confidence : float
        1 - delta, over 0 and up to 1; with 1 all that were not drawn may be wrong.

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
    possible, too_many = wrong, size - (drawn - wrong) + 1  # the clean ones are known to be right
    if confidence == 1:  # a chance too small for a float is still one
        return too_many - 1
    while too_many - possible > 1:
        middle = (possible + too_many) // 2
        if _possible(_at_most(wrong, size, middle, drawn), confidence):
            possible = middle
        else:
            too_many = middle
    return possible


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

    The draws are with replacement, entry i with probability q_i = 1/(2n) + |g_i| / (2 sum |g|). As q_i is at
    least half of entry i's share of the sum, the share of the wrong ones is at most twice the probability to
    draw one of them (docs/numerics.md, Samples).

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
    """The confidence to use at each of several looks, so that all of them hold together.

    Look k = 0, 1, 2, ... gets delta / 2^(k+1), which adds up to less than delta however many there are:
    stopping after any of them, for whatever reason, keeps the promise (docs/numerics.md, Samples).

    Parameters
    ----------
    confidence : float
        1 - delta of all looks together, over 0 and up to 1.
    rounds : int
        How many looks, zero or more.

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
        raise InputError(f"rounds must be zero or more; got {rounds!r}")
    return [1 - (1 - confidence) / 2 ** (k + 1) for k in range(rounds)]


def _possible(probability: float, confidence: float) -> bool:
    """Whether what was seen is likely enough not to be ruled out: probability > delta, as floats allow."""
    return probability > (1 - confidence) * (1 + TIE)


def _at_most(x: int, size: int, bad: int, drawn: int) -> float:
    """P(X <= x), for X of `drawn` taken out of `size` that hold `bad`."""
    if x >= min(bad, drawn):
        return 1.0
    if x < max(0, drawn - (size - bad)):
        return 0.0
    if x * size > bad * drawn:  # over the mean: the other tail is the short one
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
    (Loader 2000, "Fast and accurate computation of binomial probabilities", as in R's dhyper). Measured
    of log-gammas would leave 1e-5 of P at N = 10^9; this leaves 1e-11.
    """
    return (
        _log_binomial(x, bad, drawn, size)
        + _log_binomial(drawn - x, size - bad, drawn, size)
        - _log_binomial(drawn, size, drawn, size)
    )


def _log_binomial(x: int, n: int, drawn: int, size: int) -> float:
    """The logarithm of b(x; n, drawn / size), by Loader's saddle point (x and n - x near their means)."""
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
    """Log n! less Stirling's approximation of it: n log n - n + log(2 pi n) / 2."""
    if n < STIRLING:
        return math.lgamma(n + 1) - (n + 0.5) * math.log(n) + n - 0.5 * math.log(2 * math.pi)
    return (1 / 12 - (1 / 360 - (1 / 1260 - 1 / 1680 / n**2) / n**2) / n**2) / n


def _deviance(x: int, numerator: int, size: int) -> float:
    """X log(x / mean) + mean - x, for mean = numerator / size; integers, so that x - mean is exact."""
    t = (x * size - numerator) / numerator
    return numerator / size * ((1 + t) * math.log1p(t) - t)


def check_confidence(confidence: float) -> None:
    """Refuse a confidence that is not over 0 and up to 1."""
    if not 0 < confidence <= 1:
        raise InputError(f"confidence must be over 0 and up to 1; got {confidence!r}")


def check_counts(size: int, drawn: int, wrong: int) -> None:
    """Refuse counts that cannot be: more wrong than drawn, or more drawn than there are."""
    if not 0 <= wrong <= drawn <= size:
        raise InputError(
            f"counts must be 0 <= wrong <= checked <= size; got wrong {wrong}, checked {drawn}, size {size}"
        )

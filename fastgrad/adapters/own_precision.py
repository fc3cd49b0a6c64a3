"""A gradient in float32 or a shorter float, beside the one in float64 that was compared with differences.

An adapter checks the float64 gradient by `check_gradient`. Then it takes the gradient in the precision that
the user works in, at the parameters and at a few points nearby, and `with_own_precision` adds to the report
what this says. No difference is taken in the short float: its rounding would hide the derivatives.

Notation, for coordinate i: g = the gradient in its own precision; d = the same in float64; eps = the epsilon
of the own precision; s = the standard deviation of g - d over the points nearby, where all roundings come out
differently. Of right gradients g - d is no more than rounding:

    |g_i - d_i| > 8 eps |d_i| + t s_i + 8 s_typical      disagrees; t is Student's, for all coordinates

s_typical is that of three quarters of the entries of a block: what an entry loses in a sum with a constant,
or with data, is the same at all points, and shows in the others alone.

The rest is the rule of a check (verdict/rule.py): each coordinate on its own scale, to its resolution.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from fastgrad.arrays import FloatArray, Floats, root_mean_square
from fastgrad.differences.scales import magnitude, size_of_zeros
from fastgrad.problem.claim import NOISES, OWN_ROUNDINGS, SUM_ROUNDINGS
from fastgrad.problem.parameters import Parameters
from fastgrad.report.coverage import Coverage
from fastgrad.report.findings import Arrays
from fastgrad.report.report import Report
from fastgrad.report.resolution import Resolution
from fastgrad.report.tables import build_blocks, build_findings
from fastgrad.sampling.selection import selection_of
from fastgrad.verdict.rule import AGREE, DISAGREE, UNDECIDED, Comparison, Evidence, compare

EPSILONS = {"float64": 2.0**-52, "float32": 2.0**-23, "float16": 2.0**-10, "bfloat16": 2.0**-7}
"""The distance of 1 from the next number of each precision."""

NEARBY = 8
"""Points nearby at which the gradient is taken in both precisions. Student's t for seven degrees of freedom
is 43 where a thousand coordinates are judged: with roundings of 1e-7 that leaves errors of 1e-5 in sight."""

MOVES = 2.0**-20, 2.0**-10
"""How far the nearest and the farthest of these points are, as a share of each parameter. Roundings of an
entry that has lost most of its digits to cancellation stay the same over short moves; over long ones a wrong
entry changes too, and its own change looks like rounding."""

LAST_DIGITS = 8
"""The last digits of a short float, such as bfloat16, by which a parameter is moved at least."""

TYPICAL = 0.75
"""The share of a block's entries whose scatter is no more than the typical one: few are at kinks."""

FALSE_ALARMS = 1e-6
"""The chance that rounding alone looks like a wrong entry, somewhere, if roundings are normal."""


@dataclass(frozen=True, eq=False)
class OwnGradient:
    """A gradient in the precision of its user, and in float64.

    Parameters
    ----------
    name : what computes it, such as "jax.grad"
    dtypes : the name of the precision of each block, a key of EPSILONS
    own, double : (n,) the gradient in its own precision and in float64, as float64 numbers
    scatter : (n,) the standard deviation of their difference over NEARBY points; None where it is not known
    degrees : the points less one from which that comes
    """

    name: str
    dtypes: Sequence[str]
    own: Floats
    double: Floats
    scatter: Floats | None = None
    degrees: int = 0

    @property
    def precision(self) -> str:
        """The shorter precisions among the blocks, in words: "float32", "bfloat16 and float32"."""
        return " and ".join(sorted(set(self.dtypes) - {"float64"})) or "float64"


def nearby(leaf: FloatArray, dtype: str, point: int, rng: np.random.Generator) -> Floats:
    """An array at one of the points nearby; who calls this rounds it to the precision.

    Parameters
    ----------
    leaf : the array at the parameters
    dtype : its precision, a key of EPSILONS
    point : the number of the point, from 0 to NEARBY - 1
    rng : for the directions

    Examples
    --------
    >>> moved = nearby(np.ones(100), "float32", 0, np.random.default_rng(0))
    >>> bool(0 < np.abs(moved - 1).max() < 1e-5)
    True
    """
    nearest, farthest = MOVES
    share = nearest * (farthest / nearest) ** (point / (NEARBY - 1))
    by = max(share, LAST_DIGITS * EPSILONS[dtype]) * rng.uniform(0.5, 1, np.shape(leaf))
    return np.asarray(leaf * (1 + by * rng.choice((-1, 1), np.shape(leaf))), dtype=np.float64)


def scatter_of(deviations: Iterable[Floats]) -> tuple[Floats | None, int]:
    """(n,) the standard deviation of g - d over points nearby, and its degrees of freedom; one at a time.

    A point at which either is not finite says nothing.

    Parameters
    ----------
    deviations : g - d at each point, (n,)

    Examples
    --------
    >>> scatter_of([np.array([1.0]), np.array([3.0]), np.array([np.nan])])
    (array([1.41421356]), 1)
    """
    count, mean, squares = 0, np.zeros(()), np.zeros(())
    for deviation in deviations:
        if not np.isfinite(deviation).all():
            continue
        count += 1
        off = deviation - mean
        mean = mean + off / count
        squares = squares + off * (deviation - mean)
    return (np.sqrt(squares / (count - 1)), count - 1) if count > 1 else (None, 0)


def with_own_precision(
    report: Report, parameters: Parameters, gradient: OwnGradient, resolution: float = 0.0
) -> Report:
    """The report of a check in float64, with what the gradient is in its own precision.

    The verdict stays the report's unless that is better than what was found here.

    Parameters
    ----------
    report : of the gradient in float64
    parameters : Parameters of that check, whose blocks are those of the gradient
    gradient : OwnGradient
    resolution : what must be seen of each coordinate, where that is more than the check was asked for

    Examples
    --------
    >>> import fastgrad
    >>> x, name = np.linspace(1, 2, 5), "autograd"
    >>> report = fastgrad.check_gradient(lambda x: np.sum(np.exp(x)), np.exp, x)
    >>> own = np.exp(x.astype(np.float32)).astype(float)
    >>> right = OwnGradient(name, ["float32"], own, np.exp(x))
    >>> with_own_precision(report, Parameters(x), right).verdict
    'agree'
    >>> wrong = OwnGradient(name, ["float32"], own * [1, 1, 1.001, 1, 1], np.exp(x))
    >>> with_own_precision(report, Parameters(x), wrong).wrong[0].label
    'params[2]'
    """
    comparison = _compared(parameters, gradient, max(resolution, report.seen.wanted))
    sentence = f"{gradient.name} in float64: {report.verdict}; in {gradient.precision}: "
    sentence += _in_words(comparison, gradient, parameters)
    report = replace(report, witnesses=(sentence, *report.witnesses))
    if comparison.verdict == AGREE or report.verdict == DISAGREE:
        return report
    if comparison.verdict == UNDECIDED:
        doubt, reference = report.doubt or sentence, report.doubt_reference or "FG513"
        return replace(report, verdict=UNDECIDED, doubt=doubt, doubt_reference=reference)
    return _found_wrong(report, parameters, gradient, comparison)


def _compared(parameters: Parameters, gradient: OwnGradient, resolution: float) -> Comparison:
    """The rule of a check, with the float64 gradient in the place of the differences."""
    x = np.concatenate([leaf.astype(np.float64) for leaf in parameters.leaves])
    size = np.where(x == 0, size_of_zeros(x), np.abs(x))
    known = Evidence(
        claimed=gradient.own,
        numeric=gradient.double,
        error_bound=OWN_ROUNDINGS * EPSILONS["float64"] * np.abs(gradient.double),
        rounding=_rounding(parameters, gradient),
        size=size,
        alike=magnitude(size),
    )
    return compare(known, resolution)


def _rounding(parameters: Parameters, gradient: OwnGradient) -> Floats:
    """(n,) what rounding in the own precision explains.

    Where no scatter is known, entries are sums of terms that are taken to be as large as a typical one.
    """
    epsilon = np.concatenate(
        [
            np.full(b.size, EPSILONS[dtype])
            for b, dtype in zip(parameters.blocks, gradient.dtypes, strict=True)
        ]
    )
    found = OWN_ROUNDINGS * epsilon * np.abs(gradient.double)
    scatter = gradient.scatter
    if scatter is not None:
        found += _student(len(found), gradient.degrees) * scatter
    for block in parameters.blocks:
        inside = slice(block.start, block.stop)
        if not block.size:
            continue
        if scatter is not None:
            found[inside] += NOISES * np.quantile(scatter[inside], TYPICAL, method="nearest")
        else:
            found[inside] += SUM_ROUNDINGS * epsilon[inside] * root_mean_square(gradient.double[inside])
    return np.asarray(found)


def _student(coordinates: int, degrees: int) -> float:
    """What |g - d| / s exceeds by chance, at one of all coordinates, with FALSE_ALARMS."""
    from scipy.special import stdtrit

    quantile = float(stdtrit(degrees, FALSE_ALARMS / (2 * coordinates)))
    return -quantile * math.sqrt(1 + 1 / (degrees + 1))


def _in_words(comparison: Comparison, gradient: OwnGradient, parameters: Parameters) -> str:
    """What was found in the own precision, in a few words."""
    off = np.abs(gradient.own - gradient.double)
    if comparison.verdict == DISAGREE:
        worst = int(np.argmax(np.where(comparison.wrong, comparison.severity, -1)))
        return (
            f"disagree, {int(comparison.wrong.sum()):,} of {len(off):,} coordinates are off by more than its "
            f"rounding explains, {parameters.label(worst)} by {off[worst]:.2g} of "
            f"{abs(gradient.double[worst]):.2g}"
        )
    if comparison.verdict == UNDECIDED:
        worst = int(np.argmax(np.where(comparison.undecided, comparison.rho, -1)))
        return (
            f"undecided, rounding leaves {int(comparison.undecided.sum()):,} of {len(off):,} coordinates off "
            f"by more than the resolution, {parameters.label(worst)} by {off[worst]:.2g} of "
            f"{abs(gradient.double[worst]):.2g}"
        )
    seen = comparison.rho[comparison.by_itself]
    words = f"agree to {seen.max():.0e}" if len(seen) else "agree"
    small = int((comparison.small & (gradient.double != 0)).sum())
    if small:
        words += f", {small:,} that nearly cancel on the scale of the others"
    if comparison.share:
        words += f", together to {comparison.share:.0e} of the whole gradient"
    return words


def _found_wrong(
    report: Report, parameters: Parameters, gradient: OwnGradient, comparison: Comparison
) -> Report:
    """The report of what is wrong in the own precision, where the float64 gradient is not."""
    indices = np.arange(parameters.size)
    bound = OWN_ROUNDINGS * EPSILONS["float64"] * np.abs(gradient.double)

    def cause(k: int) -> tuple[str, str]:
        return "own_precision", (
            f"in {gradient.precision} off by {abs(gradient.own[k] - gradient.double[k]):.3g} from the "
            f"gradient in float64: more than the {comparison.allowed[k]:.2g} that its rounding explains"
        )

    arrays = Arrays(indices, gradient.own, gradient.double, bound, comparison.allowed, comparison.rho, cause)
    wrong, undecided = build_findings(parameters, arrays, comparison)
    blocks, measure = build_blocks(parameters, arrays, comparison)
    return replace(
        report,
        verdict=DISAGREE,
        relative_error=measure.value,
        relative_error_interval=measure.interval,
        wrong=wrong,
        undecided=undecided,
        blocks=blocks,
        coverage=_of_all(parameters),
        indices=indices,
        claimed=gradient.own,
        numeric=gradient.double,
        error_bound=bound,
        seen=_resolution(comparison, report.seen.wanted),
        doubt="",
        doubt_reference="",
        notes=(
            f"the gradient is right in float64 as far as was checked, and is not in {gradient.precision}: "
            'below, "numeric" is the gradient in float64',
            *report.notes,
        ),
    )


def _of_all(parameters: Parameters) -> Coverage:
    """Every coordinate was compared."""
    indices = np.arange(parameters.size)
    return Coverage.of(selection_of(parameters, "all", None, indices), indices, parameters)


def _resolution(comparison: Comparison, wanted: float) -> Resolution:
    seen = comparison.rho[comparison.by_itself]
    worst = float(seen.max()) if len(seen) else float("nan")
    return Resolution(wanted, worst, "", int(comparison.small.sum()), 0, comparison.share)

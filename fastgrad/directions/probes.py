"""Directional probes: one derivative that all coordinates take part in, and what clean ones prove.

    r(v) = d/dt [J(x + t v) - g . t v] at 0 = v . e,    e = true gradient - claimed,    known to a bound b

v_i = s_b sign_i m_i, s_b the size of block b, m_i between 1/2 and 3/2. Flip the sign of the coordinate whose
s_b |e_i| is largest: one of the two v . e is at least half of it. So a probe with |r| <= b, which means
|v . e| <= |r| + b, misses an error of more than

    S_b = 2 (|r| + b) / s_b

with probability 1/2 at most, whatever the other errors are, and K probes with fresh signs with 2^-K
(docs/numerics.md, Directions, the pairing lemma). The directions come from a generator that no gradient was
made for, from the check's seed, which the report prints.

Each is measured at six points; where the cost has kinks so close that these do not settle it, at six closer
ones, and then on the ladder of steps that judges coordinates.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fastgrad.arrays import FloatArray, IndexArray, root_mean_square
from fastgrad.differences.bounds import OWN_SD, by_six_points, quantile
from fastgrad.differences.ladder import adjudicate
from fastgrad.differences.noise import measure_noise
from fastgrad.differences.rulings import NoiseModel, Rulings
from fastgrad.differences.stencils import SIX_POINTS
from fastgrad.differences.step_selection import choose_step, step_cap
from fastgrad.engines.directional import Direction, DirectionalEngine
from fastgrad.execution.evaluator import Evaluator
from fastgrad.problem.regions import Region

TAU = {np.dtype(np.float64): 1e-6, np.dtype(np.float32): 1e-2}
"""Errors of this share of a typical entry are too small to be searched for, by the dtype of the block."""

SET_UP = 2
"""Directions along which noise and step are measured."""

DERIVATIVES_ALONG_LINES = 512
"""Derivatives along directions for which one quantile is taken."""

CLOSER = 2.0**-4
"""The step of the second measurement, in units of the first: where a relu network of 1e6 parameters has kinks
within one, it has none within the other (docs/numerics.md, Kinks)."""

WIDE = 8.0
"""A bound so many times what noise makes it is not noise but a kink, and is measured again."""

CLAIM_ROUNDINGS = 6.0
"""Standard deviations allowed of the sum of the claim's own roundings, when it was computed in float32."""

STREAM = 0x70726F62
"""Keeps the seeds of directions apart from those of other random choices ("prob")."""

FORGIVEN = 3.0
"""Standard deviations allowed of the sum of errors that are each too small to count."""

TOP_OF_LADDER = 2.0**-6
"""The scale of the ladder along a direction: it begins at a quarter of it, and reaches 2^-33."""


@dataclass(frozen=True, eq=False)
class Slope:
    """What a probe found: r and its bound, and where the points were that showed it."""

    direction: Direction
    r: float
    bound: float
    step: float
    truncation: float  # of the plain difference at the step

    @property
    def clean(self) -> bool:
        """Whether r is zero as far as its bound tells."""
        return abs(self.r) <= self.bound

    @property
    def room(self) -> float:
        """How large |v . e| may be."""
        return abs(self.r) + self.bound


class Prober:
    """Measures derivatives of cost less claim along directions.

    Parameters
    ----------
    engine : DirectionalEngine
    evaluate : Evaluator of that engine
    sigma : the noise of the cost, as coordinates showed it
    cost : the cost at the parameters
    seed : of all directions
    """

    def __init__(
        self, engine: DirectionalEngine, evaluate: Evaluator, sigma: float, cost: float, seed: int
    ) -> None:
        self.engine = engine
        self.evaluate = evaluate
        self.sigma = sigma
        self.cost = cost
        self.seed = seed
        self.drawn = 0  # directions so far
        self.z = quantile(DERIVATIVES_ALONG_LINES)
        self.step = 0.0
        self.workers = 1  # how many probes are best asked for together
        self._typical = [finite_rms(g) for g in engine.tangent.gradient]
        self._roundings = [
            0.0 if g.dtype == np.float64 else float(np.finfo(g.dtype).eps) / 2 * rms
            for g, rms in zip(engine.tangent.gradient, self._typical, strict=True)
        ]

    def set_up(self, region: Region) -> None:
        """Measure noise and step along a few directions of a region."""
        numbers = self.engine.add(*(self.fresh(region) for _ in range(SET_UP)))
        zeros = np.zeros(SET_UP)
        start = float(2.0 ** np.round(np.log2(np.finfo(np.float64).eps) / 3))
        epsilon = self.engine.epsilon or float(np.finfo(np.float64).eps)
        noise = measure_noise(
            self.evaluate, zeros, numbers, start, epsilon=epsilon, largest=abs(self.cost), scale=1.0
        )
        self.sigma = max(self.sigma, noise.sigma)
        found = choose_step(
            self.evaluate, zeros, numbers, start,
            f0=0.0, noise_of=lambda h: self.sigma, cap=step_cap(1.0),
        )  # fmt: skip
        self.step = found.h

    def fresh(self, region: Region, without: IndexArray | None = None) -> Direction:
        """A new direction over a region."""
        seed = int(np.random.default_rng([self.seed, STREAM, self.drawn]).integers(2**63))
        self.drawn += 1
        return Direction(seed, region) if without is None else Direction(seed, region, without)

    def measure(self, directions: list[Direction]) -> list[Slope]:
        """The slope along each direction, as far as it takes to call it clean or not."""
        found = self._six_points(directions, self.step)
        again = [k for k, slope in enumerate(found) if not self._settled(slope)]
        if not again:
            return found
        closer = self._six_points([directions[k] for k in again], self.step * CLOSER)
        lost = []
        for k, slope in zip(again, closer, strict=True):
            first = found[k]
            agree = abs(slope.r - first.r) <= slope.bound + first.bound
            if agree and slope.clean and not first.clean and self._is_narrow(first):
                lost.append(k)  # too small an error to be seen up close: what was seen is not passed over
            elif self._settled(slope) or agree:
                found[k] = slope if slope.bound < first.bound or not first.clean else first
            else:
                lost.append(k)
        for k, slope in zip(lost, self._ladder([directions[k] for k in lost]), strict=True):
            found[k] = slope
        return found

    def quick(self, direction: Direction, like: Slope) -> Slope:
        """The slope by two points at the step where a direction that contains this one was measured."""
        h = like.step
        numbers = self.engine.add(direction)
        f = self.evaluate(numbers, np.array([[-h, h]]))[0]
        noise = self.z * 0.707 * self.sigma / h
        bound = noise + 2 * like.truncation + self._claim_roundings(direction.region)
        r = float((f[1] - f[0]) / (2 * h))
        if not np.isfinite(r):  # outside the domain: nothing is known, which is no error to be followed
            return Slope(direction, 0.0, float("inf"), h, like.truncation)
        return Slope(direction, r, float(bound), h, like.truncation)

    def tolerance(self, region: Region) -> float:
        """How far errors that do not count, in every coordinate of a region, may move a slope."""
        blocks = self.engine.parameters.blocks
        squares = sum(
            (TAU[blocks[r.block].dtype] * self.engine.sizes[r.block] * self._typical[r.block]) ** 2 * r.size
            for r in region.rectangles
        )
        return FORGIVEN * float(np.sqrt(squares))

    def _settled(self, slope: Slope) -> bool:
        return slope.clean and self._is_narrow(slope)

    def _is_narrow(self, slope: Slope) -> bool:
        noise = self.z * OWN_SD * self.sigma / slope.step
        return slope.bound <= WIDE * noise + self._claim_roundings(slope.direction.region)

    def _six_points(self, directions: list[Direction], h: float) -> list[Slope]:
        numbers = self.engine.add(*directions)
        d = np.tile(h * SIX_POINTS, (len(directions), 1))
        f = self.evaluate(numbers, d)
        many = np.full(len(directions), 1.0)
        r, bound = by_six_points(f, d, 0.0, many * h, many * self.sigma, self.z, with_kinks=False)
        with np.errstate(invalid="ignore"):
            near, far = (f[:, 3] - f[:, 2]) / (2 * h), (f[:, 4] - f[:, 1]) / (4 * h)
            truncation = np.abs(near - far) / 3
        return [
            Slope(v, float(r[k]), float(bound[k]) + self._claim_roundings(v.region), h, float(truncation[k]))
            for k, v in enumerate(directions)
        ]

    def _ladder(self, directions: list[Direction]) -> list[Slope]:
        if not directions:
            return []
        numbers, many = self.engine.add(*directions), np.ones(len(directions))
        noise = NoiseModel(many * self.sigma, 0.0 * many)
        found = adjudicate(
            self.evaluate, 0.0 * many, numbers, 0.0, scale=many * TOP_OF_LADDER, noise=noise, z=self.z
        )
        return [self._from_ladder(v, found, k) for k, v in enumerate(directions)]

    def _from_ladder(self, direction: Direction, found: Rulings, k: int) -> Slope:
        numeric, bound = found.numeric[k], found.error_bound[k]
        step = float(found.step[k])
        if not np.isfinite(numeric) or found.kink[k]:
            return Slope(direction, 0.0, float("inf"), step, 0.0)
        rounding = self._claim_roundings(direction.region)
        return Slope(direction, float(numeric), float(bound) + rounding, step, float(bound))

    def _claim_roundings(self, region: Region) -> float:
        squares = sum(
            (self._roundings[r.block] * self.engine.sizes[r.block]) ** 2 * r.size for r in region.rectangles
        )
        return CLAIM_ROUNDINGS * float(np.sqrt(squares))


def finite_rms(g: FloatArray) -> float:
    """The rms of a claim's finite entries."""
    rms = root_mean_square(g)
    return rms if np.isfinite(rms) else root_mean_square(g[np.isfinite(g)])

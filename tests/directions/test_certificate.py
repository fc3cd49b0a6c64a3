"""The promise of a certificate, by simulation: K clean probes miss an error above S with 2^-K at most."""

from __future__ import annotations

import numpy as np
import pytest

import fastgrad
from fastgrad.directions.certificate import Certificate, CertifiedBlock, certified_size
from fastgrad.directions.probes import Slope
from fastgrad.engines.directional import Direction
from fastgrad.kernels.directions import components
from fastgrad.problem.parameters import Parameters
from fastgrad.problem.regions import Region

N = 200
TRIALS = 2000
BOUND = 1.0
SIGMAS = 4.5
"""Binomial standard deviations allowed: one simulated case in 3e5 goes beyond by chance."""


def adversarial(rng):
    """Pairs of errors that cancel wherever their components are of one size."""
    e = np.zeros(N)
    a, b = rng.choice(N, 2, replace=False)
    e[a], e[b] = 1.0, rng.choice([-1.0, 1.0]) * rng.choice([0.5, 0.75, 1.0, 4 / 3, 2.0])
    return e


def several(count, signs=None):
    """A pattern of so many errors of size 1 at random places."""

    def pattern(rng):
        e = np.zeros(N)
        chosen = rng.choice([-1.0, 1.0], count) if signs is None else np.array(signs, dtype=float)
        e[rng.choice(N, count, replace=False)] = chosen
        return e

    return pattern


def ten(rng):
    """Ten normal errors."""
    e = np.zeros(N)
    e[rng.choice(N, 10, replace=False)] = rng.normal(size=10)
    return e


def zero_sum(rng):
    """A hundred errors whose sum is zero."""
    e = np.zeros(N)
    noise = rng.normal(size=100)
    e[:100] = noise - noise.mean()
    return e


def cascade(rng):
    """Errors each half of the one before: sums of the smaller ones can be all that the largest is."""
    e = np.zeros(N)
    e[rng.choice(N, 12, replace=False)] = 0.5 ** np.arange(12)
    return e


PATTERNS = {
    "one": several(1),
    "two that cancel": several(2, (1, -1)),
    "two alike": several(2, (1, 1)),
    "two of sizes that cancel": adversarial,
    "two pairs": several(4, (1, -1, 1, -1)),
    "ten": ten,
    "a hundred, zero in sum": zero_sum,
    "a cascade": cascade,
    "everywhere": lambda rng: rng.choice([-1.0, 1.0], N),
}


def rooms(e, seeds, rng, noise=BOUND):
    """|r| and |r| + bound of probes (trials, K), clean or not: r = v . e + noise within the bound."""
    v = np.stack([components(int(s), np.arange(N)) for s in seeds.reshape(-1)]).reshape(*seeds.shape, N)
    r = np.einsum("tkn,tn->tk", v, e) + noise * rng.uniform(-1, 1, seeds.shape)
    return np.abs(r), np.abs(r) + BOUND


def misses(pattern, largest, probes, trials=TRIALS, seed=0):
    """In how many trials all probes are clean although max |e| is above the S that they certify."""
    rng = np.random.default_rng(seed)
    e = np.stack([pattern(rng) for _ in range(trials)])
    e *= largest / np.abs(e).max(axis=1, keepdims=True)
    r, room = rooms(e, rng.integers(2**62, size=(trials, probes)), rng)
    clean = (r <= BOUND).all(axis=1)
    certified = 2 * room.max(axis=1)
    return int((clean & (np.abs(e).max(axis=1) > certified)).sum())


def most(probability, trials=TRIALS):
    """So many of the trials at most, but for chance."""
    return trials * probability + SIGMAS * np.sqrt(trials * probability * (1 - probability))


class TestPromise:
    @pytest.mark.parametrize("largest", [2.2 * BOUND, 4 * BOUND, 100 * BOUND])
    @pytest.mark.parametrize("name", PATTERNS)
    def test_one_probe(self, name, largest):
        """One clean probe misses an error above S with probability 1/2 at most, whatever the errors are."""
        assert misses(PATTERNS[name], largest, 1) <= most(0.5)

    @pytest.mark.parametrize("largest", [2.2 * BOUND, 4 * BOUND, 100 * BOUND])
    @pytest.mark.parametrize("name", PATTERNS)
    def test_four_probes(self, name, largest):
        """Four clean probes miss with 2^-4 at most."""
        trials = TRIALS // 4
        assert misses(PATTERNS[name], largest, 4, trials) <= most(2.0**-4, trials)

    def test_misses_do_happen(self):
        """The twin: pairs that cancel are missed now and then, or these tests could not fail."""
        assert misses(PATTERNS["two that cancel"], 100 * BOUND, 1) > 0.05 * TRIALS
        assert misses(PATTERNS["one"], 100 * BOUND, 1) == 0

    def test_signs_that_go_together_break_it(self):
        """The twin: of probes all along one direction, four miss as often as one."""
        rng = np.random.default_rng(0)
        e = np.stack([PATTERNS["two that cancel"](rng) for _ in range(TRIALS)]) * 100 * BOUND
        seeds = np.repeat(rng.integers(2**62, size=(TRIALS, 1)), 4, axis=1)
        r, room = rooms(e, seeds, rng)
        missed = ((r <= BOUND).all(axis=1) & (2 * room.max(axis=1) < 100 * BOUND)).sum()
        fresh = misses(PATTERNS["two that cancel"], 100 * BOUND, 4)
        assert missed > 0.03 * TRIALS > 10 * fresh

    def test_half_of_the_size_would_be_too_little(self):
        """The twin: without the factor of 2 in S a lone error would be missed more often than half."""
        rng = np.random.default_rng(0)
        e = np.stack([PATTERNS["one"](rng) for _ in range(TRIALS)])
        _, room = rooms(0.01 * e, rng.integers(2**62, size=(TRIALS, 1)), rng, noise=0.0)
        v = (room[:, 0] - BOUND) / 0.01
        assert v.min() == pytest.approx(0.5)
        assert (v < 1).mean() > 0.4  # moved by less than 1: |v . e| < |e|


def quadratic(x):
    """The sum of squares, halved."""
    return 0.5 * float(x @ x)


X = np.random.default_rng(5).normal(size=60)
ONE = [0]


class TestPublicPath:
    @staticmethod
    def checked(error, seed, probes):
        """A check of one coordinate and so many probes, of a gradient with errors."""
        return fastgrad.check_gradient(
            quadratic, X + error, X, coordinates=ONE, probes=probes, seed=seed, progress=False
        )

    def test_right_gradient_is_certified(self):
        """Of a right gradient there is a certificate, which names its block, its size and its chance."""
        report = self.checked(np.zeros(60), 0, 20)
        certificate = report.coverage.certificate
        assert report.verdict == "agree"
        assert certificate.probes == 20
        assert certificate.blocks == ("params",)
        assert certificate.miss == 2.0**-20
        assert certificate.relative[0] < 1e-7
        assert certificate.excluded == 0
        assert len(set(certificate.seeds)) == 20

    @pytest.mark.parametrize("places", [[7], [7, 20], [7, 20, 33, 41]])
    def test_errors_above_its_size_are_not_certified(self, places):
        """Errors that cancel in pairs are certified no more often than by the promise, with 2 probes."""
        trials, certified = 40, 0
        for seed in range(trials):
            error = np.zeros(60)
            error[places] = np.resize([0.1, -0.1], len(places))
            report = self.checked(error, seed, 2)
            certificate = report.coverage.certificate
            known = set(report.indices.tolist())
            left = max((abs(error[i]) for i in places if i not in known), default=0.0)
            certified += certificate is not None and left > certificate.sizes[0]
        assert certified <= most(0.25, trials)
        assert certified == 0 or len(places) > 1

    def test_twin_certificate_of_wrong_claims_excludes_them(self):
        """What was found wrong is left out of the certificate, and it says so."""
        error = np.zeros(60)
        error[7] = 0.1
        report = self.checked(error, 0, 20)
        assert [w.flat_index for w in report.wrong] == [7]
        certificate = report.coverage.certificate
        assert certificate.excluded == 1
        assert "apart from the 1 known ones" in certificate.sentence


class TestNumbers:
    def test_sizes_of_each_block(self):
        """S is counted in each block's own units, and beside its typical entry where there is one."""
        whole = Region.whole(Parameters({"W": np.full((2, 2), 4.0), "b": np.full(3, 0.25)}))
        blocks = [CertifiedBlock("W", 4.0, 2.0), CertifiedBlock("b", 0.25, 0.0)]
        slopes = [Slope(Direction(k, whole), 1e-3, 3e-3, 1.0, 0.0) for k in range(3)]
        certificate = Certificate.of(slopes, blocks, 5)
        assert certificate.sizes == pytest.approx((2 * 4e-3 / 4, 2 * 4e-3 / 0.25))
        assert certificate.relative[0] == pytest.approx(1e-3)
        assert np.isnan(certificate.relative[1])
        assert certificate.seeds == (0, 1, 2)
        assert certificate.sizes[0] == certified_size(slopes, 4.0) != certified_size(slopes, 2.0)

    def test_sentence(self):
        """The sentence names the weakest block, how weak it is, and the chance of a miss."""
        one = Certificate(3, ("W",), (1e-3,), (0.01,), 0, (1, 2, 3))
        assert one.sentence == (
            "3 random directions through W were clean: no coordinate of W is off by more than 0.001, "
            "0.01 of a typical entry, but for a chance of 2^-3 = 1.2e-01"
        )
        two = Certificate(3, ("W", "b"), (1e-3, 5.0), (0.01, float("nan")), 2, (1, 2, 3))
        assert "through 2 blocks" in two.sentence
        assert "no coordinate of W is off" in two.sentence
        assert "apart from the 2 known ones" in two.sentence


def test_each_try_may_miss():
    """A certificate that took several runs of probes says that each of them might have missed."""
    one = Certificate(20, ("W",), (1e-9,), (1e-6,), 0, ())
    third = Certificate(20, ("W",), (1e-9,), (1e-6,), 3, (), runs=3)
    assert (one.miss, third.miss) == (2.0**-20, 3 * 2.0**-20)
    assert one.sentence.endswith("but for a chance of 2^-20 = 9.5e-07")
    assert third.sentence.endswith("but for a chance of 3 * 2^-20 = 2.9e-06")


def test_the_search_counts_its_tries():
    """After a coordinate was found the probes begin again, which the certificate of a check counts."""
    x = np.linspace(-1.0, 1.0, 500)
    right, wrong = 2 * x, 2 * x + (np.arange(500) == 321)
    for claim, runs in ((right, 1), (wrong, 2)):
        report = fastgrad.check_gradient(lambda x: float(x @ x), claim, x, coordinates=[7], probes=20)
        assert report.coverage.certificate.runs == runs

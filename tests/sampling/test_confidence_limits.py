"""The limits that draws put on the number of wrong coordinates, against exact sums."""

from __future__ import annotations

import math
from fractions import Fraction

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sampling_cases import CONFIDENCES, confidences, samples, slack

from fastgrad.sampling import confidence_limits
from fastgrad.sampling.confidence_limits import (
    clopper_pearson,
    least_count,
    most_wrong,
    sequential_confidences,
    wrong_mass,
)


def point(size, bad, drawn, x):
    """P(X = x) as an exact fraction."""
    return Fraction(math.comb(bad, x) * math.comb(size - bad, drawn - x), math.comb(size, drawn))


def tail(size, bad, drawn, x):
    """P(X <= x) as an exact fraction."""
    lowest = max(0, drawn - (size - bad))
    return sum((point(size, bad, drawn, k) for k in range(lowest, min(x, bad, drawn) + 1)), Fraction(0))


def delta_of(confidence):
    """1 - confidence as it is written: 0.05 for 0.95."""
    return 1 - Fraction(str(confidence))


class TestLeastCount:
    # the share that is wrong, draws for delta = 0.05, 0.001 and 10^-6, of a million
    MEMO = (
        (Fraction(1, 10), (29, 66, 132)),
        (Fraction(1, 100), (299, 688, 1374)),
        (Fraction(1, 1000), (2990, 6881, 13714)),
        (Fraction(1, 10_000), (29512, 66743, 129031)),
        (Fraction(1, 10**6), (950_000, 999_001, 999_999)),
    )

    @pytest.mark.parametrize(("share", "counts"), MEMO)
    def test_memo(self, share, counts):
        """Up to one draw these are the memo's numbers, which are for exactly the share wrong."""
        exactly = share * 10**6
        got = [least_count(10**6, c, float(exactly - 1) / 10**6) for c in (0.95, 0.999, 1 - 1e-6)]
        assert all(abs(g - c) <= 1 for g, c in zip(got, counts, strict=True))

    def test_more_than_the_share(self):
        """With one wrong coordinate more than the share the draws are a little fewer."""
        assert [least_count(10**6, c, 0.1) for c in (0.95, 0.999, 1 - 1e-6)] == [29, 66, 132]
        assert [least_count(10**6, c, 1e-3) for c in (0.95, 0.999, 1 - 1e-6)] == [2987, 6874, 13701]

    @given(st.integers(0, 300), st.sampled_from(CONFIDENCES), st.integers(0, 20))
    def test_exact(self, size, confidence, percents):
        """It is the smallest number of draws by the definition, in exact fractions."""
        share = percents / 100
        bad = math.floor(share * size) + 1
        count = least_count(size, confidence, share)
        if bad > size:
            assert count == 0
            return
        delta = delta_of(confidence)
        assert tail(size, bad, count, 0) <= delta < tail(size, bad, count - 1, 0)

    @pytest.mark.parametrize("confidence", CONFIDENCES)
    @pytest.mark.parametrize(("size", "share"), [(1000, 0.01), (1000, 0.2), (50_000, 0.003), (20, 0.0)])
    def test_promise(self, size, share, confidence):
        """With more than the share wrong, all draws are clean in delta of the trials at most."""
        trials = 20_000
        bad = math.floor(share * size) + 1
        count = least_count(size, confidence, share)
        wrong = np.random.default_rng(0).hypergeometric(bad, size - bad, count, trials)
        assert (wrong == 0).mean() <= 1 - confidence + slack(1 - confidence, trials)

    def test_twin_of_promise(self):
        """With half of the draws the promise is broken, and the trials show it."""
        wrong = np.random.default_rng(0).hypergeometric(11, 989, least_count(1000, 0.95, 0.01) // 2, 20_000)
        assert (wrong == 0).mean() > 0.05 + slack(0.05, 20_000)

    @given(st.integers(1, 10**9), confidences, st.sampled_from((0.0, 1e-6, 1e-3, 0.01, 0.3)))
    def test_agrees_with_most_wrong(self, size, confidence, share):
        """So many clean draws are what most_wrong needs to go down to the share, and one less is not."""
        count = least_count(size, confidence, share)
        assert most_wrong(size, count, 0, confidence) <= math.floor(share * size)
        if count:
            assert most_wrong(size, count - 1, 0, confidence) > math.floor(share * size)

    @given(st.integers(0, 10**9), confidences)
    def test_bounded_by_size(self, size, confidence):
        """No more draws than there are coordinates; none where all may be wrong."""
        assert 0 <= least_count(size, confidence, 0.0) <= size
        assert least_count(size, confidence, 1.0) == 0

    def test_certain(self):
        """Certainty about every coordinate takes every coordinate."""
        assert least_count(10**6, 1.0, 0.0) == 10**6
        assert least_count(10**6, 1.0, 0.1) == 900_000  # or all draws could be clean


class TestMostWrong:
    @pytest.mark.parametrize("confidence", CONFIDENCES)
    def test_exact(self, confidence):
        """It is the largest number by the definition, in exact fractions, for all samples of up to 14."""
        delta = delta_of(confidence)
        for size in range(15):
            for drawn in range(size + 1):
                for wrong in range(drawn + 1):
                    possible = range(wrong, size - (drawn - wrong) + 1)
                    expected = max(bad for bad in possible if tail(size, bad, drawn, wrong) > delta)
                    assert most_wrong(size, drawn, wrong, confidence) == expected

    @pytest.mark.parametrize("confidence", [0.9, 0.999])
    @pytest.mark.parametrize("size", [30, 101, 400])
    def test_scipy(self, size, confidence):
        """It is the largest number by scipy's hypergeometric distribution, where a tie is no excess."""
        from scipy.stats import hypergeom

        for drawn in range(1, size, 1 + size // 12):
            for wrong in range(0, drawn + 1, 1 + drawn // 5):
                possible = np.arange(wrong, size - (drawn - wrong) + 1)
                likely = hypergeom.cdf(wrong, size, possible, drawn) > (1 - confidence) * (1 + 1e-9)
                assert most_wrong(size, drawn, wrong, confidence) == possible[likely].max()

    @pytest.mark.parametrize("size", [1, 7, 40])
    def test_all_tails(self, size):
        """P(X <= x) is what exact fractions give, for x below and above what can be, too."""
        for bad in range(size + 1):
            for drawn in range(0, size + 1, 1 + size // 10):
                for x in range(-1, drawn + 2):
                    exact = tail(size, bad, drawn, x)
                    assert math.isclose(confidence_limits._at_most(x, size, bad, drawn), exact, abs_tol=1e-13)

    # size, bad, drawn, x: what log-gammas or a sum of terms could get wrong
    LARGE = (
        (10**9, 10**7, 688, 0),
        (10**9, 10**7, 688, 2),
        (10**9, 5 * 10**8, 10**6, 498_700),
        (10**9, 3 * 10**4, 10**5, 0),
        (10**8, 10**5, 10**6, 900),
        (10**6, 999_000, 2000, 1990),
        (10**6, 1, 999_999, 0),
    )

    @pytest.mark.parametrize(("size", "bad", "drawn", "x"), LARGE)
    def test_large(self, size, bad, drawn, x):
        """P(X <= x) is right to ten digits up to a size of 10^9 (mpmath, 50 digits)."""
        with mpmath.workdps(50):

            def log_choose(n, k):
                return mpmath.loggamma(n + 1) - mpmath.loggamma(k + 1) - mpmath.loggamma(n - k + 1)

            lowest = max(0, drawn - (size - bad))
            term = mpmath.exp(
                log_choose(bad, x) + log_choose(size - bad, drawn - x) - log_choose(size, drawn)
            )
            exact = term
            for k in range(x, lowest, -1):
                term *= mpmath.mpf(k * (size - bad - drawn + k)) / ((bad - k + 1) * (drawn - k + 1))
                exact += term
                if term < mpmath.mpf(10) ** -30 * exact:
                    break
            assert abs(confidence_limits._at_most(x, size, bad, drawn) / exact - 1) < 1e-10

    def test_stirling(self):
        """The error of Stirling's formula for log n! is right below and above the switch to its series."""
        for n in range(1, 60):
            exact = mpmath.loggamma(n + 1) - (n + 0.5) * mpmath.log(n) + n - mpmath.log(2 * mpmath.pi) / 2
            assert abs(confidence_limits._stirling_error(n) - exact) < 3e-14

    def test_all_terms_of_a_long_tail(self):
        """A tail of more terms than are added at a time is added up whole."""
        size, drawn = 10**9, 10**8
        half = confidence_limits._at_most(5 * 10**7, size, 5 * 10**8, drawn)
        assert abs(half - 0.5) < 1e-4

    # size, fraction wrong, drawn
    TRIALS = (
        (50, 0.1, 20),
        (1000, 0.002, 300),
        (1000, 0.03, 64),
        (1000, 0.5, 900),
        (10**6, 0.001, 3000),
        (10**6, 0.2, 64),
    )

    def coverage(self, size, share, drawn, confidence, trials=20_000):
        """In which share of the trials no more are wrong than the limit says."""
        bad = round(share * size)
        found = np.random.default_rng(1).hypergeometric(bad, size - bad, drawn, trials)
        values, repeats = np.unique(found, return_counts=True)
        kept = [bad <= most_wrong(size, drawn, int(x), confidence) for x in values]
        return (repeats * kept).sum() / trials

    @pytest.mark.parametrize("confidence", CONFIDENCES)
    @pytest.mark.parametrize(("size", "share", "drawn"), TRIALS)
    def test_promise(self, size, share, drawn, confidence):
        """The truth is within the limit in `confidence` of the trials at least."""
        assert self.coverage(size, share, drawn, confidence) >= confidence - slack(confidence, 20_000)

    def test_twin_of_promise(self):
        """The best guess instead of a limit is under the truth far more often, and the trials show it."""
        found = np.random.default_rng(1).hypergeometric(30, 970, 200, 20_000)
        assert (found / 200 * 1000 >= 30).mean() < 0.9 - slack(0.9, 20_000)

    @given(samples(), st.sampled_from(CONFIDENCES))
    def test_tight(self, sample, confidence):
        """One less would not do: with the limit as the truth such a sample comes up too often."""
        size, drawn, wrong = sample
        limit = most_wrong(size, drawn, wrong, confidence)
        assert tail(size, limit, drawn, wrong) > delta_of(confidence)
        if limit < size - (drawn - wrong):
            assert tail(size, limit + 1, drawn, wrong) <= delta_of(confidence)

    @given(samples(10**9), confidences)
    def test_between(self, sample, confidence):
        """The limit is between the wrong ones that were seen and all but the clean ones that were seen."""
        size, drawn, wrong = sample
        assert wrong <= most_wrong(size, drawn, wrong, confidence) <= size - (drawn - wrong)

    @given(samples(10**6), confidences)
    def test_monotone_in_wrong(self, sample, confidence):
        """One wrong draw more in as many never lowers the limit."""
        size, drawn, wrong = sample
        if wrong < drawn:
            more = most_wrong(size, drawn, wrong + 1, confidence)
            assert more >= most_wrong(size, drawn, wrong, confidence)

    @given(samples(10**6), confidences)
    def test_monotone_in_drawn(self, sample, confidence):
        """One clean draw more never raises the limit, and one wrong draw more never lowers it."""
        size, drawn, wrong = sample
        if drawn < size:
            limit = most_wrong(size, drawn, wrong, confidence)
            assert most_wrong(size, drawn + 1, wrong, confidence) <= limit
            assert most_wrong(size, drawn + 1, wrong + 1, confidence) >= limit

    @given(samples(10**6), confidences, confidences)
    def test_monotone_in_confidence(self, sample, one, other):
        """More confidence never lowers the limit."""
        low, high = sorted((one, other))
        assert most_wrong(*sample, low) <= most_wrong(*sample, high)

    @given(st.integers(0, 10**9), st.data(), confidences)
    def test_all_or_none_drawn(self, size, data, confidence):
        """All drawn: as many as were seen. None drawn: all may be wrong."""
        wrong = data.draw(st.integers(0, size))
        assert most_wrong(size, size, wrong, confidence) == wrong
        assert most_wrong(size, 0, 0, confidence) == size

    def test_certain(self):
        """With certainty nothing is said about what was not drawn."""
        assert most_wrong(10**6, 10**5, 7, 1.0) == 900_007

    def test_numpy_integers(self):
        """Counts may be NumPy integers, which would overflow in products."""
        counts = [np.int32(n) for n in (10**9, 1000, 3)]
        assert most_wrong(*counts, 0.999) == most_wrong(10**9, 1000, 3, 0.999)


class TestClopperPearson:
    # drawn, wrong, the limit at 95% in docs/numerics.md, Samples
    MEMO = ((64, 0, 0.046), (64, 1, 0.072), (64, 3, 0.117), (300, 0, 0.010), (1000, 0, 0.0030))

    @pytest.mark.parametrize(("drawn", "wrong", "limit"), MEMO)
    def test_memo(self, drawn, wrong, limit):
        """These are the memo's numbers."""
        assert abs(clopper_pearson(drawn, wrong, 0.95) - limit) < 6e-4

    @given(st.integers(1, 10**6), confidences)
    def test_clean(self, drawn, confidence):
        """Without a wrong one it is 1 - delta^(1/m)."""
        expected = 1 - (1 - confidence) ** (1 / drawn)
        assert math.isclose(clopper_pearson(drawn, 0, confidence), expected, rel_tol=1e-6)

    @given(st.integers(0, 300), st.data(), st.sampled_from(CONFIDENCES))
    def test_definition(self, drawn, data, confidence):
        """At the limit the chance of no more wrong ones than seen is delta."""
        from scipy.special import bdtr

        wrong = data.draw(st.integers(0, drawn))
        limit = clopper_pearson(drawn, wrong, confidence)
        if wrong == drawn:
            assert limit == 1
        else:
            assert math.isclose(bdtr(wrong, drawn, limit), 1 - confidence, rel_tol=1e-8)

    @given(samples(200), st.sampled_from(CONFIDENCES))
    def test_above_the_finite_limit(self, sample, confidence):
        """As in a finite population of any size the limit without replacement is no larger, up to one."""
        _, drawn, wrong = sample
        size = 1000 + drawn
        assert (
            most_wrong(size, drawn, wrong, confidence) <= clopper_pearson(drawn, wrong, confidence) * size + 1
        )


class TestWrongMass:
    N = 400
    CONFIDENCE = 0.95
    TRIALS = 10_000

    def gradient(self):
        """A skewed gradient and which entries of it are wrong: the tenth largest, and many small ones."""
        gradient = np.exp(2 * np.random.default_rng(3).normal(size=self.N))
        order = np.argsort(gradient)
        wrong = np.zeros(self.N, dtype=bool)
        wrong[order[[-10, *range(12)]]] = True
        return gradient, wrong

    def found(self, gradient, wrong, drawn):
        """How many wrong ones turned up in each of many trials."""
        q = 0.5 / self.N + 0.5 * gradient / gradient.sum()
        return np.random.default_rng(4).binomial(drawn, q[wrong].sum(), self.TRIALS)

    def coverage(self, limit, drawn):
        """In which share of the trials the wrong entries' share of the sum is within the limit."""
        gradient, wrong = self.gradient()
        truth = gradient[wrong].sum() / gradient.sum()
        values, repeats = np.unique(self.found(gradient, wrong, drawn), return_counts=True)
        kept = [truth <= limit(drawn, int(x), self.CONFIDENCE) for x in values]
        return (repeats * kept).sum() / self.TRIALS

    @pytest.mark.parametrize("drawn", [20, 64, 300, 1000, 5000])
    def test_promise(self, drawn):
        """The wrong entries' share of the sum is within the limit in `confidence` of the trials at least."""
        assert self.coverage(wrong_mass, drawn) >= self.CONFIDENCE - slack(self.CONFIDENCE, self.TRIALS)

    def test_one_large_entry(self):
        """The promise holds where it is tightest, with one large entry wrong: its q is half of its share."""
        gradient = np.full(10**6, 1e-9)
        gradient[0] = 0.05
        wrong = np.zeros(10**6, dtype=bool)
        wrong[0] = True
        share = gradient[0] / gradient.sum()
        q = 0.5e-6 + 0.5 * share
        found = np.random.default_rng(5).binomial(100, q, self.TRIALS)
        kept = np.array([share <= wrong_mass(100, int(x), self.CONFIDENCE) for x in found])
        naive = np.array([share <= clopper_pearson(100, int(x), self.CONFIDENCE) for x in found])
        assert kept.mean() >= self.CONFIDENCE - slack(self.CONFIDENCE, self.TRIALS)
        assert naive.mean() < self.CONFIDENCE - slack(self.CONFIDENCE, self.TRIALS)  # the twin: not doubled

    def test_with_its_sampler(self):
        """The promise holds for the draws that fastgrad makes."""
        from fastgrad.sampling.within_block import draw_by_importance

        gradient, wrong = self.gradient()
        truth = gradient[wrong].sum() / gradient.sum()
        rng = np.random.default_rng(6)
        kept = [
            truth <= wrong_mass(64, int(wrong[draw_by_importance([gradient], 64, rng)].sum()), 0.9)
            for _ in range(1000)
        ]
        assert np.mean(kept) >= 0.9 - slack(0.9, 1000)

    def test_at_most_all(self):
        """The share is never over one."""
        assert wrong_mass(0, 0, 0.95) == wrong_mass(3, 2, 0.95) == 1


class TestSequential:
    def test_adds_up(self):
        """The deltas are halved from look to look and add up to no more than delta."""
        deltas = 1 - np.array(sequential_confidences(0.9, 30))
        np.testing.assert_allclose(deltas, 0.1 / 2.0 ** np.arange(1, 31), rtol=1e-6)
        assert deltas.sum() <= 0.1
        assert sequential_confidences(0.9, 0) == []

    def test_many_rounds(self):
        """After so many rounds that delta is nothing in floats, the looks say what is certain."""
        last = sequential_confidences(0.999, 80)[-1]
        assert last == 1
        assert most_wrong(1000, 10, 0, last) == 990

    SIZE, BAD, TRIALS = 20_000, 600, 5000
    COUNTS = (16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192)

    def broken(self, confidence_of_looks):
        """In which share of trials some look at a growing sample has a limit under the truth."""
        rng = np.random.default_rng(7)
        found = np.zeros(self.TRIALS, dtype=np.int64)
        broken = np.zeros(self.TRIALS, dtype=bool)
        before = 0
        for count, confidence in zip(self.COUNTS, confidence_of_looks, strict=True):
            clean_left = self.SIZE - self.BAD - (before - found)
            found += rng.hypergeometric(self.BAD - found, clean_left, count - before)
            values, where = np.unique(found, return_inverse=True)
            limits = np.array([most_wrong(self.SIZE, count, int(x), confidence) for x in values])
            broken |= limits[where] < self.BAD
            before = count
        return broken.mean()

    def test_promise(self):
        """Whichever look one stops at, all limits hold together in `confidence` of the trials at least."""
        assert self.broken(sequential_confidences(0.9, len(self.COUNTS))) <= 0.1 + slack(0.1, self.TRIALS)

    def test_twin_of_promise(self):
        """With the whole delta at each look the best moment to stop breaks the promise."""
        assert self.broken([0.9] * len(self.COUNTS)) > 0.1 + slack(0.1, self.TRIALS)

"""What a sample proves: exact limits, promises kept in simulation, laws, and sentences with their numbers."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastgrad.errors import InputError
from fastgrad.sampling import confidence_limits, guarantee
from fastgrad.sampling.confidence_limits import (
    clopper_pearson,
    least_count,
    most_wrong,
    sequential_confidences,
    wrong_mass,
)
from fastgrad.sampling.guarantee import BlockCounts, BlockGuarantee, Guarantee

CONFIDENCES = (0.5, 0.9, 0.95, 0.999)

confidences = st.sampled_from((*CONFIDENCES, 1 - 1e-6, 1 - 1e-12, 1.0))


@st.composite
def samples(draw, largest=3000):
    """A size, how many were drawn, and how many of these were wrong."""
    size = draw(st.integers(0, largest))
    drawn = draw(st.integers(0, size))
    return size, drawn, draw(st.integers(0, drawn))


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


def guarantee_of(counts, confidence, by_importance=None):
    """The guarantee of blocks whose counts are written as plain tuples."""
    return Guarantee.of([BlockCounts(*count) for count in counts], confidence, by_importance)


def slack(share, trials):
    """Four standard deviations of a share in so many trials."""
    return 4 * math.sqrt(share * (1 - share) / trials)


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


class TestBlock:
    def test_parts(self):
        """What is known counts as found, and the limit is about the others only."""
        block = BlockGuarantee.of(BlockCounts("W", 1000, 100, 7, 200, 2), 0.999)
        assert block.at_most == 7 + most_wrong(900, 200, 2, 0.999)
        assert block.fraction == block.at_most / 1000
        assert not block.whole

    def test_whole(self):
        """A block that was checked whole has no doubt in it, however it was checked."""
        for known, drawn in ((0, 50), (50, 0), (20, 30)):
            block = BlockGuarantee.of(BlockCounts("b", 50, known, min(known, 2), drawn, min(drawn, 3)), 0.999)
            assert block.whole
            assert block.at_most == block.dirty_known + block.dirty_drawn

    def test_nothing_drawn(self):
        """A block without a random draw may be wrong in all that was not picked."""
        assert BlockGuarantee.of(BlockCounts("W", 1000, 100, 0, 0, 0), 0.9).at_most == 900

    def test_empty(self):
        """An empty block is whole, and none of it is wrong."""
        block = BlockGuarantee.of(BlockCounts("e", 0, 0, 0, 0, 0), 0.9)
        assert (block.at_most, block.fraction, block.whole) == (0, 0.0, True)


class TestTogether:
    # size, wrong, known, drawn of blocks: all with a limit that can be too low
    BLOCKS = (
        (1000, 50, 100, 100),
        (5000, 20, 0, 300),
        (300, 30, 50, 64),
        (10**6, 5000, 0, 500),
        (80, 1, 0, 60),
    )
    TRIALS = 5000

    def held(self, confidence_of_blocks):
        """In which share of the trials all limits hold; a third of what is known is wrong where some are."""
        rng = np.random.default_rng(8)
        held = np.ones(self.TRIALS, dtype=bool)
        for (size, wrong, known, drawn), confidence in zip(self.BLOCKS, confidence_of_blocks, strict=True):
            dirty_known = min(known, wrong) // 3
            bad = wrong - dirty_known
            found = rng.hypergeometric(bad, size - known - bad, drawn, self.TRIALS)
            values, where = np.unique(found, return_inverse=True)
            limits = [
                BlockGuarantee.of(
                    BlockCounts("W", size, known, dirty_known, drawn, int(x)), confidence
                ).at_most
                for x in values
            ]
            held &= wrong <= np.array(limits)[where]
        return held.mean()

    def test_promise(self):
        """All blocks' limits hold together in `confidence` of the trials at least."""
        each = 1 - (1 - 0.9) / len(self.BLOCKS)
        assert self.held([each] * len(self.BLOCKS)) >= 0.9 - slack(0.9, self.TRIALS)

    def test_twin_of_promise(self):
        """With the whole delta for each block one limit or another is too low more often."""
        assert self.held([0.9] * len(self.BLOCKS)) < 0.9 - slack(0.9, self.TRIALS)

    def test_share_of_delta(self):
        """Delta is shared among the blocks that could be misjudged: not whole ones, not unvisited ones."""
        whole = [("b", 100, 0, 0, 100, 2), ("c", 10, 10, 0, 0, 0), ("d", 500, 20, 1, 0, 0)]
        counts = [("W", 1000, 0, 0, 200, 1), *whole, ("V", 2000, 50, 2, 300, 0)]
        got = guarantee_of(counts, 0.9)
        assert got.blocks == tuple(BlockGuarantee.of(BlockCounts(*count), 0.95) for count in counts)
        assert guarantee_of(counts[:-1], 0.9).blocks[0] == BlockGuarantee.of(BlockCounts(*counts[0]), 0.9)
        assert guarantee_of(whole, 0.9).blocks == tuple(
            BlockGuarantee.of(BlockCounts(*count), 0.9) for count in whole
        )

    def test_share_of_the_mass(self):
        """Draws by importance take a part of delta too, so that this limit holds with the others."""
        got = guarantee_of([("W", 1000, 0, 0, 200, 1)], 0.9, by_importance=(300, 2))
        assert got.mass == wrong_mass(300, 2, 0.95)
        assert got.blocks == (BlockGuarantee.of(BlockCounts("W", 1000, 0, 0, 200, 1), 0.95),)

    @given(st.lists(samples(2000), min_size=1, max_size=6), confidences)
    def test_sums(self, sampled, confidence):
        """The overall limit is the sum of the blocks'."""
        counts = [(f"W{k}", size, 0, 0, drawn, wrong) for k, (size, drawn, wrong) in enumerate(sampled)]
        got = guarantee_of(counts, confidence)
        assert got.at_most == sum(b.at_most for b in got.blocks) <= got.size == sum(c[1] for c in counts)
        assert got.fraction == (got.at_most / got.size if got.size else 0)
        assert got.whole == all(size == drawn for size, drawn, _ in sampled)


class TestSentence:
    W, B = ("W1", 10_000, 0, 0, 1500, 0), ("b1", 100, 0, 0, 100, 0)
    MISSED = "; one wrong coordinate among many can be missed by a sample"

    # counts, confidence, by_importance, the sentence
    TABLE = (
        (
            [W, B],
            0.999,
            None,
            "with 99.9% confidence at most 0.42% of all coordinates are wrong "
            "(at most 0.42% in W1, none in b1)" + MISSED,
        ),
        ([W], 0.999, None, "with 99.9% confidence at most 0.42% of all coordinates are wrong" + MISSED),
        (
            [W, B],
            0.95,
            (1000, 0),
            "with 95% confidence at most 0.22% of all coordinates are wrong "
            "(at most 0.22% in W1, none in b1) and at most 0.74% of the gradient's total size "
            "(the sum of |g|) is in wrong entries" + MISSED,
        ),
        ([B, ("b2", 7, 7, 0, 0, 0)], 0.999, None, "every coordinate was checked: no coordinate is wrong"),
        (
            [B, ("b2", 7, 7, 1, 0, 0)],
            0.999,
            None,
            "every coordinate was checked: at most 0.94% of all coordinates are wrong "
            "(at most 15% in b2, none in b1)",
        ),
        (
            [B],
            0.999,
            (1000, 0),
            "every coordinate was checked: no coordinate is wrong and with 99.9% confidence at most 1.4% of "
            "the gradient's total size (the sum of |g|) is in wrong entries",
        ),
        (
            [("W", 100, 0, 0, 96, 0)],
            0.95,
            None,
            "with 95% confidence no coordinate is wrong" + MISSED,
        ),
        (
            [("W", 100, 0, 0, 0, 0), ("empty", 0, 0, 0, 0, 0)],
            0.95,
            None,
            "with 95% confidence at most 100% of all coordinates are wrong" + MISSED,
        ),
        (
            [("a", 100, 10, 1, 0, 0), ("b", 100, 0, 0, 100, 7), ("c", 100, 0, 0, 100, 8), B, B],
            0.95,
            None,
            "with 95% confidence at most 22% of all coordinates are wrong (at most 91% in a, "
            "at most 8% in c, at most 7% in b, none in 2 other blocks)" + MISSED,
        ),
        (
            [(name, 10, 0, 0, 10, wrong) for wrong, name in enumerate("abcd", 1)],
            0.95,
            None,
            "every coordinate was checked: at most 25% of all coordinates are wrong (at most 40% in d, "
            "at most 30% in c, at most 20% in b, no more than that in 1 other block)",
        ),
    )

    @pytest.mark.parametrize(("counts", "confidence", "by_importance", "sentence"), TABLE)
    def test_sentence(self, counts, confidence, by_importance, sentence):
        """The guarantee in words: how sure, how many at most, the worst blocks, what is not promised."""
        assert guarantee_of(counts, confidence, by_importance).sentence == sentence

    def test_mass_of_another_source(self):
        """A guarantee may be given the share of the sum afterwards."""
        got = replace(guarantee_of([self.W], 0.999), mass=0.0123)
        assert "and at most 1.3% of the gradient's total size" in got.sentence

    @given(st.integers(1, 10**9), st.data())
    def test_percent_is_never_rounded_down(self, size, data):
        """A percentage is no less than the share, and a tenth more at most."""
        share = Fraction(data.draw(st.integers(0, size)), size)
        text = guarantee._percent(float(share))
        shown = Fraction(Decimal(text.removesuffix("%"))) / 100
        assert share <= shown <= share * Fraction(11, 10)
        assert len(text.removesuffix("%").replace(".", "").strip("0")) <= guarantee.DIGITS

    # confidence, as shown
    SHOWN = (
        (0.999, "99.9%"),
        (0.95, "95%"),
        (0.5, "50%"),
        (0.99975, "99.975%"),
        (0.9998046875, "99.98%"),
        (0.99957, "99.957%"),
        (0.999567, "99.956%"),
        (1 - 1e-6, "99.9999%"),
        (1 - 1e-12, "99.9999999999%"),
        (1.0, "100%"),
        (1, "100%"),
    )

    @pytest.mark.parametrize(("confidence", "text"), SHOWN)
    def test_confidence_is_never_rounded_up(self, confidence, text):
        """A confidence is shown with two digits of delta, and as no more than it is."""
        assert guarantee._percent_down(confidence) == text


class TestRefused:
    COUNTS = "counts must be 0 <= wrong <= checked <= size; got wrong {}, checked {}, size {}"
    CONFIDENCE = "confidence must be over 0 and up to 1; got {}"

    # what is called, the whole message
    MESSAGES = (
        (lambda: most_wrong(10, 11, 0, 0.9), COUNTS.format(0, 11, 10)),
        (lambda: most_wrong(10, 5, 6, 0.9), COUNTS.format(6, 5, 10)),
        (lambda: most_wrong(10, 5, -1, 0.9), COUNTS.format(-1, 5, 10)),
        (lambda: most_wrong(10, 5, 0, 0.0), CONFIDENCE.format(0.0)),
        (lambda: most_wrong(10, 5, 0, 1.5), CONFIDENCE.format(1.5)),
        (lambda: most_wrong(10, 5, 0, math.nan), CONFIDENCE.format("nan")),
        (lambda: least_count(-1, 0.9, 0.1), COUNTS.format(0, 0, -1)),
        (lambda: least_count(10, 0, 0.1), CONFIDENCE.format(0)),
        (lambda: least_count(10, 0.9, 1.1), "wrong_fraction must be from 0 to 1; got 1.1"),
        (lambda: clopper_pearson(3, 4, 0.9), COUNTS.format(4, 3, 3)),
        (lambda: wrong_mass(3, 0, -1), CONFIDENCE.format(-1)),
        (lambda: sequential_confidences(2, 3), CONFIDENCE.format(2)),
        (lambda: sequential_confidences(0.9, -1), "rounds must be zero or more; got -1"),
        (lambda: guarantee_of([], 0), CONFIDENCE.format(0)),
        (
            lambda: guarantee_of([("W", 10, 8, 0, 3, 0)], 0.9),
            "block W: " + COUNTS.format(0, 3, 2),
        ),
        (
            lambda: guarantee_of([("W", 10, 2, 3, 3, 0)], 0.9),
            "block W: " + COUNTS.format(3, 2, 10),
        ),
    )

    @pytest.mark.parametrize(("call", "message"), MESSAGES)
    def test_message(self, call, message):
        """Counts and confidences that cannot be are refused with what came."""
        with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
            call()

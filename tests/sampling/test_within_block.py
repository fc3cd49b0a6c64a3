"""Which coordinates of a block are checked: exact counts, the places picked on purpose, uniform draws."""

from __future__ import annotations

import math
import re
import tracemalloc
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastgrad.arrays import PIECE
from fastgrad.errors import InputError
from fastgrad.sampling import within_block
from fastgrad.sampling.within_block import (
    LEAST_TO_PICK,
    NEIGHBOURS,
    OF_EACH_KIND,
    BlockPlan,
    draw_by_importance,
    plan_block,
)

LANDMARKS = 4 + 3 * OF_EACH_KIND + NEIGHBOURS
"""What is picked at most before the Latin design: corners, extremes, the run."""

ALMOST_IMPOSSIBLE = 6
"""Standard deviations that a frequency may be off: with fixed seeds this cannot fail now and then."""

shapes = st.lists(st.integers(1, 60), max_size=3).map(tuple)
seeds = st.integers(0, 2**32)


def plan(shape, count, gradient=None, seed=0):
    """A plan by a seed."""
    return plan_block(shape, gradient, count, np.random.default_rng(seed))


def gradient_of(size, seed=0, zeros=0, not_finite=0):
    """Normal numbers, as many zeros and NaN as asked for among them, at random places."""
    rng = np.random.default_rng(seed)
    gradient = rng.normal(size=size)
    places = rng.permutation(size)
    gradient[places[:zeros]] = 0
    gradient[places[zeros : zeros + not_finite]] = np.nan
    return gradient


def lines(positions, shape):
    """The rows and the columns that positions visit, of a block seen as a matrix."""
    columns = math.prod(shape[1:])
    return set((positions // columns).tolist()), set((positions % columns).tolist())


class TestCounts:
    @given(shapes, st.data(), seeds, st.booleans())
    def test_exact(self, shape, data, seed, known):
        """A plan has exactly the asked number of places, or the block's size, increasing and each once."""
        size = math.prod(shape)
        count = data.draw(st.one_of(st.integers(0, 2 * size), st.integers(0, 300)))
        zeros = data.draw(st.integers(0, size))
        gradient = gradient_of(size, seed, zeros, min(size - zeros, 3)) if known else None
        made = plan(shape, count, gradient, seed)
        assert len(made.picked) + len(made.drawn) == min(count, size) == len(made.all)
        assert all((np.diff(part) > 0).all() for part in (made.picked, made.drawn, made.all))
        assert made.picked.dtype == made.drawn.dtype == np.intp
        assert not len(made.all) or 0 <= made.all[0] <= made.all[-1] < size

    @given(shapes, st.integers(0, 300), seeds)
    def test_at_most_half_is_picked(self, shape, count, seed):
        """At least half of a count is drawn at random, and below LEAST_TO_PICK all of it."""
        made = plan(shape, count, gradient_of(math.prod(shape), seed, 0), seed)
        assert len(made.picked) <= (count // 2 if count >= LEAST_TO_PICK else 0)

    @pytest.mark.parametrize("size", [0, 1, 10, 256, 3000])
    @pytest.mark.parametrize("more", [0, 50])
    def test_whole(self, size, more):
        """A block that has no more coordinates than asked for is checked whole, all of it as draws."""
        made = plan((size,), size + more, np.zeros(size))
        assert made.picked.tolist() == []
        assert made.drawn.tolist() == list(range(size))

    def test_scalar(self):
        """A scalar block has one coordinate."""
        assert plan((), 5).drawn.tolist() == [0]
        assert plan((), 0).all.tolist() == []

    def test_many(self):
        """LEAST_TO_PICK is where picking starts: one less draws all of them, LEAST_TO_PICK picks half."""
        assert len(plan((100, 100), LEAST_TO_PICK - 1).picked) == 0
        assert len(plan((100, 100), LEAST_TO_PICK).picked) == LEAST_TO_PICK // 2

    @given(shapes, st.integers(0, 300), seeds)
    def test_reproducible(self, shape, count, seed):
        """The same seed makes the same plan."""
        gradient = gradient_of(math.prod(shape), 0, math.prod(shape) // 3)
        first, second = plan(shape, count, gradient, seed), plan(shape, count, gradient, seed)
        assert first.picked.tolist() == second.picked.tolist()
        assert first.drawn.tolist() == second.drawn.tolist()

    def test_seeds_differ(self):
        """Other seeds draw other coordinates and pick some others."""
        plans = [plan((50, 50), 400, np.zeros(2500), seed) for seed in range(20)]
        assert len({tuple(p.drawn) for p in plans}) == len({tuple(p.picked) for p in plans}) == 20


class TestPicked:
    @pytest.mark.parametrize("shape", [(30, 40), (40, 30), (12, 10, 10), (1, 1200), (1200, 1), (1200,)])
    def test_corners(self, shape):
        """The first and last element and the corners of the matrix are always picked."""
        size, columns = math.prod(shape), math.prod(shape[1:])
        assert {0, size - 1, columns - 1, size - columns} <= set(plan(shape, LEAST_TO_PICK).picked.tolist())

    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_extremes(self, dtype):
        """Entries that are not finite and the largest ones are always picked, wherever they are."""
        gradient = gradient_of(3 * PIECE + 7).astype(dtype)
        bad = [5, 2 * PIECE + 1, 2 * PIECE + 3]
        gradient[bad] = np.nan, np.inf, -np.inf
        gradient[[9, PIECE, PIECE + 1, 3 * PIECE + 6]] = 50, -60, 70, 80
        sizes = np.where(np.isfinite(gradient), np.abs(gradient), 0)
        largest = np.argsort(-sizes)[:OF_EACH_KIND]
        picked = set(plan((len(gradient),), LEAST_TO_PICK, gradient).picked.tolist())
        assert picked.issuperset(bad)
        assert picked.issuperset(largest.tolist())

    def test_twin_of_extremes(self):
        """Without the gradient the largest entries are not known, and not picked but by luck."""
        gradient = gradient_of(3 * PIECE)
        largest = np.argsort(-np.abs(gradient))[:OF_EACH_KIND]
        assert not set(plan((len(gradient),), LEAST_TO_PICK).picked.tolist()).issuperset(largest.tolist())

    def test_not_all_that_are_not_finite(self):
        """Where the whole gradient is NaN no more than eight are picked for that."""
        found = within_block._extremes(np.full(5000, np.nan), np.random.default_rng(0))
        assert found == (list(range(OF_EACH_KIND)), [], [])

    @pytest.mark.parametrize("zeros", [1, OF_EACH_KIND - 1, 1000])
    def test_zeros(self, zeros):
        """Eight of the zeros are picked, or all of them."""
        gradient = gradient_of(2 * PIECE + 100, 1, zeros)
        picked = plan((len(gradient),), LEAST_TO_PICK, gradient).picked
        assert np.count_nonzero(gradient[picked] == 0) >= min(OF_EACH_KIND, zeros)

    def test_zeros_are_random(self):
        """Over many seeds each zero is picked about equally often, those in another piece too."""
        zeros = np.r_[np.arange(100, 110), np.arange(PIECE + 100, PIECE + 130)]
        gradient = np.ones(PIECE + 200)
        gradient[zeros] = 0
        counts = np.zeros(len(zeros))
        for seed in range(300):
            zeros_by_piece = [10, 30]
            found = within_block._some_zeros(gradient, zeros_by_piece, np.random.default_rng(seed))
            counts[np.searchsorted(zeros, found)] += 1
        assert counts.sum() == 300 * OF_EACH_KIND
        assert np.abs(counts - 60).max() < ALMOST_IMPOSSIBLE * np.sqrt(60 * 0.8)

    def test_run(self):
        """Sixteen neighbours in a row are picked, at a place that the seed decides."""
        starts = set()
        for seed in range(20):
            picked = plan((10_000,), 150, np.ones(10_000), seed).picked
            runs = [int(p) for p in picked if np.isin(np.arange(p, p + NEIGHBOURS), picked).all()]
            assert runs
            starts.add(runs[0])
        assert len(starts) > 10

    # shape
    SHAPES = ((40, 40), (30, 50), (50, 30), (100, 6), (6, 100), (7, 5, 20), (70, 5, 2))

    @pytest.mark.parametrize("shape", SHAPES)
    @pytest.mark.parametrize("seed", range(5))
    def test_every_row_and_column(self, shape, seed):
        """Where half the count has room for the longer side, every row and every column is visited."""
        rows, columns = shape[0], math.prod(shape[1:])
        count = 2 * (LANDMARKS + max(rows, columns))
        gradient = gradient_of(rows * columns, seed, 20, 2)
        visited = lines(plan(shape, count, gradient, seed).picked, shape)
        assert visited == (set(range(rows)), set(range(columns)))

    def test_wrong_column_is_caught(self):
        """A gradient wrong in one column is wrong at a picked place, whichever column and seed."""
        for column in range(30):
            wrong = np.zeros((40, 30), dtype=bool)
            wrong[:, column] = True
            made = plan((40, 30), 2 * (LANDMARKS + 40), np.ones(1200), seed=column)
            assert wrong.reshape(-1)[made.picked].any()

    def test_twin_of_wrong_column(self):
        """As many random draws miss some column now and then, so the design is what catches them."""
        count = 2 * (LANDMARKS + 40)
        missed = 0
        for seed in range(20):
            drawn = np.random.default_rng(seed).choice(1200, count // 2, replace=False)
            missed += len(lines(drawn, (40, 30))[1]) < 30
        assert missed > 0

    @given(st.integers(1, 50), st.integers(1, 50), st.integers(0, 60), seeds)
    def test_latin_design(self, rows, columns, room, seed):
        """The design has no two places on a line of the longer side, and spreads over the shorter one."""
        positions = within_block._latin(rows, columns, room, np.random.default_rng(seed))
        longer, shorter = max(rows, columns), min(rows, columns)
        by_row = np.bincount(positions // columns, minlength=rows)
        by_column = np.bincount(positions % columns, minlength=columns)
        long, short = (by_row, by_column) if rows >= columns else (by_column, by_row)
        assert len(positions) == long.sum() == min(room, longer)
        assert long.max() <= 1
        assert short.max() - short.min() <= 1
        assert np.count_nonzero(short) == min(len(positions), shorter)

    def test_latin_design_is_random(self):
        """Each place of a row is visited equally often, so that no pattern along diagonals is preferred."""
        counts = np.zeros(60)
        for seed in range(3000):
            counts[within_block._latin(10, 6, 10, np.random.default_rng(seed))] += 1
        assert np.abs(counts - 500).max() < ALMOST_IMPOSSIBLE * np.sqrt(500 * 5 / 6)


class TestDrawn:
    def chi_square(self, counts, times, share):
        """How far counts are from equal ones, in standard deviations; about 0 for uniform draws.

        Of `times` draws of a share without replacement each count has variance times share (1 - share), and
        the sum of their squares is about chi-square with one degree of freedom less than there are counts.
        """
        n = len(counts)
        statistic = np.square(counts - times * share).sum() / (times * share * (1 - share)) * (n - 1) / n
        return (statistic - (n - 1)) / np.sqrt(2 * (n - 1))

    def test_uniform(self):
        """Over many seeds each coordinate of a block is drawn equally often."""
        counts = np.zeros(120)
        for seed in range(4000):
            counts[plan((12, 10), 40, seed=seed).drawn] += 1
        assert abs(self.chi_square(counts, 4000, 1 / 3)) < ALMOST_IMPOSSIBLE

    def test_uniform_among_the_others(self, monkeypatch):
        """What is drawn is uniform over all that was not picked."""
        picked = np.array([0, 1, 17, 50, 98, 99], dtype=np.intp)
        monkeypatch.setattr(within_block, "_pick", lambda *arguments: picked)
        counts = np.zeros(100)
        for seed in range(4000):
            counts[plan((10, 10), 64, seed=seed).drawn] += 1
        assert counts[picked].sum() == 0
        others = np.delete(counts, picked)
        assert abs(self.chi_square(others, 4000, 58 / 94)) < ALMOST_IMPOSSIBLE

    def test_twin_of_uniform(self):
        """Draws that prefer one coordinate a little are told from uniform ones."""
        rng = np.random.default_rng(0)
        weights = np.ones(120)
        weights[7] = 1.5
        counts = np.zeros(120)
        for _ in range(4000):
            counts[rng.choice(120, 40, replace=False, p=weights / weights.sum())] += 1
        assert self.chi_square(counts, 4000, 1 / 3) > ALMOST_IMPOSSIBLE

    @pytest.mark.parametrize("count", [2, 4])
    def test_all_sets_are_equally_likely(self, count):
        """Not only each coordinate, each set of coordinates comes up equally often, up to half and over."""
        rng = np.random.default_rng(count)
        sets = dict.fromkeys(combinations(range(6), count), 0)
        for _ in range(6000):
            sets[tuple(within_block._without_replacement(6, count, rng).tolist())] += 1
        expected = 6000 / len(sets)
        assert max(abs(n - expected) for n in sets.values()) < ALMOST_IMPOSSIBLE * np.sqrt(expected)

    @given(st.integers(0, 100), st.data())
    def test_ranksamong_others(self, size, data):
        """The k-th of the numbers that are not taken, as a list without them has it."""
        taken = sorted(data.draw(st.sets(st.integers(0, size))))
        others = [i for i in range(size + 1) if i not in taken]
        ranks = np.arange(len(others), dtype=np.intp)
        assert within_block.among_others(ranks, np.array(taken, dtype=np.intp)).tolist() == others


class TestByImportance:
    def probabilities(self, gradient):
        """q_i = 1/(2n) + |g_i| / (2 sum |g|), as the formula has it."""
        sizes = np.where(np.isfinite(gradient), np.abs(gradient), 0)
        if sizes.sum() == 0:
            return np.full(len(gradient), 1 / len(gradient))
        return 0.5 / len(gradient) + 0.5 * sizes / sizes.sum()

    def errors(self, leaves, count, gradient, seed=0):
        """How far each frequency is from the formula's, in standard deviations."""
        counts = np.bincount(
            draw_by_importance(leaves, count, np.random.default_rng(seed)), minlength=len(gradient)
        )
        q = self.probabilities(gradient)
        return (counts - count * q) / np.sqrt(count * q * (1 - q))

    # name, the leaves
    LEAVES = (
        ("skewed", [np.exp(2 * np.random.default_rng(0).normal(size=40)), -np.arange(30.0)]),
        ("zeros", [np.zeros(10), np.zeros(30)]),
        ("one entry", [np.array([-2.0])]),
        ("empty leaf", [np.empty(0), np.array([1.0, 2.0, 0.0]), np.empty(0), np.ones(2)]),
        ("not finite", [np.array([np.nan, 1.0, np.inf, -np.inf, 3.0]), np.ones(3)]),
        ("all NaN", [np.full(5, np.nan)]),
        ("float32", [np.array([1, 2, 3], dtype=np.float32), np.array([4, 0], dtype=np.float32)]),
        ("huge", [np.array([1e308, 1.7e308, 1.0]), np.array([1.7e308])]),
        ("tiny", [np.array([5e-324, 0.0, 1e-323])]),
    )

    @pytest.mark.parametrize(("name", "leaves"), LEAVES)
    def test_frequencies(self, name, leaves):
        """Each entry is drawn as often as the formula says, NaN and inf like zeros."""
        gradient = np.concatenate([leaf.astype(np.float64) for leaf in leaves])
        unit = np.max(self.finite(gradient), initial=0.0) or 1.0
        with np.errstate(invalid="ignore"):
            gradient = gradient / unit  # so that the formula's sum does not overflow
        if len(gradient) == 1:
            assert draw_by_importance(leaves, 20, np.random.default_rng(0)).tolist() == [0] * 20
            return
        assert np.abs(self.errors(leaves, 100_000, gradient)).max() < ALMOST_IMPOSSIBLE

    def finite(self, gradient):
        """The sizes of the finite entries."""
        return np.abs(gradient[np.isfinite(gradient)])

    def test_frequencies_over_pieces(self):
        """Leaves of several pieces: the draws go to the right places, and the large entry has its share."""
        gradient = np.zeros(3 * PIECE + 10)
        gradient[2 * PIECE + 3] = -3
        gradient[-1] = 1
        leaves = [gradient[: PIECE + 5], gradient[PIECE + 5 :]]
        drawn = draw_by_importance(leaves, 40_000, np.random.default_rng(1))
        assert abs((drawn == 2 * PIECE + 3).sum() - 15_000) < ALMOST_IMPOSSIBLE * 100
        assert abs((drawn == len(gradient) - 1).sum() - 5_000) < ALMOST_IMPOSSIBLE * 70
        uniform = drawn[gradient[drawn] == 0] / len(gradient)
        assert abs(uniform.mean() - 0.5) < ALMOST_IMPOSSIBLE / np.sqrt(12 * len(uniform))

    def test_twin(self):
        """Plain uniform draws of a skewed gradient are told from draws by importance."""
        gradient = np.concatenate(self.LEAVES[0][1])
        assert np.abs(self.errors([np.ones(70)], 100_000, gradient)).max() > ALMOST_IMPOSSIBLE

    def test_increasing_with_repeats(self):
        """Indices come in increasing order, as many as asked for, and a repeat is kept."""
        drawn = draw_by_importance([np.ones(5), np.ones(2)], 50, np.random.default_rng(0))
        assert len(drawn) == 50
        assert (np.diff(drawn) >= 0).all()
        assert drawn.dtype == np.intp
        assert set(drawn.tolist()) <= set(range(7))

    def test_no_draws(self):
        """No draws are none, even from nothing."""
        assert draw_by_importance([np.empty(0)], 0, np.random.default_rng(0)).tolist() == []

    @given(seeds)
    def test_reproducible(self, seed):
        """The same seed draws the same indices, another seed others."""
        leaves = [gradient_of(3000)]
        first, second = (draw_by_importance(leaves, 50, np.random.default_rng(seed)) for _ in range(2))
        assert first.tolist() == second.tolist()
        other = draw_by_importance(leaves, 50, np.random.default_rng(seed + 1))
        assert first.tolist() != other.tolist()


class TestMemory:
    ALLOWED = 8 * 2**20
    """Bytes: a quarter of what one float64 array of the block's length would take."""

    SIDE = 2000

    @pytest.fixture
    def leaf(self, tmp_path):
        """A memory map of four million numbers, half of them zeros."""
        leaf = np.memmap(tmp_path / "leaf", dtype=np.float64, mode="w+", shape=(self.SIDE**2,))
        leaf[::2] = 1.5
        leaf[7] = np.nan
        return leaf

    def peak(self, call):
        """The most bytes that a call had in use."""
        tracemalloc.start()
        try:
            call()
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    # shape, count
    PLANS = (((2000, 2000), 10_000), ((2000, 2000), 70), ((4_000_000,), 100_000), ((2, 2_000_000), 500))

    @pytest.mark.parametrize(("shape", "count"), PLANS)
    def test_plan(self, leaf, shape, count):
        """A plan of a large block needs no array of the block's length."""
        assert self.peak(lambda: plan(shape, count, leaf)) < self.ALLOWED

    def test_by_importance(self, leaf):
        """Draws by importance from a large leaf need no array of its length."""
        call = lambda: draw_by_importance([leaf, leaf], 5000, np.random.default_rng(0))  # noqa: E731
        assert self.peak(call) < self.ALLOWED

    def test_twin(self, leaf):
        """A plain sum of |g| does need one, and is seen to."""
        assert self.peak(lambda: np.abs(leaf).sum()) > self.ALLOWED

    def test_unchanged(self, leaf):
        """The leaf is only read."""
        before = np.array(leaf)
        plan((self.SIDE, self.SIDE), 1000, leaf)
        draw_by_importance([leaf], 1000, np.random.default_rng(0))
        np.testing.assert_array_equal(leaf, before)


class TestRefused:
    # what is called, the whole message
    MESSAGES = (
        (lambda rng: plan_block((3,), None, -1, rng), "count must be zero or more; got -1"),
        (
            lambda rng: plan_block((3, 2), np.zeros((3, 2)), 1, rng),
            "the gradient must be flat and of the block's size, (6,); got (3, 2)",
        ),
        (lambda rng: draw_by_importance([np.ones(2)], -1, rng), "count must be zero or more; got -1"),
        (
            lambda rng: draw_by_importance([np.empty(0)], 1, rng),
            "there is no coordinate to draw from: all leaves of the gradient are empty",
        ),
    )

    @pytest.mark.parametrize(("call", "message"), MESSAGES)
    def test_message(self, call, message):
        """What cannot be drawn is refused with what came."""
        with pytest.raises(InputError, match=rf"^{re.escape(message)} \[FG418\]$"):
            call(np.random.default_rng(0))

    def test_plan_is_frozen(self):
        """A plan is not changed once it is made."""
        with pytest.raises(AttributeError):
            BlockPlan(np.array([0]), np.array([1])).picked = np.array([2])

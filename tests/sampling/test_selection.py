"""Which coordinates are checked: without replacement, some from each block, seeded, and said in numbers."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastgrad.errors import InputError
from fastgrad.problem.parameters import Parameters
from fastgrad.sampling.selection import SMALLEST_SHARE, choose_coordinates, share_out

sizes_of_blocks = st.lists(
    st.one_of(st.integers(0, 40), st.integers(0, 3000)), min_size=1, max_size=6
).filter(sum)
seeds = st.integers(0, 2**32)


def parameters_of(sizes):
    """Blocks b0, b1, ... of these sizes."""
    return Parameters({f"b{k}": np.zeros(size) for k, size in enumerate(sizes)})


class TestRandomSubset:
    @given(sizes_of_blocks, st.data(), seeds)
    def test_without_replacement(self, sizes, data, seed):
        """A subset has the asked size, no coordinate twice, in increasing order, all within range."""
        size = data.draw(st.integers(1, sum(sizes)))
        indices, coverage = choose_coordinates(size, parameters_of(sizes), seed)
        assert len(indices) == size == coverage.checked
        assert (np.diff(indices) > 0).all()
        assert indices[0] >= 0
        assert indices[-1] < sum(sizes) == coverage.total

    @given(sizes_of_blocks, st.data(), seeds)
    def test_some_from_each_block(self, sizes, data, seed):
        """With as many draws as blocks, or more, no block that has a coordinate is left out."""
        occupied = sum(size > 0 for size in sizes)
        size = data.draw(st.integers(occupied, sum(sizes)))
        _, coverage = choose_coordinates(size, parameters_of(sizes), seed)
        assert all(count >= 1 for count, size in zip(coverage.per_block, sizes, strict=True) if size)
        assert coverage.unvisited == ()

    @given(sizes_of_blocks, st.data(), seeds)
    def test_small_blocks_get_their_share(self, sizes, data, seed):
        """Where the draws allow it each block gets 16, or all that it has, before size counts."""
        occupied = [size for size in sizes if size]
        if sum(sizes) < SMALLEST_SHARE * len(occupied):
            return
        size = data.draw(st.integers(SMALLEST_SHARE * len(occupied), sum(sizes)))
        _, coverage = choose_coordinates(size, parameters_of(sizes), seed)
        assert all(c >= min(SMALLEST_SHARE, size) for c, size in zip(coverage.per_block, sizes, strict=True))

    @given(sizes_of_blocks, st.data(), seeds)
    def test_counts_by_block_are_right(self, sizes, data, seed):
        """The coverage's count of each block is the number of indices that lie in it."""
        size = data.draw(st.integers(1, sum(sizes)))
        parameters = parameters_of(sizes)
        indices, coverage = choose_coordinates(size, parameters, seed)
        inside = [int(((indices >= b.start) & (indices < b.stop)).sum()) for b in parameters.blocks]
        assert list(coverage.per_block) == inside
        assert sum(coverage.per_block) == size
        named = [b.name for b, count in zip(parameters.blocks, inside, strict=True) if b.size and not count]
        assert list(coverage.unvisited) == named

    @given(sizes_of_blocks, st.data(), seeds)
    def test_share_out(self, sizes, data, seed):
        """The shares add up to the number of draws, and none is more than its block has."""
        size = data.draw(st.integers(0, sum(sizes)))
        counts = share_out(size, sizes, np.random.default_rng(seed))
        assert counts.sum() == size
        assert ((counts >= 0) & (counts <= sizes)).all()

    @given(sizes_of_blocks, st.data(), seeds)
    def test_reproducible(self, sizes, data, seed):
        """The same seed draws the same coordinates, whatever else was drawn before."""
        size = data.draw(st.integers(1, sum(sizes)))
        first, _ = choose_coordinates(size, parameters_of(sizes), seed)
        np.random.default_rng(seed).normal(size=3)
        second, coverage = choose_coordinates(size, parameters_of(sizes), seed)
        assert first.tolist() == second.tolist()
        assert coverage.seed == seed

    def test_seeds_differ(self):
        """Other seeds draw other coordinates."""
        drawn = {tuple(choose_coordinates(20, parameters_of([1000]), seed)[0]) for seed in range(20)}
        assert len(drawn) == 20

    def test_every_coordinate_can_be_drawn(self):
        """Over many seeds each coordinate comes up about as often as the others of its block."""
        parameters = parameters_of([50, 10])
        counts = np.zeros(60)
        for seed in range(400):
            counts[choose_coordinates(12, parameters, seed)[0]] += 1
        for b in parameters.blocks:
            within = counts[b.start : b.stop]
            spread = 5 * np.sqrt(within.mean())
            assert np.abs(within - within.mean()).max() < spread

    def test_fewer_draws_than_blocks(self):
        """With fewer draws than blocks as many blocks as there are draws get one, at random."""
        hit = np.zeros(8)
        for seed in range(100):
            _, coverage = choose_coordinates(3, parameters_of([5] * 8), seed)
            assert sorted(coverage.per_block) == [0, 0, 0, 0, 0, 1, 1, 1]
            hit += coverage.per_block
        assert (hit > 0).all()

    def test_large_blocks_get_the_rest(self):
        """Beyond 16 each the draws go by size: of the 968 that are left b, with 84 of 10,068, gets 8."""
        _, coverage = choose_coordinates(1000, parameters_of([10_000, 100]), seed=0)
        assert coverage.per_block == (976, 24)

    def test_all_of_them_drawn(self):
        """A subset as large as the parameters is every coordinate."""
        indices, _ = choose_coordinates(30, parameters_of([7, 0, 23]), seed=1)
        assert indices.tolist() == list(range(30))

    def test_numpy_integer(self):
        """The size may be a NumPy integer."""
        assert len(choose_coordinates(np.int64(4), parameters_of([9]), seed=0)[0]) == 4


class TestGivenIndices:
    @given(sizes_of_blocks, st.data())
    def test_sorted_and_unique(self, sizes, data):
        """Given indices are taken in increasing order, each once."""
        given = data.draw(st.lists(st.integers(0, sum(sizes) - 1), min_size=1, max_size=20))
        indices, coverage = choose_coordinates(np.array(given), parameters_of(sizes), seed=0)
        assert indices.tolist() == sorted(set(given))
        assert (coverage.how, coverage.checked, coverage.seed) == ("given", len(set(given)), None)

    @pytest.mark.parametrize(
        "coordinates", [[2, 0], (2, 0), range(0, 3, 2), np.array([2, 0], dtype=np.uint8)]
    )
    def test_any_sequence_of_integers(self, coordinates):
        """A list, a tuple, a range and an unsigned array are taken like an array."""
        assert choose_coordinates(coordinates, parameters_of([3]), seed=0)[0].tolist() == [0, 2]

    @pytest.mark.parametrize("coordinates", ["auto", "all"])
    def test_all(self, coordinates):
        """By default, and with "all", every coordinate is checked."""
        indices, coverage = choose_coordinates(coordinates, parameters_of([2, 0, 1]), seed=0)
        assert indices.tolist() == [0, 1, 2]
        assert (coverage.how, coverage.per_block, coverage.unvisited) == ("all", (2, 0, 1), ())


class TestRefused:
    WANTED = (
        'coordinates must be "auto", "all", a number or a fraction of them to draw, or a one-dimensional '
        "array of flat indices (integers; np.flatnonzero(mask) for a mask); got "
    )

    # coordinates, the whole message
    MESSAGES = (
        (0, "coordinates=0: a subset has at least one coordinate"),
        (-3, "coordinates=-3: a subset has at least one coordinate"),
        (
            10_001,
            'coordinates=10,001 is more than the 6 parameters there are; coordinates="all" checks every one',
        ),
        ([0, 6], "coordinate 6 is out of range: flat indices run from 0 to 5"),
        ([0, -1, 9], "coordinate -1 is out of range: flat indices run from 0 to 5"),
        ("some", WANTED + "str 'some'"),
        (2.5, "coordinates=2.5: a fraction is over 0 and up to 1; a number of them is an int"),
        (True, WANTED + "bool True"),
        (None, WANTED + "NoneType None"),
        ([], WANTED + "a list of length 0"),
        ([0.0, 1.0], WANTED + "a list of length 2"),
        (np.ones(6, dtype=bool), WANTED + "bool array of shape (6,)"),
        (np.zeros((2, 2), dtype=int), WANTED + "int64 array of shape (2, 2)"),
        ([[0], [1, 2]], WANTED + "a list of length 2"),
    )

    @pytest.mark.parametrize(("coordinates", "message"), MESSAGES)
    def test_message(self, coordinates, message):
        """What is not a choice of coordinates is refused with what came and what is taken."""
        with pytest.raises(InputError, match=rf"^{re.escape(message)} \[FG41[67]\]$"):
            choose_coordinates(coordinates, parameters_of([4, 2]), seed=0)

    @pytest.mark.parametrize("seed", [-1, 1.5, "a", None])
    def test_seed(self, seed):
        """A seed that could not be repeated from the report is refused, with what came."""
        message = f"seed must be an integer >= 0; got {seed!r}"
        with pytest.raises(InputError, match=rf"^{re.escape(message)} \[FG412\]$"):
            choose_coordinates(2, parameters_of([4, 2]), seed)

"""The measurement of speed: a row for each engine and number of workers."""

from __future__ import annotations

import pytest

import fastgrad
from fastgrad.cli.bench.measure import in_turns, run_bench, worker_counts
from fastgrad.cli.bench.problems import PROBLEMS


@pytest.fixture(scope="module")
def result():
    """A run with next to no work."""
    said = []
    found = run_bench(2, seconds=0.002, say=said.append)
    assert said == [f"the {name} engine" for name in PROBLEMS]
    return found


class TestRun:
    def test_every_engine_and_number_of_workers(self, result):
        """There is a row for each engine with one worker and with two; compiled only where Numba compiles."""
        engines = dict.fromkeys(row.engine for row in result.rows)
        assert set(PROBLEMS) - {"compiled"} <= set(engines) <= set(PROBLEMS)
        assert [(r.engine, r.workers) for r in result.rows] == [(e, w) for e in engines for w in (1, 2)]

    def test_numbers_make_sense(self, result):
        """Rates are positive, an evaluation is half a coordinate, and one worker is fully efficient."""
        for row in result.rows:
            assert row.coordinates_per_second > 0
            assert row.evaluations_per_second == pytest.approx(2 * row.coordinates_per_second)
            assert row.efficiency > 0
            assert row.workers > 1 or row.efficiency == 1.0

    def test_share_of_peak(self, result):
        """The share of BLAS's arithmetic is said once, for the network engine on one worker."""
        assert [(r.engine, r.workers) for r in result.rows if r.share_of_peak] == [("network", 1)]

    def test_not_a_number_of_workers(self):
        """n_jobs=0 is refused with what it may be."""
        with pytest.raises(fastgrad.InputError, match=r"must be 1, 2, \.\.\. or -1 for all cores"):
            run_bench(0)

    @pytest.mark.parametrize(("most", "counts"), [(1, [1]), (2, [1, 2]), (3, [1, 2, 3]), (8, [1, 2, 4, 8])])
    def test_worker_counts(self, most, counts):
        """Numbers of workers double up to the most, which is always among them."""
        assert worker_counts(most) == counts

    def test_in_turns(self):
        """Functions are run one after the other, round by round."""
        calls = []
        seconds = in_turns({k: lambda k=k: calls.append(k) for k in "ab"}, 3)
        assert "".join(calls) == "ababab"
        assert [len(s) for s in seconds.values()] == [3, 3]

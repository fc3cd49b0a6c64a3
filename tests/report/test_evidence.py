"""What the diagnosis is given, and what it is asked."""

from __future__ import annotations

import numpy as np
import pytest

from fastgrad.problem.claim import ClaimedValues
from fastgrad.problem.parameters import Parameters
from fastgrad.report.evidence import STALE, axis_lengths, build_diagnosis
from fastgrad.report.findings import Arrays
from fastgrad.verdict.rule import Comparison

NUMERIC = np.array([1.0, -2.0, 4.0, 0.5, 3.0])
PARAMETERS = Parameters({"a": np.zeros(3), "b": np.zeros(2)})


def said(claimed, stale=False, args=()):
    """What is said of a claim at all five coordinates."""
    claimed = np.asarray(claimed)
    wrong = np.abs(claimed - NUMERIC) > 1e-6
    bound, no = np.full(5, 1e-9), np.zeros(5, dtype=bool)
    arrays = Arrays(np.arange(5), claimed, NUMERIC, bound, bound, lambda position: "")
    comparison = Comparison(wrong, no, bound, np.zeros(5), "")
    claim = ClaimedValues(claimed, np.zeros(1), (np.dtype(float),) * 2, stale)
    return build_diagnosis(PARAMETERS, arrays, comparison, claim, args)


class TestBuildDiagnosis:
    def test_nothing_wrong(self):
        """Of a right claim nothing is said, be it stale."""
        assert said(NUMERIC) == said(NUMERIC, stale=True) == ()

    def test_by_block(self):
        """A mistake is named by the block that it is in, with the lengths of the data."""
        claimed = np.append(7 * NUMERIC[:3], NUMERIC[3:])
        (sentence,) = said(claimed, args=({"X": np.zeros((7, 1))},))

        assert sentence.startswith("a: claimed = 7 * numeric in every entry: a sum over the 7 entries")

    def test_stale(self):
        """That the gradient does not look at its argument is said first."""
        first, second = said(-NUMERIC, stale=True)

        assert first == STALE
        assert second.startswith("a and b: claimed = -1 * numeric")


class TestAxisLengths:
    @pytest.mark.parametrize(
        ("args", "lengths"),
        [
            ((), ()),
            ((np.zeros((8, 3)), np.zeros(8)), (8, 3)),
            (({"X": [np.zeros((1, 5))], "n": 4},), (5,)),
        ],
    )
    def test_each_once(self, args, lengths):
        """Each length comes once, in order; axes of one entry and plain numbers say nothing."""
        assert axis_lengths(args) == lengths

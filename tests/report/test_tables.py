"""The table of blocks."""

from __future__ import annotations

import numpy as np
import pytest
from report_cases import report_of, undecided_report, undecided_report_of_nothing, wrong


class TestBlockRows:
    def test_one_for_each_block(self):
        """The rows come in the user's order with counts, errors and the worst coordinate."""
        W, b = wrong().blocks
        assert (W.name, W.shape, W.size, W.checked, W.wrong, W.undecided) == ("W", (2, 3), 6, 6, 2, 0)
        assert (b.name, b.shape, b.size, b.checked, b.wrong, b.undecided) == ("b", (3,), 3, 3, 1, 0)
        assert (W.worst.label, b.worst.label) == ("W[0, 1]", "b[2]")
        assert b.relative_error == pytest.approx(0.25 / np.sqrt(4 + 4 + 1.75**2), rel=1e-6)

    def test_verdicts(self):
        """A block's verdict is of its own coordinates; unchecked is undecided, and an empty block agrees."""
        report = report_of(
            {"b": {0: 1.0}}, sizes=[("W", (2,)), ("b", (1,)), ("c", (2,)), ("e", (0,))], coordinates=[0, 2]
        )
        assert [row.verdict for row in report.blocks] == ["agree", "disagree", "undecided", "agree"]

    def test_overall_relative_error_is_of_what_is_known(self):
        """The relative error leaves out what has no numeric value, and is NaN where nothing has one."""
        assert undecided_report().relative_error < 1e-8
        assert np.isnan(undecided_report_of_nothing().relative_error)

    def test_resolution(self):
        """A block's resolution is that of its right entry that was seen least, NaN where all are wrong."""
        report = report_of({"b": dict.fromkeys(range(3), 1.0)})
        W, b = report.blocks
        seen = (np.abs(report.claimed - report.numeric) + report.error_bound)[:6]
        assert pytest.approx(seen.max()) == W.resolution
        assert np.isnan(b.resolution)
        assert report.resolution == W.resolution

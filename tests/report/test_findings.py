"""Single coordinates as a report lists them."""

from __future__ import annotations

import numpy as np
import pytest
from report_cases import agreeing, report_of, wrong

from fastgrad.report import findings


class TestFindings:
    def test_worst_first(self):
        """The wrong ones come worst first, each with block, index, claim, estimate, errors and a code."""
        assert [f.label for f in wrong().wrong] == ["W[0, 1]", "W[1, 2]", "b[2]"]
        worst = wrong().wrong[0]
        assert (worst.block, worst.index, worst.flat_index) == ("W", (0, 1), 1)
        assert (worst.claimed, worst.numeric) == (9.0, pytest.approx(1.0))
        assert worst.absolute_error == pytest.approx(8.0)
        assert worst.relative_error == pytest.approx(0.8)
        assert worst.absolute_error > worst.allowed > worst.error_bound > 0
        assert worst.resolution == pytest.approx(8 / 9)
        assert worst.code == "off"
        assert worst.cause == (
            f"off by 8: more than the 9e-06 that is allowed, with an error bound of {worst.error_bound:.2g}"
        )

    def test_a_claimed_nan_is_worst_of_all(self):
        """A claimed NaN comes before every finite error, and says what it is, in a code too."""
        report = report_of({"W": {(0, 0): 1e9}, "b": {0: np.nan}})
        assert [f.label for f in report.wrong] == ["b[0]", "W[0, 0]"]
        assert report.wrong[0].cause == "the claimed gradient is nan"
        assert (report.wrong[0].code, report.wrong[0].reference) == ("not_finite", "FG521")
        assert report.wrong[1].reference == "FG520"

    def test_flat_indices(self):
        """The flat indices stand in the order of the findings, of a slice too."""
        found = wrong().wrong
        assert list(found.flat_indices) == [f.flat_index for f in found] == [1, 5, 8]
        assert list(found[1:].flat_indices) == [5, 8]

    def test_is_a_sequence(self):
        """Findings have a length, slices, negative indices, and an end."""
        found = wrong().wrong
        assert len(found) == 3
        assert found[-1].label == "b[2]"
        assert [f.label for f in found[1:]] == ["W[1, 2]", "b[2]"]
        assert [f.label for f in found[::-1]] == ["b[2]", "W[1, 2]", "W[0, 1]"]
        assert len(found[5:]) == 0
        assert found[0] in found
        with pytest.raises(IndexError):
            found[3]

    def test_empty_is_false(self):
        """Where nothing is wrong `if report.wrong` is false."""
        assert not agreeing().wrong
        assert not agreeing().undecided
        assert wrong().wrong

    def test_repr(self):
        """The repr has the count and the first labels."""
        assert repr(wrong().wrong) == "<3 coordinates: W[0, 1], W[1, 2], b[2]>"
        assert repr(agreeing().wrong) == "<0 coordinates>"

    # claimed, numeric, |g - d| / |g + d|
    ERRORS = (
        (0.0, 0.0, 0.0),
        (3.0, 1.0, 0.5),
        (1.0, -1.0, np.inf),
        (np.nan, 1.0, np.nan),
        (np.inf, 1.0, np.nan),
    )

    @pytest.mark.parametrize(("claimed", "numeric", "expected"), ERRORS)
    def test_relative_error(self, claimed, numeric, expected):
        """A finding's relative error is the classic one, 0 for two zeros, inf for opposites."""
        finding = findings.Finding("W", (0,), 0, "W[0]", claimed, numeric, 0.0, 0.0, 0.0, "", "")
        assert finding.relative_error == pytest.approx(expected, nan_ok=True)

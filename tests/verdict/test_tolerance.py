"""A fixed relative tolerance in the place of the bounds."""

from __future__ import annotations

import re

import numpy as np
import pytest
from rule_cases import evidence

from fastgrad.errors import InputError
from fastgrad.options import check_tolerance
from fastgrad.verdict.rule import compare_by_tolerance


class TestTolerance:
    # claimed, numeric, tolerance, whether it agrees; dyadic, so that the edge is exact
    TABLE = (
        (0.75, 1.0, 0.25, True),
        (0.75 - 2.0**-53, 1.0, 0.25, False),
        (1.0, 0.75, 0.25, True),
        (1.0, 1.0, 0.0, True),
        (1.0 + 2.0**-52, 1.0, 0.0, False),
        (-1.0, 1.0, 1.5, False),
        (-1.0, 1.0, 2.0, True),
        (0.0, 0.0, 0.0, True),
    )

    @pytest.mark.parametrize(("claimed", "numeric", "tolerance", "agrees"), TABLE)
    def test_table(self, claimed, numeric, tolerance, agrees):
        """A fixed tolerance is relative to the larger of the two, and its edge belongs to it."""
        found = compare_by_tolerance(evidence([claimed], [numeric], 9.0), np.zeros(1), tolerance)
        assert found.wrong.tolist() == [not agrees]
        assert not found.undecided.any()

    def test_small_entries_are_compared_on_a_tenth_of_the_rms(self):
        """An entry under a tenth of its block's rms is compared on that scale."""
        known = evidence([0.024, 0.026], [0.0, 0.0])
        assert compare_by_tolerance(known, np.full(2, 1.0), 0.25).wrong.tolist() == [False, True]

    def test_is_instead_of_the_bounds(self):
        """With a fixed tolerance the error bound does not count, and the rule says the number."""
        found = compare_by_tolerance(evidence([1.5], [1.0], 1.0), np.zeros(1), 0.125)
        assert found.wrong.all()
        assert found.allowed.tolist() == [0.125 * 1.5]
        assert found.rule == (
            "agrees by a fixed tolerance if |claimed - numeric| <= 0.125 * "
            "max(|claimed|, |numeric|, 0.1 * block rms)"
        )

    @pytest.mark.parametrize("good", [None, 0, 0.0, 1e-3, 1, np.float32(0.5), np.int64(1)])
    def test_taken(self, good):
        """None and every finite number from 0 are taken."""
        check_tolerance(good)

    @pytest.mark.parametrize("bad", [-1e-9, float("nan"), float("inf"), True, "1e-3", [1e-3], 1e-3j])
    def test_refused(self, bad):
        """Anything else is refused with what came."""
        message = f"tolerance must be a finite number >= 0, or None; got {bad!r}"
        with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
            check_tolerance(bad)

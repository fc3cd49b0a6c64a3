"""Wrong in a part of a block: a tail, a row, single entries."""

from __future__ import annotations

import numpy as np
import pytest
from diagnosis_cases import B1, B2, MATRIX, VECTOR, W1, W2, block, changed, kinds, put, said

from fastgrad.diagnosis.diagnose import diagnose


class TestPartialNamed:
    def test_numeric_zero_in_a_part(self):
        """Units that get a gradient where none should reach them are named with their column."""
        d = put(MATRIX, (slice(None), 1), 0.0)

        (found,) = diagnose([block("W", MATRIX, d)])

        assert found.sentence.startswith(
            "W: wrong only in column 1 (6 of 30 entries), the numeric one is 0 there"
        )


TWO_COLUMNS = np.where(np.arange(5) < 2, 1e-9, MATRIX)  # as units that no example reaches


class TestPartialNotNamed:
    def test_tail_and_one_more(self):
        """Zeros to the end are no tail if an entry before them is wrong too."""
        g = put(put(VECTOR, slice(8, None), 0.0), 2, 5.0)

        assert kinds(block("v", g, VECTOR)) == ["unexplained"]

    def test_zero_but_for_one(self):
        """A claim with one entry that is not zero was written."""
        assert kinds(block("v", put(0 * VECTOR, 11, VECTOR[11]), VECTOR)) == ["range"]

    def test_rows_that_say_nothing(self):
        """Units whose gradient is 0 do not make the others a rectangle."""
        rng = np.random.default_rng(6)
        g = TWO_COLUMNS * (1 + 0.1 * rng.normal(size=(6, 5)))

        assert kinds(block("W", g, TWO_COLUMNS)) == ["unexplained"]

    def test_scattered(self):
        """Wrong entries in no pattern are listed."""
        g = put(VECTOR, [1, 2, 8], [5.0, 6.0, 7.0])
        (found,) = diagnose([block("v", g, VECTOR)])

        assert found.sentence.startswith(
            "v: 3 of 12 entries are wrong (v[1], v[2] and v[8]), in no way that has"
        )

    @pytest.mark.parametrize("at", [[1, 2], [0, 6]])
    def test_two_entries(self, at):
        """Two neighbours are no range, and two entries at any distance no stride."""
        assert kinds(block("v", put(VECTOR, at, [5.0, 6.0]), VECTOR)) == ["unexplained"]

    def test_wrong_in_the_middle(self):
        """A layer that is wrong between two that are right is no delta that is lost."""
        rng = np.random.default_rng(6)
        found = said(changed(W2=W2 + 0.1 * rng.normal(size=(5, 5)), b2=B2 + 0.1 * rng.normal(size=5)))

        ends = said(changed(W1=W1 + rng.normal(size=(6, 5)), b1=B1 + rng.normal(size=5), b3=[1.0, 2.0, 4.0]))

        assert [kind for kind, _ in found] == ["unexplained", "unexplained"]
        assert "delta" not in [kind for kind, _ in ends]

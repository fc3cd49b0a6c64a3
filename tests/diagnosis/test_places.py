"""The place of the wrong entries is said in words: rows, columns, ranges and strides."""

from __future__ import annotations

import numpy as np
import pytest
from diagnosis_cases import MATRIX, VECTOR, W1, block, changed, kinds, put, said

from fastgrad.diagnosis.diagnose import diagnose
from fastgrad.diagnosis.places import Place, joined, place

# what is claimed: all that is said, as (kind, sentence)
NAMED = {
    "row wrong": (
        changed(W1=put(W1, 3, np.arange(5.0))),
        [
            (
                "rectangle",
                "W1: wrong only in row 3 (5 of 30 entries): look at the index of one unit, or the bounds "
                "of a slice",
            )
        ],
    ),
    "rectangle with a sign": (
        changed(W1=put(W1, (slice(1, 4), slice(1, 3)), np.negative)),
        [
            (
                "rectangle",
                "W1: wrong only in rows 1 to 3 of columns 1 and 2 (6 of 30 entries), claimed = -1 * "
                "numeric there: look at the index of one unit, or the bounds of a slice",
            )
        ],
    ),
    "range unset": (
        changed(W1=put(W1.ravel(), slice(7, 14), 0.0).reshape(6, 5)),
        [
            (
                "range",
                "W1: wrong only from W1[1, 2] to W1[2, 3] (7 of 30 entries), the claimed gradient is 0 "
                "there: look at the bounds of a loop or a slice",
            )
        ],
    ),
    "stride": (
        changed(W1=put(W1.ravel(), slice(1, None, 3), lambda v: 2 * v).reshape(6, 5)),
        [
            (
                "stride",
                "W1: wrong only at every 3rd entry from W1[0, 1] on (10 of 30 entries), claimed = 2 * "
                "numeric there: look at the step of a slice, or at one channel",
            )
        ],
    ),
}


class TestNamed:
    @pytest.mark.parametrize("bug", NAMED)
    def test_bug(self, bug):
        """Each bug in the gradient of a small network is named with its numbers, and nothing else is said."""
        claimed, expected = NAMED[bug]

        assert said(claimed) == expected

    def test_numeric_zero_in_a_part(self):
        """Units that get a gradient where none should reach them are named with their column."""
        d = put(MATRIX, (slice(None), 1), 0.0)

        (found,) = diagnose([block("W", MATRIX, d)])

        assert found.sentence.startswith(
            "W: wrong only in column 1 (6 of 30 entries), the numeric one is 0 there"
        )


TWO_COLUMNS = np.where(np.arange(5) < 2, 1e-9, MATRIX)  # as units that no example reaches


class TestNotNamed:
    """What only looks like a mistake that has a name."""

    def test_zero_but_for_one(self):
        """A claim with one entry that is not zero was written."""
        assert kinds(block("v", put(0 * VECTOR, 11, VECTOR[11]), VECTOR)) == ["range"]

    def test_rows_that_say_nothing(self):
        """Units whose gradient is 0 do not make the others a rectangle."""
        rng = np.random.default_rng(6)
        g = TWO_COLUMNS * (1 + 0.1 * rng.normal(size=(6, 5)))

        assert kinds(block("W", g, TWO_COLUMNS)) == ["unexplained"]

    @pytest.mark.parametrize("at", [[1, 2], [0, 6]])
    def test_two_entries(self, at):
        """Two neighbours are no range, and two entries at any distance no stride."""
        assert kinds(block("v", put(VECTOR, at, [5.0, 6.0]), VECTOR)) == ["unexplained"]


class TestPlace:
    @pytest.mark.parametrize(
        ("bad", "kind", "words"),
        [
            ([10, 11, 12, 13, 14], "rectangle", "only in row 2"),
            ([0, 1, 2], "range", "up to W[0, 2]"),
            ([27, 28, 29], "range", "from W[5, 2] on"),
            ([0, 7, 14, 21, 28], "stride", "only at every 7th entry from W[0, 0] on"),
        ],
    )
    def test_words(self, bad, kind, words):
        """Each pattern has its words, with the entries as the user writes them."""
        mask = np.isin(np.arange(30), bad)

        assert place(block("W", MATRIX, MATRIX), mask, ~mask) == Place(kind, words)

    def test_entries_that_say_nothing(self):
        """An entry that is neither bad nor good may lie in a pattern."""
        row = np.arange(30) // 5 == 2
        bad = row & (np.arange(30) != 12)

        assert place(block("W", MATRIX, MATRIX), bad, ~row) == Place("rectangle", "only in row 2")

    def test_no_pattern(self):
        """Scattered entries have no place, nor has a block in which nothing is good."""
        scattered = np.isin(np.arange(30), [0, 3, 11, 24])

        assert place(block("W", MATRIX, MATRIX), scattered, ~scattered) is None
        assert place(block("W", MATRIX, MATRIX), scattered, np.zeros(30, bool)) is None

    def test_joined(self):
        """A list in words has its "and" before the last."""
        assert [joined(list("abc"[:n])) for n in (1, 2, 3)] == ["a", "a and b", "a, b and c"]

"""A constant factor is found, and it gets a name where it has one."""

from __future__ import annotations

import numpy as np
import pytest
from diagnosis_cases import (
    ALL,
    EVERY,
    LENGTHS,
    RIGHT,
    SAME,
    SUM_OF_8,
    VECTOR,
    W2,
    block,
    changed,
    kinds,
    put,
    said,
)
from hypothesis import given
from hypothesis import strategies as st

from fastgrad.diagnosis.diagnose import diagnose
from fastgrad.diagnosis.evidence import Number
from fastgrad.diagnosis.factors import factor, inverse, name

# what is claimed: all that is said, as (kind, sentence)
NAMED = {
    "sum for mean, all": (
        {name: 8 * v for name, v in RIGHT.items()},
        [("factor", f"{ALL}: claimed = 8 * numeric {EVERY}: {SUM_OF_8}.{SAME}")],
    ),
    "sign": (
        {name: -v for name, v in RIGHT.items()},
        [("sign", f"{ALL}: claimed = -1 * numeric {EVERY}: a minus sign is missing, or one too many.{SAME}")],
    ),
    "factor 2": (
        changed(W2=2 * W2),
        [
            (
                "factor",
                f"W2: claimed = 2 * numeric {EVERY}: the 1/2 of a square is missing, or a term is added "
                "twice",
            )
        ],
    ),
    "minus a quarter": (
        changed(W2=-0.25 * W2),
        [
            (
                "factor",
                f"W2: claimed = -0.25 * numeric {EVERY}: the sign is wrong, and 2/8: with 8 entries along "
                "an axis of the data, a mean in one and the 2 of a square in the gradient only",
            )
        ],
    ),
    "factor without a name": (
        changed(W2=0.37 * W2),
        [
            (
                "factor",
                f"W2: claimed = 0.37 * numeric {EVERY}: a constant factor: look for a scale that is in "
                "only one of the two, such as the weight of a term, a learning rate or the 1 / (1 - p) "
                "of dropout",
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


class TestNotNamed:
    """What only looks like a mistake that has a name."""

    def test_factor_but_for_one(self):
        """Factor 2 in all entries but one is not called a factor of the block."""
        g = put(2 * VECTOR, 5, VECTOR[5])
        h = put(2 * VECTOR, 5, 3 * VECTOR[5])

        assert kinds(block("v", g, VECTOR)) == ["part"]
        assert kinds(block("v", h, VECTOR)) == ["unexplained"]

    @pytest.mark.parametrize("k", [2.001, 1.9999, 8.01, -1.0001])
    def test_near_a_name(self, k):
        """A factor that is off its name by more than the bounds is given as it is."""
        found = diagnose([block("v", k * VECTOR, VECTOR)], LENGTHS)[0].sentence

        assert f"claimed = {k:g} * numeric in every entry: a constant factor" in found

    def test_factor_hardly_known(self):
        """With bounds of a percent and more no factor gets a name."""
        found = diagnose([block("v", 2.02 * VECTOR, VECTOR, e=0.02 * np.abs(VECTOR))])[0]

        assert found.kind == "factor"
        assert ": a constant factor" in found.sentence

    def test_factor_in_one_entry(self):
        """In one entry a factor needs a name: any two numbers have some factor."""
        assert kinds(block("s", 6.0, 3.0)) == ["factor"]
        assert kinds(block("s", 6.3, 3.0)) == ["unexplained"]


class TestLaws:
    @given(st.floats(0.01, 100), st.integers(0, 10**6))
    def test_random_factor(self, k, seed):
        """A random factor is given as it is, and a name only if it is that of a value next to it."""
        if abs(k - 1) < 1e-5:
            return
        rng = np.random.default_rng(seed)
        true = rng.normal(size=12)
        e = 1e-9 * np.abs(true)
        (found,) = diagnose([block("v", k * true, true + e * rng.uniform(-1, 1, size=12), e)], (8, 3))

        names = [2, 8, 3, 1.5, 4, 12, 24]
        nearest = min(abs(k / n - 1) for n in [*names, *(1 / n for n in names)])
        named = "a constant factor" not in found.sentence
        assert found.kind == "factor"
        assert nearest > 3e-7 if not named else nearest < 1e-6
        assert abs(float(found.sentence.split()[3]) / k - 1) < 1e-4


class TestDirectly:
    def test_factor(self):
        """The number is what multiplies the numeric gradient, and a right claim has none."""
        found = factor(block("v", 5 * VECTOR, VECTOR))

        assert found.kind == "factor"
        assert found.numbers[0].value == pytest.approx(5, rel=1e-8)
        assert factor(block("v", VECTOR, VECTOR)) is None

    @pytest.mark.parametrize(
        ("c", "k", "words"),
        [
            (-1.0, -1.0, "a minus sign is missing"),
            (0.5, 2.0, "the 1/2 of a square is missing"),
            (1 / 7, 7.0, "a sum over the 7 entries"),
            (3.0, 1 / 3, "1/3, with 3 the length of axis 0"),
            (1 / 77, 77.0, "a sum over 7 * 11 entries along two axes"),
        ],
    )
    def test_name(self, c, k, words):
        """1 / c has a name from the data's axes or the block's, and is exactly what the name says."""
        number, why = name(Number(c - 1e-9, c + 1e-9), (3, 5), (7, 11))

        assert (number, why[: len(words)]) == (Number(k, k), words)

    def test_inverse(self):
        """The inverse swaps the ends; of an interval with 0 nothing is known."""
        assert inverse(Number(2.0, 4.0)) == Number(0.25, 0.5)
        assert inverse(Number(-1.0, 1.0)) == Number(-np.inf, np.inf)

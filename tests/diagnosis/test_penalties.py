"""A term that is missing or counted twice is found with its weight: L2, L1 or a constant."""

from __future__ import annotations

import numpy as np
import pytest
from diagnosis_cases import (
    EVERY,
    LAMBDA,
    LENGTHS,
    MATRIX,
    PARAMS,
    SUM_OF_8,
    VECTOR,
    W1,
    Bugs,
    backprop,
    block,
    changed,
    kinds,
    put,
    said,
)
from hypothesis import given
from hypothesis import strategies as st

from fastgrad.diagnosis.diagnose import diagnose
from fastgrad.diagnosis.penalties import factor_and_penalty, only_penalty, penalty

# what is claimed: all that is said, as (kind, sentence)
NAMED = {
    "sum for mean, L2 right": (
        backprop(Bugs(data=8)),
        [
            (
                "factor and l2",
                f"W1, W2 and W3: claimed = 8 * numeric {EVERY}, once an L2 term is taken out (lambda = "
                "0.0875 if the claim lacks it, 0.1 if its own is right): the data part has a factor that "
                f"the penalty has not; {SUM_OF_8}",
            ),
            ("factor", f"b1, b2 and b3: claimed = 8 * numeric {EVERY}: {SUM_OF_8}"),
        ],
    ),
    "L2 missing": (
        backprop(Bugs(penalty=0)),
        [
            (
                "l2 missing",
                f"W1, W2 and W3: numeric - claimed = 0.1 * parameters {EVERY}: an L2 term with lambda = "
                "0.1 is missing, or one of twice that is there by half",
            )
        ],
    ),
    "L2 twice": (
        backprop(Bugs(penalty=2)),
        [
            (
                "l2 extra",
                f"W1, W2 and W3: claimed - numeric = 0.1 * parameters {EVERY}: an L2 term with lambda = "
                "0.1 is there twice, or as weight decay that is not in the loss",
            )
        ],
    ),
    "L1 missing": (
        changed(W1=W1 - 0.03 * np.sign(PARAMS["W1"])),
        [
            (
                "l1 missing",
                f"W1: numeric - claimed = 0.03 * sign(parameters) {EVERY}: an L1 term with lambda = 0.03 is "
                "missing, or one of twice that is there by half",
            )
        ],
    ),
    "L1 twice": (
        changed(W1=W1 + 0.03 * np.sign(PARAMS["W1"])),
        [
            (
                "l1 extra",
                f"W1: claimed - numeric = 0.03 * sign(parameters) {EVERY}: an L1 term with lambda = 0.03 "
                "is there twice, or is not in the loss",
            )
        ],
    ),
    "a constant": (
        changed(W1=W1 - 0.03),
        [
            (
                "offset",
                f"W1: claimed - numeric = -0.03 {EVERY}: a constant is added, or a term missing that is "
                "linear",
            )
        ],
    ),
    "only L2": (
        changed(W1=LAMBDA * PARAMS["W1"]),
        [
            (
                "only l2",
                f"W1: claimed = 0.1 * parameters {EVERY}: an L2 term alone, the rest of the gradient is "
                "missing",
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

    @pytest.mark.parametrize(
        ("k", "mu", "weight", "said"),
        [
            (8, 0.1, 0.1, "lambda = 0.0875 if the claim lacks it, 0.1 if its own is right"),
            (0.5, 0.1, 0.1, "lambda = 0.1, which is right in the claim"),
            (0.5, 0.0, 0.1, "lambda = 0.1, which the claim lacks"),
            (8, 0.3, 0.0, "lambda = 0.3, which the loss has not"),
        ],
    )
    def test_factor_beside_a_penalty(self, k, mu, weight, said):
        """With a factor k on the data and mu x for lambda x, all lambdas that it may be are given."""
        rng = np.random.default_rng(6)
        x = rng.normal(size=(6, 5))
        (found,) = diagnose([block("W", k * MATRIX + mu * x, MATRIX + weight * x, x=x)], LENGTHS)

        assert (
            f"W: claimed = {k:g} * numeric in every entry, once an L2 term is taken out ({said})"
            in found.sentence
        )


class TestNotNamed:
    """What only looks like a mistake that has a name."""

    def test_penalty_with_noise(self):
        """lambda x plus noise far above the bounds is no L2 term."""
        rng = np.random.default_rng(6)
        x = rng.normal(size=(6, 5))
        missing = MATRIX - 0.1 * x

        assert kinds(block("W", missing, MATRIX, x=x)) == ["l2 missing"]
        assert kinds(block("W", missing + 1e-4 * rng.normal(size=(6, 5)), MATRIX, x=x)) == ["unexplained"]

    def test_penalty_in_few_entries(self):
        """A term with as many entries to show it as numbers to choose is not named."""
        x = put(np.zeros(12), slice(0, 3), [1.0, 2.0, 3.0])

        assert "l2 missing" not in kinds(block("v", VECTOR - 0.1 * x, VECTOR, x=x))

    def test_parameters_of_zero(self):
        """Where all parameters are 0, no term of theirs is found."""
        assert kinds(block("v", VECTOR - 0.1, VECTOR)) == ["offset"]

    def test_all_parameters_equal(self):
        """Where all parameters are one number, a constant is not called an L2 term."""
        (found,) = diagnose([block("gamma", VECTOR - 0.1, VECTOR, x=np.ones(12))])

        assert found.kind == "offset"
        assert found.sentence.endswith("(or an L1 term: the parameters are all of one sign)")


class TestLaws:
    @given(st.floats(1e-3, 10), st.integers(0, 10**6), st.sampled_from([-1, 1]))
    def test_random_penalty(self, weight, seed, sign):
        """An L2 term that is missing or too much is found with its weight."""
        rng = np.random.default_rng(seed)
        d, x = rng.normal(size=(2, 20))
        e = 1e-9 * np.abs(d) + 1e-11
        (found,) = diagnose([block("v", d - sign * weight * x, d + e * rng.uniform(-1, 1, size=20), e, x)])

        assert found.kind == ("l2 missing" if sign > 0 else "l2 extra")
        assert abs(float(found.sentence.split()[5]) / weight - 1) < 1e-3


class TestDirectly:
    @pytest.mark.parametrize(("sign", "kind"), [(-1, "l2 missing"), (1, "l2 extra")])
    def test_penalty(self, sign, kind):
        """The weight is positive, and the kind says on which side the term is."""
        x = np.random.default_rng(6).normal(size=12)
        found = penalty(block("v", VECTOR + sign * 0.25 * x, VECTOR, x=x))

        assert found.kind == kind
        assert found.numbers[0].value == pytest.approx(0.25, rel=1e-6)

    def test_only_penalty(self):
        """A claim that is a multiple of the parameters is named; of equal parameters it says nothing."""
        x = np.random.default_rng(6).normal(size=12)

        assert only_penalty(block("v", 0.3 * x, VECTOR, x=x)).numbers[0].value == pytest.approx(0.3)
        assert only_penalty(block("v", 0.3 * np.ones(12), VECTOR, x=np.ones(12))) is None

    def test_factor_and_penalty(self):
        """The factor is told from the penalty, whose weight is named twice where both may be meant."""
        x = np.random.default_rng(6).normal(size=12)
        found = factor_and_penalty(block("v", 8 * VECTOR + 0.1 * x, VECTOR + 0.1 * x, x=x))

        assert [number.value for number in found.numbers] == pytest.approx([8.0, 0.0875, 0.1], rel=1e-6)

"""L2 and L1 terms that only the cost or only the gradient has."""

from __future__ import annotations

import numpy as np
import pytest
from diagnosis_cases import EVERY, LAMBDA, LENGTHS, MATRIX, PARAMS, RIGHT, VECTOR, block, kinds, put, said
from hypothesis import given
from hypothesis import strategies as st

from fastgrad.diagnosis.diagnose import diagnose


class TestPenaltiesNamed:
    def test_biases_regularised_by_the_loss(self):
        """An L2 term on the biases that only the loss has is named, in the bias of 3 entries too."""
        truth = {name: v + LAMBDA * PARAMS[name] * (name[0] == "b") for name, v in RIGHT.items()}

        assert said(RIGHT, truth=truth) == [
            (
                "l2 missing",
                f"b1, b2 and b3: numeric - claimed = 0.1 * parameters {EVERY}: the loss has an L2 term with "
                "lambda = 0.1 on the biases too, the gradient has not",
            )
        ]

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


class TestPenaltyNotNamed:
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


class TestPenaltyLaw:
    @given(st.floats(1e-3, 10), st.integers(0, 10**6), st.sampled_from([-1, 1]))
    def test_random_penalty(self, weight, seed, sign):
        """An L2 term that is missing or too much is found with its weight."""
        rng = np.random.default_rng(seed)
        d, x = rng.normal(size=(2, 20))
        e = 1e-9 * np.abs(d) + 1e-11
        (found,) = diagnose([block("v", d - sign * weight * x, d + e * rng.uniform(-1, 1, size=20), e, x)])

        assert found.kind == ("l2 missing" if sign > 0 else "l2 extra")
        assert abs(float(found.sentence.split()[5]) / weight - 1) < 1e-3

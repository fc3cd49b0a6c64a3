"""When a hypothesis explains a block, and how a fitted number is written."""

from __future__ import annotations

import numpy as np
from diagnosis_cases import MATRIX, RIGHT, VECTOR, block, put, said, single

from fastgrad.diagnosis.evidence import Diagnosis, Facts, Number


class TestKnownInPart:
    def test_claim_in_float32(self):
        """The digits that a float32 gradient has are enough to name a factor and a transpose."""
        rough = single()
        float32 = np.dtype(np.float32)

        assert said({n: -v for n, v in rough.items()}, dtype=float32)[0][0] == "sign"
        assert said(RIGHT | {"W2": rough["W2"].T}, dtype=float32)[0][0] == "transposed"


class TestNumber:
    def test_digits(self):
        """A number is written with the digits that are certain."""
        assert str(Number(0.0999, 0.1001)) == "0.1"
        assert str(Number(0.12345, 0.12347)) == "0.1235"
        assert str(Number(3.0, 3.0)) == "3"

    def test_diagnosis_is_a_value(self):
        """Diagnoses with the same fields are equal."""
        assert Diagnosis("sign", ("a",), "text") == Diagnosis("sign", ("a",), "text")


class TestFacts:
    def test_explains(self):
        """A hypothesis may be off by three bounds and a rounding, and by no more."""
        facts = Facts(VECTOR, VECTOR, np.full(12, 1e-3), VECTOR)

        assert facts.explains(VECTOR + 2.9e-3)
        assert not facts.explains(put(VECTOR, 4, lambda v: v + 3.2e-3))

    def test_visible(self):
        """Only a change beyond what is allowed counts as seen."""
        facts = Facts(VECTOR, VECTOR, np.full(12, 1e-3), VECTOR)

        assert facts.visible(put(np.zeros(12), [0, 5], [1.0, 1e-4])) == 1


class TestEvidence:
    def test_only(self):
        """Of some of the entries the labels stay those of the whole block."""
        part = block("W", MATRIX, MATRIX).only(np.arange(30) > 27)

        assert (part.whole, part.size, len(part.claimed)) == (False, 30, 2)
        assert [part.label(i) for i in part.inside] == ["W[5, 3]", "W[5, 4]"]

    def test_explicable(self):
        """A block can be explained where something is wrong, and known wherever it is."""
        wrong = block("v", put(VECTOR, 2, 9.0), VECTOR)
        hole = put(VECTOR, 2, np.nan)
        unknown = block("v", hole, hole, put(np.full(12, 1e-9), 2, np.inf))

        assert wrong.explicable
        assert not block("v", VECTOR, VECTOR).explicable
        assert not unknown.explicable

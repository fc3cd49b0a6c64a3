"""When a hypothesis explains a block, and how a fitted number is written."""

from __future__ import annotations

import numpy as np
from diagnosis_cases import (
    RIGHT,
    said,
    single,
)

from fastgrad.diagnosis.evidence import Diagnosis, Number


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

"""What is known of a block, and what explains it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from diagnosis_cases import block, kinds
from hypothesis import given
from hypothesis import strategies as st

from fastgrad.diagnosis.evidence import Diagnosis, Evidence, Number
from fastgrad.problem.kinds.form import Form


class TestBoundsLaw:
    @given(st.integers(0, 10**6), st.sampled_from([(), (1,), (7,), (3, 4), (2, 3, 2)]))
    def test_within_the_bounds(self, seed, shape):
        """A claim that lies within the bounds gives no diagnosis."""
        rng = np.random.default_rng(seed)
        true = rng.normal(size=shape) * 10.0 ** rng.uniform(-8, 8)
        e = 1e-8 * np.abs(true)
        d = true + e * rng.uniform(-1, 1, size=shape)

        assert kinds(block("v", true, d, e, x=rng.normal(size=shape))) == []


class TestLabels:
    def test_of_the_users_array(self):
        """Where the parameter has labels, an entry is called by its label, and by its index where not."""
        d, no = np.ones(3), np.zeros(3, bool)
        form = Form("a labelled thing", list, label=lambda index: f"'{'xyz'[index[0]]}'")
        plain = Evidence("b", (3,), np.arange(3), d, d, d, no, no, d)
        assert plain.label(2) == "b[2]"
        assert replace(plain, form=form).label(2) == "b['z']"


class TestNumber:
    def test_digits(self):
        """A number is written with the digits that are certain."""
        assert str(Number(0.0999, 0.1001)) == "0.1"
        assert str(Number(0.12345, 0.12347)) == "0.1235"
        assert str(Number(3.0, 3.0)) == "3"

    def test_diagnosis_is_a_value(self):
        """Diagnoses with the same fields are equal."""
        assert Diagnosis("sign", ("a",), "text") == Diagnosis("sign", ("a",), "text")

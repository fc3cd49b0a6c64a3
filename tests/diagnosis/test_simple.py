"""The simplest explanations: zero, not finite, independent, computed in float32."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from diagnosis_cases import B1, RIGHT, VECTOR, block, kinds, put, said, single

from fastgrad.diagnosis.diagnose import diagnose


class TestSimpleNamed:
    def test_not_used_by_the_loss(self):
        """A block that the loss does not depend on, and whose claim is not zero, is named as such."""
        truth = RIGHT | {"b1": 0 * B1}

        assert said(RIGHT, truth=truth) == [
            (
                "independent",
                "b1: the loss does not depend on it here (every numeric derivative is 0 within its "
                "bound), yet the claimed gradient is up to 0.313: is it unused, copied or detached in "
                "the loss?",
            )
        ]

    def test_partly_float32(self):
        """Rounding of float32 in numbers that are not float32's own is named too, not in one entry alone."""
        rms = np.sqrt(np.mean(VECTOR**2))
        rounding = 2.0**-21 * rms * np.sign(np.random.default_rng(0).normal(size=12))

        everywhere = diagnose([block("v", VECTOR + rounding, VECTOR)])
        once = diagnose([block("v", put(VECTOR, 3, lambda v: v + 2.0**-21 * rms), VECTOR)])

        assert everywhere[0].sentence.endswith("computed in float32, or a small constant (an eps) missing?")
        assert [found.kind for found in once] == ["entry"]


class TestSimpleNotNamed:
    @pytest.mark.parametrize(
        ("g", "how"), [(-1e-7, "claimed = -1 * numeric"), (0.0, "the claimed gradient is 0")]
    )
    @pytest.mark.parametrize("dtype", [np.float32, np.float64, None])
    def test_one_small_entry(self, g, how, dtype):
        """A sign that is flipped, or an entry that is lost, is no rounding, however small beside the rest."""
        d = put(VECTOR, 3, 1e-7)
        b = block("v", put(d, 3, g).astype(np.float32), d, e=1e-13, dtype=dtype and np.dtype(dtype))
        (found,) = diagnose([replace(b, wrong=np.arange(12) == 3, undecided=np.zeros(12, bool))])

        assert found.kind == "entry"
        assert how in found.sentence

    def test_flipped_sign_among_rounded_entries(self):
        """So it is where the other entries are off by the rounding of float32."""
        d = put(VECTOR, 3, 1e-7)
        g = put(d.astype(np.float32).astype(float), 3, -1e-7)
        b = block("v", g, d, e=1e-13)

        assert "float32" not in kinds(replace(b, wrong=np.abs(g - d) > 1e-9, undecided=np.zeros(12, bool)))

    def test_small_term(self):
        """A term no larger than rounding has its own name where the bounds show it."""
        x = np.random.default_rng(0).normal(size=12)
        d = 1e-3 * VECTOR
        b = block("v", d - 1e-8 * x, d, e=1e-14, x=x)

        assert kinds(replace(b, wrong=np.ones(12, bool), undecided=np.zeros(12, bool))) == ["l2 missing"]

    def test_more_than_rounding(self):
        """An error of a hundred roundings of float32 is not the accuracy of float32."""
        off = 1e-5 * np.random.default_rng(0).normal(size=12)

        assert kinds(block("v", VECTOR * (1 + off), VECTOR)) == ["unexplained"]


class TestSimpleKnownInPart:
    def test_claim_in_float32(self):
        """The digits that a float32 gradient has are enough to name a factor and a transpose."""
        rough = single()
        float32 = np.dtype(np.float32)

        assert said({n: -v for n, v in rough.items()}, dtype=float32)[0][0] == "sign"
        assert said(RIGHT | {"W2": rough["W2"].T}, dtype=float32)[0][0] == "transposed"

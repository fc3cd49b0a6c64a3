"""The diagnosis as a whole: the first family of mistakes that explains a block is believed."""

from __future__ import annotations

import numpy as np
from diagnosis_cases import (
    MATRIX,
    RIGHT,
    VECTOR,
    block,
    kinds,
    put,
    said,
)
from hypothesis import given
from hypothesis import strategies as st

from fastgrad.diagnosis.diagnose import diagnose


class TestNamed:
    def test_no_bug(self):
        """A right gradient gives no diagnosis."""
        assert said(RIGHT) == []

    def test_scalars(self):
        """Parameters that are single numbers share a factor, with a name or without."""
        d = [1.3, -0.2, 5.0, 0.7, 2.2]

        halved = diagnose([block(f"p{i}", 0.5 * v, v) for i, v in enumerate(d)])
        scaled = diagnose([block(f"p{i}", 0.37 * v, v) for i, v in enumerate(d)])

        assert [(h.kind, h.blocks) for h in halved] == [("factor", ("p0", "p1", "p2", "p3", "p4"))]
        assert scaled[0].sentence.startswith("p0, p1, p2, p3 and p4: claimed = 0.37 * numeric")


class TestKnownInPart:
    def test_subset(self):
        """On some of the entries what needs no whole block is still named, and no place is."""
        rng = np.random.default_rng(6)
        some = np.arange(30) % 2 == 0
        x = rng.normal(size=(6, 5))

        factor = block("W", 2 * MATRIX, MATRIX).only(some)
        penalty = block("W", MATRIX - 0.1 * x, MATRIX, x=x).only(some)
        row = block("W", put(MATRIX, 2, 7.0), MATRIX).only(some)
        turned = block("W", MATRIX[::-1], MATRIX).only(some)

        assert kinds(factor) == ["factor"]
        assert kinds(penalty) == ["l2 missing"]
        assert [d.sentence[:45] for d in diagnose([row])] == ["W: 3 of 15 checked entries are wrong (W[2, 0]"]
        assert kinds(turned) == ["unexplained"]

    def test_unknown_derivatives(self):
        """Entries without a numeric derivative have no say."""
        d = put(MATRIX, (0, slice(0, 3)), np.nan)
        e = np.where(np.isnan(d), np.inf, 1e-9)

        assert kinds(block("W", 2 * MATRIX, d, e)) == ["factor"]
        assert kinds(block("W", MATRIX[:, ::-1], d, e)) == ["flipped"]
        assert kinds(block("W", np.roll(MATRIX, 4), d, e)) == ["shifted"]

    def test_empty(self):
        """Nothing checked, nothing said."""
        assert kinds() == kinds(block("v", np.zeros(0), np.zeros(0))) == []

    def test_large_and_small(self):
        """Gradients near the ends of the range of floats are diagnosed without a warning."""
        for size in (1e-290, 1e300):
            e = 1e-9 * size * np.abs(VECTOR)
            assert kinds(block("v", -size * VECTOR, size * VECTOR, e)) == ["sign"]

    def test_a_million_entries(self):
        """A block of a million entries takes neither the memory nor the time of its square."""
        d = np.random.default_rng(0).normal(size=(1000, 1000))

        assert kinds(block("W", np.random.default_rng(1).normal(size=d.shape), d)) == ["unexplained"]


class TestLaws:
    @given(st.integers(0, 10**6), st.sampled_from([(), (1,), (7,), (3, 4), (2, 3, 2)]))
    def test_within_the_bounds(self, seed, shape):
        """A claim that lies within the bounds gives no diagnosis."""
        rng = np.random.default_rng(seed)
        true = rng.normal(size=shape) * 10.0 ** rng.uniform(-8, 8)
        e = 1e-8 * np.abs(true)
        d = true + e * rng.uniform(-1, 1, size=shape)

        assert kinds(block("v", true, d, e, x=rng.normal(size=shape))) == []

    @given(st.integers(0, 10**6), st.sampled_from([(4,), (5, 3), (3, 3)]))
    def test_noise_has_no_name(self, seed, shape):
        """Two random gradients have no mistake in common that has a name."""
        rng = np.random.default_rng(seed)
        g, d, x = rng.normal(size=(3, *shape))

        assert kinds(block("v", g, d, x=x)) == ["unexplained"]

"""Blocks that are transposed, shifted or permuted, and what only looks like it."""

from __future__ import annotations

import numpy as np
from diagnosis_cases import MATRIX, VECTOR, block, kinds, put
from hypothesis import given
from hypothesis import strategies as st

from fastgrad.diagnosis.diagnose import diagnose


class TestRearrangedNamed:
    def test_four_axes(self):
        """Axes of a kernel in the wrong order and flipped kernels are named by their axes."""
        rng = np.random.default_rng(6)
        kernel = rng.normal(size=(4, 4, 3, 3))

        turned = diagnose([block("K", kernel.transpose(1, 0, 2, 3), kernel)])
        flipped = diagnose([block("K", kernel[:, :, ::-1, ::-1], kernel)])
        channel = diagnose([block("K", put(kernel, (slice(None), 2), 0.0), kernel)])

        assert turned[0].sentence.startswith(
            "K: axes in the wrong order: claimed = numeric.transpose(1, 0, 2, 3)"
        )
        assert "in reverse along axes 2 and 3" in flipped[0].sentence
        assert "wrong only in axis 1, index 2 (36 of 144 entries)" in channel[0].sentence


class TestRearrangedNotNamed:
    def test_symmetric(self):
        """The transpose of a symmetric matrix is no mistake."""
        symmetric = MATRIX[:5] + MATRIX[:5].T

        assert kinds(block("W", symmetric.T, symmetric)) == []

    def test_transposed_but_for_one(self):
        """One entry that does not fit, and it is not transposed."""
        square = MATRIX[:5]

        (found,) = diagnose([block("W", put(square.T, (0, 1), 9.0), square)])
        assert found.sentence.startswith("W: wrong only off the diagonal (20 of 25 entries): look at what is")

    def test_nearly_the_same_numbers(self):
        """Sorted values that are equal to 1e-4 are not a permutation."""
        order = np.random.default_rng(0).permutation(12)

        assert kinds(block("v", VECTOR[order], VECTOR)) == ["permuted"]
        assert kinds(block("v", VECTOR[order] * (1 + 1e-4), VECTOR)) == ["unexplained"]

    def test_numbers_hardly_known(self):
        """Two samples of one distribution are no permutation of each other within wide bounds."""
        rng = np.random.default_rng(6)
        d, g = np.sort(rng.uniform(-1, 1, size=(2, 3000)), axis=1)
        g = np.random.default_rng(0).permutation(g)

        assert kinds(block("v", g, d, e=np.full(3000, 0.02))) == ["unexplained"]

    def test_one_entry_moved(self):
        """A flip that a single known entry shows is not named."""
        d = np.concatenate([VECTOR[:6], VECTOR[5::-1]])
        g = put(d, 0, 9.0)
        e = np.full(12, 1e-9)

        assert kinds(block("v", g[::-1], put(g, 11, np.nan), put(e, 11, np.inf))) != ["flipped"]

    def test_shift_of_half(self):
        """A shift that only two entries show, and two at the edge do not, is not named."""
        assert kinds(block("v", [0.3, -0.2, 5.0, 7.0], [5.0, 7.0, 0.1, 0.2])) == ["unexplained"]

    def test_signs(self):
        """A claim that keeps the signs only is not called clipped: no entry agrees."""
        assert "clipped" not in kinds(block("v", 0.001 * np.sign(VECTOR), VECTOR))


class TestShiftLaw:
    @given(st.integers(0, 10**6), st.integers(1, 11))
    def test_any_shift(self, seed, s):
        """A cyclic shift is read off, the shorter way round."""
        d = np.random.default_rng(seed).normal(size=12)
        (found,) = diagnose([block("v", np.roll(d, s), d)])

        assert f"(np.roll by {s if s <= 6 else s - 12})" in found.sentence

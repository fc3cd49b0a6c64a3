"""The right numbers in the wrong places: the order of a claim is found, and nothing else is taken for it."""

from __future__ import annotations

import numpy as np
import pytest
from diagnosis_cases import B1, MATRIX, VECTOR, W1, W2, block, changed, kinds, put, said
from hypothesis import given
from hypothesis import strategies as st

from fastgrad.diagnosis.diagnose import diagnose
from fastgrad.diagnosis.rearranged import permuted, rearranged, shifted

# what is claimed: all that is said, as (kind, sentence)
NAMED = {
    "transposed": (
        changed(W2=W2.T),
        [
            (
                "transposed",
                "W2: transposed: claimed = numeric.T; look at the order of the two factors of the product",
            )
        ],
    ),
    "C for F": (
        changed(W1=W1.ravel("F").reshape(6, 5)),
        [
            (
                "reshaped",
                "W1: reshaped in the wrong order (C against F): claimed = numeric.transpose(1, "
                "0).reshape(6, 5); look at reshape, ravel and flatten",
            )
        ],
    ),
    "F for C": (
        changed(W1=W1.reshape(5, 6).T),
        [
            (
                "reshaped",
                "W1: reshaped in the wrong order (F against C): claimed = numeric.reshape(5, "
                "6).transpose(1, 0); look at reshape, ravel and flatten",
            )
        ],
    ),
    "flipped": (
        changed(W1=W1[:, ::-1]),
        [
            (
                "flipped",
                "W1: flipped: claimed is numeric in reverse along axis 1; look for [::-1], or a "
                "convolution for a correlation",
            )
        ],
    ),
    "rolled, flat": (
        changed(W1=np.roll(W1, 3)),
        [
            (
                "shifted",
                "W1: shifted: claimed is numeric moved 3 entries on in flat order, cyclically (np.roll "
                "by 3): look at an index that is off by 3",
            )
        ],
    ),
    "rolled along an axis": (
        changed(W1=np.roll(W1, -1, axis=0)),
        [
            (
                "shifted",
                "W1: shifted: claimed is numeric moved 1 entry back along axis 0, cyclically (np.roll by "
                "-1): look at an index that is off by 1",
            )
        ],
    ),
    "shifted, the edge lost": (
        changed(b1=[0.0, *B1[:-1]]),
        [
            (
                "shifted",
                "b1: shifted: claimed is numeric moved 1 entry on, but for the edge: look at an index "
                "that is off by 1",
            )
        ],
    ),
    "permuted": (
        changed(W1=np.random.default_rng(0).permutation(W1.ravel()).reshape(6, 5)),
        [
            (
                "permuted",
                "W1: permuted: claimed has the same numbers as numeric, in another order; look at sorting, "
                "shuffling and index arrays",
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


class TestNotNamed:
    """What only looks like a mistake that has a name."""

    def test_symmetric(self):
        """The transpose of a symmetric matrix is no mistake."""
        symmetric = MATRIX[:5] + MATRIX[:5].T

        assert kinds(block("W", symmetric.T, symmetric)) == []

    def test_transposed_but_for_one(self):
        """One entry that does not fit, and it is not transposed."""
        square = MATRIX[:5]

        assert kinds(block("W", put(square.T, (0, 1), 9.0), square)) == ["unexplained"]

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


class TestLaws:
    @given(st.integers(0, 10**6), st.integers(1, 11))
    def test_any_shift(self, seed, s):
        """A cyclic shift is read off, the shorter way round."""
        d = np.random.default_rng(seed).normal(size=12)
        (found,) = diagnose([block("v", np.roll(d, s), d)])

        assert f"(np.roll by {s if s <= 6 else s - 12})" in found.sentence


class TestDirectly:
    @pytest.mark.parametrize(
        ("moved", "kind"),
        [(np.transpose, "transposed"), (lambda d: d[::-1], "flipped"), (lambda d: d[:, ::-1], "flipped")],
    )
    def test_rearranged(self, moved, kind):
        """A square matrix with its axes or its entries in another order is named, a right one is not."""
        square = MATRIX[:5]

        assert rearranged(block("W", moved(square), square)).kind == kind
        assert rearranged(block("W", square, square)) is None

    def test_the_whole_block_is_needed(self):
        """Of a block that was checked in part no order is said."""
        part = block("v", VECTOR[::-1], VECTOR).only(np.arange(12) < 11)

        assert rearranged(part) is shifted(part) is permuted(part) is None

    def test_shifted_and_permuted(self):
        """A shift is a permutation too; a permutation without an order is no shift."""
        rolled = block("v", np.roll(VECTOR, 2), VECTOR)
        shuffled = block("v", np.random.default_rng(0).permutation(VECTOR), VECTOR)

        assert (shifted(rolled).kind, permuted(rolled).kind) == ("shifted", "permuted")
        assert shifted(shuffled) is None
        assert permuted(shuffled).kind == "permuted"

"""What several blocks have in common."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from diagnosis_cases import VECTOR, block, kinds, put

from fastgrad.diagnosis.diagnose import diagnose

A, B = VECTOR[:5], VECTOR[5:9]


class TestNamed:
    def test_wrong_entries_of_several_blocks(self):
        """A factor without a name that all wrong entries share, one here and two there, is said once."""
        (found,) = diagnose(
            [
                block("b1", put(A, 0, 1.3704 * A[0]), A),
                block("b2", put(B, [1, 3], 1.3704 * B[[1, 3]]), B),
                block("b3", A, A),
            ]
        )
        assert (found.kind, found.blocks) == ("part", ("b1", "b2"))
        assert found.sentence.startswith(
            "b1 and b2: claimed = 1.3704 * numeric at all 3 wrong entries (b1[0], b2[1] and b2[3]), the "
            "others agree: a constant factor"
        )

    def test_two_numbers(self):
        """Two single numbers share a factor without a name."""
        (found,) = diagnose(
            [block("a", 1.3704 * 0.4, 0.4), block("b", 1.3704 * 7, 7.0), block("c", 2.0, 2.0)]
        )
        assert found.sentence.startswith(
            "a and b: claimed = 1.3704 * numeric in every entry: a constant factor"
        )

    def test_chain_rule_in_several_blocks(self):
        """An entry of each block that is in another parametrisation is named once."""
        x = np.array([0.3, 0.8, 0.5, 1.7, 2.2371946])
        blocks = [block(n, put(v, 4, v[4] * x[4]), v, x=x) for n, v in (("p", A), ("q", A + 0.1))]
        (found,) = diagnose(blocks)
        assert found.sentence.startswith(
            "p and q: claimed = x * numeric at all 2 wrong entries (p[4] and q[4]), the others agree, x "
            "being the "
        )

    def test_measured_rounding(self):
        """What the claim's arithmetic was measured to be off by is allowed for, also of blocks together."""
        rough = [1 + 3e-5, 1 - 2e-5]
        blocks = [
            block(f"p{i}", 1.37 * v * r, v) for i, (v, r) in enumerate(zip((0.4, 7.0), rough, strict=True))
        ]
        measured = [replace(b, rounding=1e-4 * np.abs(b.claimed)) for b in blocks]
        assert kinds(*blocks) == ["unexplained"]
        assert kinds(*measured) == ["factor"]


class TestNotNamed:
    def test_factors_that_differ(self):
        """Blocks with one wrong entry each, off by a factor of their own, share nothing."""
        blocks = [block("b1", put(A, 0, 1.37 * A[0]), A), block("b2", put(B, 1, 1.38 * B[1]), B)]
        assert kinds(*blocks) == ["entry", "entry"]

    def test_equal_entries(self):
        """Two blocks with the same two numbers show one ratio once."""
        assert kinds(block("a", 1.37 * 0.4, 0.4), block("b", 1.37 * 0.4, 0.4)) == ["unexplained"]

    def test_places_are_kept(self):
        """Where each block has a place of its own, that is said."""
        W = np.random.default_rng(0).normal(size=(4, 3))
        blocks = [block("W", put(W, (slice(None), 1), 5.0), W), block("V", put(W, 2, 7.0), W)]
        assert kinds(*blocks) == ["rectangle", "rectangle"]

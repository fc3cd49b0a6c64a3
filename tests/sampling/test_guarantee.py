"""What draws prove, block by block and in words."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sampling_cases import confidences, samples, slack

from fastgrad.errors import InputError
from fastgrad.sampling import guarantee
from fastgrad.sampling.confidence_limits import (
    clopper_pearson,
    least_count,
    most_wrong,
    sequential_confidences,
    wrong_mass,
)
from fastgrad.sampling.guarantee import BlockCounts, BlockGuarantee, Guarantee


def guarantee_of(counts, confidence, by_importance=None):
    """The guarantee of blocks whose counts are written as plain tuples."""
    return Guarantee.of([BlockCounts(*count) for count in counts], confidence, by_importance)


class TestBlock:
    def test_parts(self):
        """What is known counts as found, and the limit is about the others only."""
        block = BlockGuarantee.of(BlockCounts("W", 1000, 100, 7, 200, 2), 0.999)
        assert block.at_most == 7 + most_wrong(900, 200, 2, 0.999)
        assert block.fraction == block.at_most / 1000
        assert not block.whole

    def test_whole(self):
        """A block that was checked whole has no doubt in it, however it was checked."""
        for known, drawn in ((0, 50), (50, 0), (20, 30)):
            block = BlockGuarantee.of(BlockCounts("b", 50, known, min(known, 2), drawn, min(drawn, 3)), 0.999)
            assert block.whole
            assert block.at_most == block.dirty_known + block.dirty_drawn

    def test_nothing_drawn(self):
        """A block without a random draw may be wrong in all that was not picked."""
        assert BlockGuarantee.of(BlockCounts("W", 1000, 100, 0, 0, 0), 0.9).at_most == 900

    def test_empty(self):
        """An empty block is whole, and none of it is wrong."""
        block = BlockGuarantee.of(BlockCounts("e", 0, 0, 0, 0, 0), 0.9)
        assert (block.at_most, block.fraction, block.whole) == (0, 0.0, True)


class TestTogether:
    # size, wrong, known, drawn of blocks: all with a limit that can be too low
    BLOCKS = (
        (1000, 50, 100, 100),
        (5000, 20, 0, 300),
        (300, 30, 50, 64),
        (10**6, 5000, 0, 500),
        (80, 1, 0, 60),
    )
    TRIALS = 5000

    def held(self, confidence_of_blocks):
        """In which share of the trials all limits hold; a third of what is known is wrong where some are."""
        rng = np.random.default_rng(8)
        held = np.ones(self.TRIALS, dtype=bool)
        for (size, wrong, known, drawn), confidence in zip(self.BLOCKS, confidence_of_blocks, strict=True):
            dirty_known = min(known, wrong) // 3
            bad = wrong - dirty_known
            found = rng.hypergeometric(bad, size - known - bad, drawn, self.TRIALS)
            values, where = np.unique(found, return_inverse=True)
            limits = [
                BlockGuarantee.of(
                    BlockCounts("W", size, known, dirty_known, drawn, int(x)), confidence
                ).at_most
                for x in values
            ]
            held &= wrong <= np.array(limits)[where]
        return held.mean()

    def test_promise(self):
        """All blocks' limits hold together in `confidence` of the trials at least."""
        each = 1 - (1 - 0.9) / len(self.BLOCKS)
        assert self.held([each] * len(self.BLOCKS)) >= 0.9 - slack(0.9, self.TRIALS)

    def test_twin_of_promise(self):
        """With the whole delta for each block one limit or another is too low more often."""
        assert self.held([0.9] * len(self.BLOCKS)) < 0.9 - slack(0.9, self.TRIALS)

    def test_share_of_delta(self):
        """Delta is shared among the blocks that could be misjudged: not whole ones, not unvisited ones."""
        whole = [("b", 100, 0, 0, 100, 2), ("c", 10, 10, 0, 0, 0), ("d", 500, 20, 1, 0, 0)]
        counts = [("W", 1000, 0, 0, 200, 1), *whole, ("V", 2000, 50, 2, 300, 0)]
        got = guarantee_of(counts, 0.9)
        assert got.blocks == tuple(BlockGuarantee.of(BlockCounts(*count), 0.95) for count in counts)
        assert guarantee_of(counts[:-1], 0.9).blocks[0] == BlockGuarantee.of(BlockCounts(*counts[0]), 0.9)
        assert guarantee_of(whole, 0.9).blocks == tuple(
            BlockGuarantee.of(BlockCounts(*count), 0.9) for count in whole
        )

    def test_share_of_the_mass(self):
        """Draws by importance take a part of delta too, so that this limit holds with the others."""
        got = guarantee_of([("W", 1000, 0, 0, 200, 1)], 0.9, by_importance=(300, 2))
        assert got.mass == wrong_mass(300, 2, 0.95)
        assert got.blocks == (BlockGuarantee.of(BlockCounts("W", 1000, 0, 0, 200, 1), 0.95),)

    @given(st.lists(samples(2000), min_size=1, max_size=6), confidences)
    def test_sums(self, sampled, confidence):
        """The overall limit is the sum of the blocks'."""
        counts = [(f"W{k}", size, 0, 0, drawn, wrong) for k, (size, drawn, wrong) in enumerate(sampled)]
        got = guarantee_of(counts, confidence)
        assert got.at_most == sum(b.at_most for b in got.blocks) <= got.size == sum(c[1] for c in counts)
        assert got.fraction == (got.at_most / got.size if got.size else 0)
        assert got.whole == all(size == drawn for size, drawn, _ in sampled)


class TestSentence:
    W, B = ("W1", 10_000, 0, 0, 1500, 0), ("b1", 100, 0, 0, 100, 0)
    MISSED = "; one wrong coordinate among many can be missed by a sample"

    # counts, confidence, by_importance, the sentence
    TABLE = (
        (
            [W, B],
            0.999,
            None,
            "with 99.9% confidence at most 0.42% of all coordinates are wrong "
            "(at most 0.42% in W1, none in b1)" + MISSED,
        ),
        ([W], 0.999, None, "with 99.9% confidence at most 0.42% of all coordinates are wrong" + MISSED),
        (
            [W, B],
            0.95,
            (1000, 0),
            "with 95% confidence at most 0.22% of all coordinates are wrong "
            "(at most 0.22% in W1, none in b1) and at most 0.74% of the gradient's total size "
            "(the sum of |g|) is in wrong entries" + MISSED,
        ),
        ([B, ("b2", 7, 7, 0, 0, 0)], 0.999, None, "every coordinate was checked: no coordinate is wrong"),
        (
            [B, ("b2", 7, 7, 1, 0, 0)],
            0.999,
            None,
            "every coordinate was checked: at most 0.94% of all coordinates are wrong "
            "(at most 15% in b2, none in b1)",
        ),
        (
            [B],
            0.999,
            (1000, 0),
            "every coordinate was checked: no coordinate is wrong and with 99.9% confidence at most 1.4% of "
            "the gradient's total size (the sum of |g|) is in wrong entries",
        ),
        (
            [("W", 100, 0, 0, 96, 0)],
            0.95,
            None,
            "with 95% confidence no coordinate is wrong" + MISSED,
        ),
        (
            [("W", 100, 0, 0, 0, 0), ("empty", 0, 0, 0, 0, 0)],
            0.95,
            None,
            "with 95% confidence at most 100% of all coordinates are wrong" + MISSED,
        ),
        (
            [("a", 100, 10, 1, 0, 0), ("b", 100, 0, 0, 100, 7), ("c", 100, 0, 0, 100, 8), B, B],
            0.95,
            None,
            "with 95% confidence at most 22% of all coordinates are wrong (at most 91% in a, "
            "at most 8% in c, at most 7% in b, none in 2 other blocks)" + MISSED,
        ),
        (
            [(name, 10, 0, 0, 10, wrong) for wrong, name in enumerate("abcd", 1)],
            0.95,
            None,
            "every coordinate was checked: at most 25% of all coordinates are wrong (at most 40% in d, "
            "at most 30% in c, at most 20% in b, no more than that in 1 other block)",
        ),
    )

    @pytest.mark.parametrize(("counts", "confidence", "by_importance", "sentence"), TABLE)
    def test_sentence(self, counts, confidence, by_importance, sentence):
        """The guarantee in words: how sure, how many at most, the worst blocks, what is not promised."""
        assert guarantee_of(counts, confidence, by_importance).sentence == sentence

    def test_mass_of_another_source(self):
        """A guarantee may be given the share of the sum afterwards."""
        got = replace(guarantee_of([self.W], 0.999), mass=0.0123)
        assert "and at most 1.3% of the gradient's total size" in got.sentence

    @given(st.integers(1, 10**9), st.data())
    def test_percent_is_never_rounded_down(self, size, data):
        """A percentage is no less than the share, and a tenth more at most."""
        share = Fraction(data.draw(st.integers(0, size)), size)
        text = guarantee._percent(float(share))
        shown = Fraction(Decimal(text.removesuffix("%"))) / 100
        assert share <= shown <= share * Fraction(11, 10)
        assert len(text.removesuffix("%").replace(".", "").strip("0")) <= guarantee.DIGITS

    # confidence, as shown
    SHOWN = (
        (0.999, "99.9%"),
        (0.95, "95%"),
        (0.5, "50%"),
        (0.99975, "99.975%"),
        (0.9998046875, "99.98%"),
        (0.99957, "99.957%"),
        (0.999567, "99.956%"),
        (1 - 1e-6, "99.9999%"),
        (1 - 1e-12, "99.9999999999%"),
        (1.0, "100%"),
        (1, "100%"),
    )

    @pytest.mark.parametrize(("confidence", "text"), SHOWN)
    def test_confidence_is_never_rounded_up(self, confidence, text):
        """A confidence is shown with two digits of delta, and as no more than it is."""
        assert guarantee._percent_down(confidence) == text


class TestRefused:
    COUNTS = "counts must be 0 <= wrong <= checked <= size; got wrong {}, checked {}, size {}"
    CONFIDENCE = "confidence must be over 0 and up to 1; got {}"

    # what is called, the whole message
    MESSAGES = (
        (lambda: most_wrong(10, 11, 0, 0.9), COUNTS.format(0, 11, 10)),
        (lambda: most_wrong(10, 5, 6, 0.9), COUNTS.format(6, 5, 10)),
        (lambda: most_wrong(10, 5, -1, 0.9), COUNTS.format(-1, 5, 10)),
        (lambda: most_wrong(10, 5, 0, 0.0), CONFIDENCE.format(0.0)),
        (lambda: most_wrong(10, 5, 0, 1.5), CONFIDENCE.format(1.5)),
        (lambda: most_wrong(10, 5, 0, math.nan), CONFIDENCE.format("nan")),
        (lambda: least_count(-1, 0.9, 0.1), COUNTS.format(0, 0, -1)),
        (lambda: least_count(10, 0, 0.1), CONFIDENCE.format(0)),
        (lambda: least_count(10, 0.9, 1.1), "wrong_fraction must be from 0 to 1; got 1.1"),
        (lambda: clopper_pearson(3, 4, 0.9), COUNTS.format(4, 3, 3)),
        (lambda: wrong_mass(3, 0, -1), CONFIDENCE.format(-1)),
        (lambda: sequential_confidences(2, 3), CONFIDENCE.format(2)),
        (lambda: sequential_confidences(0.9, -1), "rounds must be zero or more; got -1"),
        (lambda: guarantee_of([], 0), CONFIDENCE.format(0)),
        (
            lambda: guarantee_of([("W", 10, 8, 0, 3, 0)], 0.9),
            "block W: " + COUNTS.format(0, 3, 2),
        ),
        (
            lambda: guarantee_of([("W", 10, 2, 3, 3, 0)], 0.9),
            "block W: " + COUNTS.format(3, 2, 10),
        ),
    )

    @pytest.mark.parametrize(("call", "message"), MESSAGES)
    def test_message(self, call, message):
        """Counts and confidences that cannot be are refused with what came."""
        with pytest.raises(InputError, match=rf"^{re.escape(message)} \[FG4(05|18)\]$"):
            call()

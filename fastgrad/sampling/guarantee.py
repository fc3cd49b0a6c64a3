"""What a checked sample proves about the coordinates that were not checked, block by block, in words.

`strategy.conclude` counts what was drawn and found in each block and makes a `Guarantee`; the report prints
its sentence. The limits are those of `confidence_limits`. A coordinate is not clean if it is wrong or
undecided.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, Context, Decimal
from typing import NamedTuple

from fastgrad.errors import InputError
from fastgrad.sampling.confidence_limits import check_confidence, check_counts, most_wrong, wrong_mass

NAMED = 3
"""Blocks that a sentence names, those with the largest share of wrong coordinates. More do not fit on two
lines."""

DIGITS = 2
"""Significant digits of a percentage: a limit from a sample is not known to more."""

ROUNDED_UP = Context(prec=DIGITS, rounding=ROUND_CEILING)

MISSED = "one wrong coordinate among many can be missed by a sample"


class BlockCounts(NamedTuple):
    """What was counted in one block."""

    name: str
    size: int
    """The number of coordinates of the block."""
    known: int
    """How many were picked on purpose and checked."""
    dirty_known: int
    """How many of the picked ones are not clean."""
    drawn: int
    """How many of the others were drawn at random without replacement and checked."""
    dirty_drawn: int
    """How many of the drawn ones are not clean."""
    shown: str = ""
    """The name as it is printed; empty where that is the name itself."""

    @property
    def sampled(self) -> bool:
        """Whether some were drawn, but not all: then the limit on the others could be too low."""
        return 0 < self.drawn < self.size - self.known


@dataclass(frozen=True)
class BlockGuarantee:
    """How many coordinates of one block are wrong at most.

    Parameters
    ----------
    name, size, known, dirty_known, drawn, dirty_drawn, shown : as in BlockCounts
    at_most : int
        The limit: `dirty_known`, and the limit on those that were not picked.

    Examples
    --------
    >>> BlockGuarantee.of(BlockCounts("W1", 10_000, 100, 0, 1000, 0), confidence=0.999).at_most
    64
    """

    name: str
    size: int
    known: int
    dirty_known: int
    drawn: int
    dirty_drawn: int
    shown: str
    at_most: int

    @classmethod
    def of(cls, counts: BlockCounts, confidence: float) -> BlockGuarantee:
        """The limit for a block from what was counted in it.

        Raises
        ------
        InputError
            For counts that cannot be (more checked than there are, more not clean than checked), with the
            block's name, and for a confidence out of range.
        """
        try:
            check_counts(counts.size, counts.known, counts.dirty_known)
            others = most_wrong(counts.size - counts.known, counts.drawn, counts.dirty_drawn, confidence)
        except InputError as error:
            raise InputError(
                f"block {counts.shown or counts.name}: {error.message}", code=error.code
            ) from error
        return cls(*counts, at_most=counts.dirty_known + others)

    @property
    def fraction(self) -> float:
        """The share of the block that is wrong at most."""
        return self.at_most / self.size if self.size else 0.0

    @property
    def whole(self) -> bool:
        """Whether every coordinate of the block was checked."""
        return self.known + self.drawn == self.size

    @property
    def sentence(self) -> str:
        """The limit in words."""
        name = self.shown or self.name
        return f"at most {_percent(self.fraction)} in {name}" if self.at_most else f"none in {name}"


@dataclass(frozen=True)
class Guarantee:
    """How many coordinates are wrong at most, block by block. All limits hold together.

    Parameters
    ----------
    blocks : tuple of BlockGuarantee
    confidence : float
        All limits are right with this probability at least.
    mass : float or None
        The share of the sum of |g| that is in wrong entries at most; None without draws by importance.

    Examples
    --------
    >>> counts = [BlockCounts("W1", 10_000, 0, 0, 1500, 0), BlockCounts("b1", 100, 0, 0, 100, 0)]
    >>> print(Guarantee.of(counts, confidence=0.999).sentence)
    with 99.9% confidence at most 0.42% of all coordinates are wrong (at most 0.42% in W1, none in b1); \
one wrong coordinate among many can be missed by a sample
    """

    blocks: tuple[BlockGuarantee, ...]
    confidence: float
    mass: float | None = None

    @classmethod
    def of(
        cls, counts: Sequence[BlockCounts], confidence: float, by_importance: tuple[int, int] | None = None
    ) -> Guarantee:
        """The limits for all blocks from what was counted in each.

        Each limit that could be too low gets an equal part of delta = 1 - confidence (Bonferroni). These are
        the limits of sampled blocks, and the one on the share of the sum of |g|.

        Parameters
        ----------
        counts : sequence of BlockCounts
        confidence : float
            1 - delta, over 0 and up to 1.
        by_importance : (drawn, dirty_drawn) or None
            How many draws by importance there were, and how many of these were not clean. Repeats count.

        Raises
        ------
        InputError
            For counts that cannot be, and a confidence out of range.
        """
        check_confidence(confidence)
        parts = sum(block.sampled for block in counts) + (by_importance is not None)
        each = 1 - (1 - confidence) / max(1, parts)
        mass = None if by_importance is None else wrong_mass(*by_importance, each)
        return cls(tuple(BlockGuarantee.of(block, each) for block in counts), confidence, mass)

    @property
    def at_most(self) -> int:
        """The number of coordinates that are wrong at most."""
        return sum(block.at_most for block in self.blocks)

    @property
    def size(self) -> int:
        """The number of coordinates."""
        return sum(block.size for block in self.blocks)

    @property
    def fraction(self) -> float:
        """The share of the coordinates that is wrong at most."""
        return self.at_most / self.size if self.size else 0.0

    @property
    def whole(self) -> bool:
        """Whether every coordinate was checked."""
        return all(block.whole for block in self.blocks)

    @property
    def sentence(self) -> str:
        """The limits in words: the overall one, the worst blocks, and what a sample cannot promise."""
        sure = f"with {_percent_down(self.confidence)} confidence "
        if not self.blocks and self.mass is not None:  # draws by importance only
            share = f"at most {_percent(self.mass)} of the gradient's total size (the sum of |g|)"
            return f"{sure}{share} is in wrong entries; {MISSED}"
        text = "every coordinate was checked: " if self.whole else sure
        if self.at_most:
            text += f"at most {_percent(self.fraction)} of all coordinates are wrong{self._worst_blocks()}"
        else:
            text += "no coordinate is wrong"
        if self.mass is not None:
            text += f" and {sure * self.whole}at most {_percent(self.mass)} of the gradient's total size "
            text += "(the sum of |g|) is in wrong entries"
        return text if self.whole else f"{text}; {MISSED}"

    def _worst_blocks(self) -> str:
        """The blocks with the largest shares, in brackets; empty where there is one block only."""
        blocks = sorted((b for b in self.blocks if b.size), key=lambda block: -block.fraction)
        if len(blocks) < 2:
            return ""
        limits = [block.sentence for block in blocks[:NAMED]]
        if others := blocks[NAMED:]:
            much = "no more than that" if others[0].at_most else "none"
            limits.append(f"{much} in {len(others)} other block{'s' * (len(others) > 1)}")
        return f" ({', '.join(limits)})"


def _percent(share: float) -> str:
    """A share as a percentage of two digits, never rounded down: 0.00431 is 0.44%."""
    percent = ROUNDED_UP.multiply(Decimal(repr(float(share))), Decimal(100))
    return f"{percent.normalize():f}%"


def _percent_down(share: float) -> str:
    """A confidence as a percentage, never rounded up: 1 - share keeps two digits, so 0.999567 is 99.956%."""
    delta = ROUNDED_UP.plus(1 - Decimal(repr(float(share))))
    return f"{(100 * (1 - delta)).normalize():f}%"

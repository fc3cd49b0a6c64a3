"""What is known of a block, and when a hypothesis explains it.

Notation, at each coordinate of a block: g = the claimed derivative, d = the numeric one, e = the bound on its
error, x = the parameter, H = what d would be if a hypothesis about the mistake were true.

    H explains the block:   |d - H| <= t = 3 e + r |d| + f      at every coordinate whose d is known
    a change c is visible:  |c| > t                             it could not be mistaken for an error of d

r = 1e-7, or the rounding of a gradient of fewer digits; f is a tiny share of the block's rms
(docs/numerics.md, Diagnosis).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from fastgrad.arrays import Floats, IndexArray, root_mean_square
from fastgrad.problem.block import Block

Mask = npt.NDArray[np.bool_]

BOUNDS = 3.0
"""Bounds that a hypothesis may be off by: the fit of its numbers has an error too (docs/numerics.md,
Diagnosis)."""

RELATIVE = 1e-7
"""Relative error allowed beside the bounds: what a float64 gradient may lose (docs/numerics.md,
Diagnosis)."""

ROUNDINGS = 8.0
"""Roundings of a gradient of fewer digits, in its own eps: 1e-6 in float32, which backprop through a few
layers stays under (tests/diagnosis/test_evidence.py)."""

OF_RMS = 1e-10
"""Share of the block's rms that is always allowed: entries that cancel to 0 have only the rounding of what
they were made of."""

QUIET = 1e-6
"""An entry under this share of the block's rms says nothing: any mistake leaves it next to 0 (TAU in
verdict.py)."""

MORE = 3
"""A hypothesis must be seen in this many more coordinates than it has numbers to choose: with as many as
numbers it would explain anything."""


@dataclass(frozen=True, eq=False)
class Evidence:
    """What is known of one block's gradient.

    Parameters
    ----------
    name : of the block
    shape : of the block
    inside : (m,) which entries were checked, by flat index in C order, increasing
    claimed : (m,) the gradient under test
    numeric : (m,) the numerical derivatives; NaN where unknown
    bound : (m,) on the error of each; inf where unknown
    wrong, undecided : (m,) the verdict
    x : (m,) the parameters
    claimed_dtype : of the gradient the user returned, if it is known

    Examples
    --------
    >>> d = np.array([1.0, -2.0, 4.0])
    >>> no, yes = np.zeros(3, bool), np.ones(3, bool)
    >>> b = Evidence("b", (3,), np.arange(3), 2 * d, d, 1e-9 * abs(d), yes, no, np.zeros(3))
    >>> b.whole, b.label(2), b.facts.explains(b.claimed / 2)
    (True, 'b[2]', True)
    """

    name: str
    shape: tuple[int, ...]
    inside: IndexArray
    claimed: Floats
    numeric: Floats
    bound: Floats
    wrong: Mask
    undecided: Mask
    x: Floats
    claimed_dtype: np.dtype[Any] | None = None

    @property
    def size(self) -> int:
        """The number of entries of the block."""
        return int(np.prod(self.shape, dtype=np.int64))

    @property
    def whole(self) -> bool:
        """Whether every entry was checked."""
        return len(self.inside) == self.size

    def label(self, entry: int) -> str:
        """An entry in the user's terms, by its flat index: "W2[17, 3]"."""
        return Block(self.name, self.shape, np.dtype(np.float64), 0).label(int(entry))

    def only(self, which: Mask) -> Evidence:
        """What is known of some of the entries alone."""
        names = ("inside", "claimed", "numeric", "bound", "wrong", "undecided", "x")
        return replace(self, **{name: getattr(self, name)[which] for name in names})

    @cached_property
    def known(self) -> Mask:
        """Where the numerical derivative is known."""
        return np.isfinite(self.numeric) & np.isfinite(self.bound)

    @cached_property
    def facts(self) -> Facts:
        """The coordinates whose numerical derivative is known."""
        k = self.known
        rounding = 0.0
        if self.claimed_dtype is not None and self.claimed_dtype.kind == "f":
            rounding = ROUNDINGS * float(np.finfo(self.claimed_dtype).eps)
        return Facts(self.claimed[k], self.numeric[k], self.bound[k], self.x[k], rounding)

    @cached_property
    def quiet(self) -> Mask:
        """Entries that are not wrong and yet say nothing: undecided, or next to 0 in a block that is not."""
        size = np.fmax(np.abs(self.claimed), np.abs(self.numeric))
        return ~self.wrong & (self.undecided | ~(size > QUIET * self.facts.rms))

    @property
    def explicable(self) -> bool:
        """Whether some entry is wrong, and the numeric derivative is known at all that are."""
        return bool(self.wrong.any()) and not bool((self.wrong & ~self.known).any())


@dataclass(frozen=True, eq=False)
class Facts:
    """Some coordinates with known derivatives, in the letters of the module's notation."""

    g: Floats
    d: Floats
    e: Floats
    x: Floats
    rounding: float = 0.0

    @cached_property
    def rms(self) -> float:
        """Root mean square of d."""
        return float(root_mean_square(self.d)) if len(self.d) else 0.0

    @cached_property
    def t(self) -> Floats:
        """How far each d may be from what explains it."""
        relative = max(RELATIVE, self.rounding)
        floor = max(OF_RMS, self.rounding) * self.rms + np.finfo(np.float64).tiny
        return BOUNDS * self.e + relative * np.abs(self.d) + floor

    def explains(self, H: Floats) -> bool:
        """Whether d is H everywhere, within what is allowed."""
        return bool((np.abs(self.d - H) <= self.t).all())

    def visible(self, change: Floats) -> int:
        """At how many coordinates a change of that size could not be an error of d."""
        return int((np.abs(change) > self.t).sum())


@dataclass(frozen=True)
class Number:
    """A fitted number: all values from low to high explain the block.

    Examples
    --------
    >>> k = Number(1.999999, 2.000002)
    >>> str(k), k.agrees(Number(2.0, 2.1)), k.agrees(Number(3.0, 3.1))
    ('2', True, False)
    """

    low: float
    high: float

    @property
    def value(self) -> float:
        """The middle."""
        return 0.5 * self.low + 0.5 * self.high

    @property
    def width(self) -> float:
        """How far the ends are from the middle, relative to it."""
        return abs((self.high - self.low) / (2 * self.value)) if self.value else float("inf")

    def agrees(self, other: Number) -> bool:
        """Whether both may be one number."""
        return self.low <= other.high and other.low <= self.high

    def both(self, other: Number) -> Number:
        """What both allow."""
        return Number(max(self.low, other.low), min(self.high, other.high))

    def times(self, factor: float) -> Number:
        """The number times another."""
        ends = (self.low * factor, self.high * factor)
        return Number(min(ends), max(ends))

    def __str__(self) -> str:
        """The digits that are certain, six at most; more where it is nearly a whole number, as 1.000002."""
        if not 0 < self.width < 1:
            return f"{self.value:.6g}" if self.width == 0 else f"{self.value:.1g}"
        certain = max(1, int(-np.log10(self.width)))
        text = f"{self.value:.{min(6, certain)}g}"
        beside_whole = float(text) == round(self.value) and not self.low <= float(text) <= self.high
        return f"{self.value:.{min(12, certain)}g}" if beside_whole else text


@dataclass(frozen=True)
class Explanation:
    """What explains a block: a sentence without its subject, and the numbers in it, as {0} and {1}.

    Blocks with the same text and numbers that agree share one sentence, with the detail of the first of them.
    {peak} is the largest of theirs.
    """

    kind: str
    text: str
    numbers: tuple[Number, ...] = ()
    peak: float = 0.0
    detail: str = ""

    def agrees(self, other: Explanation) -> bool:
        """Whether it is the same mistake."""
        pairs = zip(self.numbers, other.numbers, strict=False)
        return (self.kind, self.text) == (other.kind, other.text) and all(a.agrees(b) for a, b in pairs)

    def both(self, other: Explanation) -> Explanation:
        """The same mistake, by what is known of it from both."""
        numbers = tuple(a.both(b) for a, b in zip(self.numbers, other.numbers, strict=True))
        return replace(self, numbers=numbers, peak=max(self.peak, other.peak))

    def words(self) -> str:
        """The text and the detail, with the numbers."""
        text = f"{self.text}{self.detail}".replace("{peak}", f"{self.peak:.3g}")
        for i, number in enumerate(self.numbers):
            text = text.replace(f"{{{i}}}", str(number))
        return text


Detector = Callable[[Evidence], Explanation | None]


@dataclass(frozen=True)
class Diagnosis:
    """The likely mistake in some blocks.

    Parameters
    ----------
    kind : a short stable name of the mistake
    blocks : the names of the blocks that it explains
    sentence : what was found, in numbers, and what to look at in the code

    Examples
    --------
    >>> Diagnosis("sign", ("W1",), "W1: claimed = -1 * numeric").blocks
    ('W1',)
    """

    kind: str
    blocks: tuple[str, ...]
    sentence: str

"""What is known of a block, when a hypothesis explains it, and what explanations and diagnoses are.

The report makes an `Evidence` for each block. Detectors turn it into an `Explanation`, and sentences.py turns
explanations into `Diagnosis` values.

Notation, at each coordinate of a block: g = the claimed derivative, d = the numeric one, e = the bound on its
error, x = the parameter, H = what d would be if a hypothesis about the mistake were true.

    H explains the block:   |d - H| <= t = 3 e + r |d| + f + a      at every coordinate whose d is known
    a change c is visible:  |c| > t                                 it cannot be an error of d

r = 1e-7, or the rounding error of a gradient of fewer digits; f is a tiny share of the block's rms; a = what
the claim's own arithmetic was measured to be off by, if it was, and |g - d| where the verdict is that g
agrees: no hypothesis needs to be nearer to d than that (docs/numerics.md, Diagnosis).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from fastgrad.arrays import Floats, IndexArray, root_mean_square
from fastgrad.problem.block import Block
from fastgrad.problem.kinds.form import Form

Mask = npt.NDArray[np.bool_]

BOUNDS_ALLOWED = 3.0
"""The factor on the bounds e in t: the numbers of a hypothesis are fitted, and their errors add to those of
d (docs/numerics.md, Diagnosis)."""

RELATIVE_ALLOWED = 1e-7
"""r in t: the relative error that rounding may leave in a float64 gradient (docs/numerics.md, Diagnosis)."""

ROUNDINGS_ALLOWED = 8.0
"""r for a gradient of fewer digits, in units of its eps: 1e-6 in float32. The rounding error of backprop
through a few layers is smaller (tests/diagnosis)."""

RMS_SHARE_ALLOWED = 1e-10
"""f in t, as a share of the block's rms: an entry that is a sum of canceling terms has the rounding error of
these terms."""

UNINFORMATIVE = 1e-6
"""An entry below this share of the block's rms does not show whether it is right: most mistakes leave it near
zero. It is the tolerance of the verdict in float64."""

SPARE = 3
"""A hypothesis must be visible in this many more coordinates than it has fitted numbers. With as many
coordinates as numbers it would explain anything."""


@dataclass(frozen=True, eq=False)
class Evidence:
    """What is known of one block's gradient.

    Parameters
    ----------
    name : of the block
    shape : of the block
    inside : (m,) the checked entries, by flat index inside the block, increasing
    claimed : (m,) the claimed gradient
    numeric : (m,) the numerical derivatives; NaN where unknown
    bound : (m,) the bounds on their errors; inf where unknown
    wrong, undecided : (m,) the verdict
    x : (m,) the parameters
    claimed_dtype : of the gradient that the user returned; None if it is not known
    rounding : (m,) what the arithmetic of the claim may be off by; None if that was not measured
    form : what the user's parameter was, whose labels name the entries; None for a plain array

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
    rounding: Floats | None = None
    form: Form | None = None

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
        return Block(self.name, self.shape, np.dtype(np.float64), 0, self.name, self.form).label(int(entry))

    def only(self, which: Mask) -> Evidence:
        """The evidence of some of the checked entries."""
        names = ("inside", "claimed", "numeric", "bound", "wrong", "undecided", "x")
        rounding = None if self.rounding is None else self.rounding[which]
        return replace(self, **{name: getattr(self, name)[which] for name in names}, rounding=rounding)

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
            rounding = ROUNDINGS_ALLOWED * float(np.finfo(self.claimed_dtype).eps)
        agrees = ~(self.wrong | self.undecided)[k]
        a = np.where(agrees, np.abs(self.claimed[k] - self.numeric[k]), 0.0)
        if self.rounding is not None:
            a = np.maximum(a, self.rounding[k])
        return Facts(self.claimed[k], self.numeric[k], self.bound[k], self.x[k], rounding, a)

    @cached_property
    def uninformative(self) -> Mask:
        """Entries that are not wrong and may not be right: undecided, or tiny beside the block's rms."""
        size = np.fmax(np.abs(self.claimed), np.abs(self.numeric))
        return ~self.wrong & (self.undecided | ~(size > UNINFORMATIVE * self.facts.rms))

    @property
    def explicable(self) -> bool:
        """Whether some entries are wrong, and the numerical derivative is known at each of them."""
        return bool(self.wrong.any()) and not bool((self.wrong & ~self.known).any())


@dataclass(frozen=True, eq=False)
class Facts:
    """Some coordinates with known derivatives, in the letters of the module's notation."""

    g: Floats
    d: Floats
    e: Floats
    x: Floats
    rounding: float = 0.0
    a: Floats = field(default_factory=lambda: np.zeros(1))

    @cached_property
    def rms(self) -> float:
        """The root mean square of d."""
        return float(root_mean_square(self.d)) if len(self.d) else 0.0

    @cached_property
    def t(self) -> Floats:
        """The largest |d - H| at each coordinate for which H explains d."""
        relative = max(RELATIVE_ALLOWED, self.rounding)
        floor = max(RMS_SHARE_ALLOWED, self.rounding) * self.rms + np.finfo(np.float64).tiny
        return BOUNDS_ALLOWED * self.e + relative * np.abs(self.d) + floor + self.a

    def explains(self, H: Floats) -> bool:
        """Whether |d - H| <= t everywhere."""
        return bool((np.abs(self.d - H) <= self.t).all())

    def visible(self, change: Floats) -> int:
        """At how many coordinates |change| > t, so that the change cannot be an error of d."""
        return int((np.abs(change) > self.t).sum())


@dataclass(frozen=True)
class Number:
    """A fitted number, as an interval: every value from low to high explains the block.

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
        """The middle of the interval."""
        return 0.5 * self.low + 0.5 * self.high

    @property
    def width(self) -> float:
        """The distance from the middle to the ends, relative to the middle."""
        return abs((self.high - self.low) / (2 * self.value)) if self.value else float("inf")

    def agrees(self, other: Number) -> bool:
        """Whether the intervals meet: both may be the same number."""
        return self.low <= other.high and other.low <= self.high

    def both(self, other: Number) -> Number:
        """The intersection of the intervals."""
        return Number(max(self.low, other.low), min(self.high, other.high))

    def times(self, factor: float) -> Number:
        """The interval of the number times a known factor."""
        ends = (self.low * factor, self.high * factor)
        return Number(min(ends), max(ends))

    def __str__(self) -> str:
        """The certain digits, at most six; at most twelve for a number near an integer, such as 1.000002."""
        if not 0 < self.width < 1:
            return f"{self.value:.6g}" if self.width == 0 else f"{self.value:.1g}"
        certain = max(1, int(-np.log10(self.width)))
        text = f"{self.value:.{min(6, certain)}g}"
        beside_whole = float(text) == round(self.value) and not self.low <= float(text) <= self.high
        return f"{self.value:.{min(12, certain)}g}" if beside_whole else text


@dataclass(frozen=True)
class Explanation:
    """What explains a block.

    Blocks with the same text, and numbers that agree, share one sentence with the detail of the first block.
    """

    kind: str
    """A short stable name of the mistake."""
    text: str
    """A sentence without its subject, with {0} and {1} for the numbers and {peak} for the peak."""
    numbers: tuple[Number, ...] = ()
    peak: float = 0.0
    """The largest value or difference that the text mentions; of several blocks the largest peak is said."""
    detail: str = ""
    """What follows the text."""

    def agrees(self, other: Explanation) -> bool:
        """Whether both explanations are the same mistake."""
        if (self.kind, self.text, len(self.numbers)) != (other.kind, other.text, len(other.numbers)):
            return False
        return all(a.agrees(b) for a, b in zip(self.numbers, other.numbers, strict=True))

    def both(self, other: Explanation) -> Explanation:
        """The explanation with what both blocks show of its numbers."""
        numbers = tuple(a.both(b) for a, b in zip(self.numbers, other.numbers, strict=True))
        return replace(self, numbers=numbers, peak=max(self.peak, other.peak))

    def words(self) -> str:
        """The text and the detail, with the numbers filled in."""
        text = f"{self.text}{self.detail}".replace("{peak}", f"{self.peak:.3g}")
        for i, number in enumerate(self.numbers):
            text = text.replace(f"{{{i}}}", str(number))
        return text


Detector = Callable[[Evidence], Explanation | None]
"""What explains a block, or None if the detector's mistake does not."""


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

"""What clean probes prove, as numbers and in words: no coordinate of a block is off by more than a size S.

`strategy.conclude` makes a `Certificate` from clean slopes. The report prints its sentence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:  # every report has room for a certificate; few checks load the probes
    from fastgrad.directions.probes import Slope

PROBES = 20
"""Clean probes that make a certificate: a miss has probability 2^-20, one in a million (docs/numerics.md,
Directions)."""


@dataclass(frozen=True)
class CertifiedBlock:
    """A block that directions went through."""

    name: str
    component: float
    """The size of the block's components of a direction."""
    rms: float
    """The rms of the block's claimed gradient."""
    shown: str = ""
    """The name as it is printed; empty where that is the name itself."""


@dataclass(frozen=True)
class Certificate:
    """No coordinate of a block is off by more than its size, but with a probability of runs * 2^-probes.

    Examples
    --------
    >>> certificate = Certificate(20, ("W1", "b1"), (3e-10, 2e-10), (2.5e-7, 1e-7), 0, (11, 12))
    >>> print(certificate.sentence)
    20 random directions through 2 blocks were clean: no coordinate of W1 is off by more than 3e-10, \
2.5e-07 of a typical entry (the other 1 by less), but for a chance of 2^-20 = 9.5e-07
    """

    probes: int
    blocks: tuple[str, ...]
    sizes: tuple[float, ...]
    """In the units of each block's gradient."""
    relative: tuple[float, ...]
    """The same in units of the rms of the block's claimed gradient; NaN where that is zero."""
    excluded: int
    """Coordinates that stood still, for what is known of them already."""
    seeds: tuple[int, ...]
    runs: int = 1
    """How often it was tried to get so many clean ones in a row; each try may miss."""
    shown: tuple[str, ...] = ()
    """The names of the blocks as they are printed; empty where these are the names themselves."""

    @classmethod
    def of(
        cls, slopes: Sequence[Slope], blocks: Sequence[CertifiedBlock], excluded: int, runs: int = 1
    ) -> Certificate:
        """From clean slopes along directions over some blocks, in the last of several runs."""
        sizes = [certified_size(slopes, block.component) for block in blocks]
        relative = [s / b.rms if b.rms else float("nan") for s, b in zip(sizes, blocks, strict=True)]
        names = tuple(block.name for block in blocks)
        shown = tuple(block.shown or block.name for block in blocks)
        seeds = tuple(slope.direction.seed for slope in slopes)
        return cls(len(slopes), names, tuple(sizes), tuple(relative), excluded, seeds, runs, shown)

    @property
    def miss(self) -> float:
        """The probability that an error of more than that was missed, in any of the runs."""
        return min(1.0, self.runs * 2.0**-self.probes)

    @property
    def sentence(self) -> str:
        """The same in words, naming the block in which it says least."""
        worst = int(np.argmax(np.nan_to_num(self.relative, nan=-1.0)))
        typical = self.relative[worst]
        share = "" if np.isnan(typical) else f", {typical:.2g} of a typical entry"
        others = len(self.blocks) - 1
        rest = f" (the other {others} by less)" if others else ""
        apart = f" apart from the {self.excluded:,} known ones" if self.excluded else ""
        names = self.shown or self.blocks
        many = f"{others + 1} blocks" if others else names[0]
        return (
            f"{self.probes} random directions through {many} were clean: no coordinate of "
            f"{names[worst]} is off by more than {self.sizes[worst]:.2g}{share}{rest}{apart}, "
            f"but for a chance of {f'{self.runs} * ' * (self.runs > 1)}2^-{self.probes} = {self.miss:.1e}"
        )


def certified_size(slopes: Sequence[Slope], size: float) -> float:
    """S of a block: the error above which no coordinate of it is wrong, with probability 1 - 2^-K.

    Parameters
    ----------
    slopes : K clean ones
    size : of the block's components
    """
    return 2 * max(slope.room for slope in slopes) / size

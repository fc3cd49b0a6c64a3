"""The reasons for which a derivative is not known well enough to judge a claim.

The ladder and the stages give them as int8 codes (m,). `coordinates.undecided` puts them into words, and the
report prints their names.
"""

from __future__ import annotations

from enum import IntEnum


class Reason(IntEnum):
    """Why a derivative is not known better."""

    NOISE = 0
    KINK = 1
    STEP_RANGE = 2
    NOT_FINITE = 3
    JUMP = 4
    BUDGET = 5
    LIMIT = 6
    """The claim is neither within the bound nor clearly outside of it."""
    SUBGRADIENT = 7
    """The claim lies between the slopes on the two sides of a kink."""

    PLATEAU = 8
    """The cost stands still at fine steps, and moves in jumps."""

    @property
    def code(self) -> str:
        """The name that reports give it."""
        return self.name.lower()

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


REFERENCES = {
    "noise": "FG501",
    "kink": "FG502",
    "step_range": "FG503",
    "not_finite": "FG504",
    "jump": "FG505",
    "budget": "FG506",
    "limit": "FG507",
    "subgradient": "FG502",
    "plateau": "FG509",
    "off": "FG520",
    "own_precision": "FG522",
}
"""Where each reason is explained, and each way to be wrong: `fastgrad explain FG501`."""

CLAIM_NOT_FINITE = "FG521"
"""Where it is explained that the claim itself is NaN or infinite."""

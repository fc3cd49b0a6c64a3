"""The reasons for which a derivative is not known well enough to judge a claim.

The ladder and the stages give them as int8 codes (m,). `coordinates.undecided` puts them into words.
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

"""The reasons for undecided are what tables keep: small integers that fit into int8."""

from __future__ import annotations

import numpy as np

from fastgrad.differences.reasons import CLAIM_NOT_FINITE, REFERENCES, Reason
from fastgrad.explanations import codes


def test_are_told_apart_in_a_column_of_int8():
    """Each reason is another int8, and zero, with which a column starts, is noise."""
    codes = np.array(list(Reason), dtype=np.int8)
    assert [Reason(code) for code in codes] == list(Reason)
    assert Reason(np.zeros(1, dtype=np.int8)[0]) is Reason.NOISE


def test_each_is_explained():
    """Each reason is explained somewhere, and so is each way to be wrong."""
    assert {reason.code for reason in Reason} < set(REFERENCES)
    assert {*REFERENCES.values(), CLAIM_NOT_FINITE} < set(codes())

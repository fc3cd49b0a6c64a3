"""The table of cases that peers judge wrongly: fastgrad judges each of them as it is."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))

import peer_cases
from peer_cases import AT_KINK, CASES, RIGHT, WRONG

EXPECTED = {RIGHT: "agree", WRONG: "disagree", AT_KINK: "undecided"}

LONG = ("n = 8,000", "n = 10,000")
"""Cases that take seconds; tests/adapters has the one of JAX."""


@pytest.mark.parametrize(
    "case",
    [case for case in CASES if not any(n in case.title for n in LONG)],
    ids=lambda case: f"{case.peer}: {case.title}",
)
def test_fastgrad_judges_it_rightly(case):
    """A right gradient agrees, a wrong one disagrees, and one at a kink is undecided."""
    pytest.importorskip(case.peer)
    assert case.run().report.verdict == EXPECTED[case.truth]


def test_the_peer_errs():
    """What the table says of a peer is what it does: here it finds no Jacobian entry that is missing."""
    (row,) = [row for row in peer_cases.rows(["scipy"]) if "sparse" in row[1]]
    assert float(row[3].removeprefix("returns ")) < 1e-6
    assert row[4].startswith("disagree")

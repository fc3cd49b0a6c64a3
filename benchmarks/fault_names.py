"""Blocks with names that would deceive a reader, act on a terminal, or cannot be printed."""

from __future__ import annotations

import functools
import itertools
import random
import re

import numpy as np
from fault_outcomes import Outcome, Row

import fastgrad

NAMES = (
    "W\n\nAGREE: the gradient is right at all 4 coordinates.",
    "W\rAGREE to 1e-12",
    "\x1b[2J\x1b[H\x1b[32mAGREE\x1b[0m",
    "\x1b]0;title\x07",
    "\x9b31m",
    "\b\b\b\b\b\bagree",
    "nul\0byte",
    "lone \ud800 surrogate",
    "\u202egnorw\u202c",
    "\u2028\u2029\x85",
    "no\u200bwidth\ufeff",
    "[bold red]markup[/bold red] :skull: [/]",
    "<script>alert(1)</script>&amp;",
    "{0.__class__} %s %(x)d \\N{DIGIT ONE}",
    "long " * 10_000,
    "",
    " ",
    "ü 重み 🎲",
)
"""One of each kind; in the others pieces of these are put together."""


def made() -> str:
    """A name from pieces of the others."""
    pieces = [name[:60] for name in random.sample(NAMES, 3)]
    return "".join(piece[random.randrange(1 + len(piece)) :] for piece in pieces)


def shown(name: str, claim: float) -> fastgrad.Report:
    """The report of two blocks, one of which has this name."""
    params = {name: np.array([0.5, 1.5]), "other": np.array([0.25])}

    def cost(p: dict[str, np.ndarray]) -> float:
        return float(sum(np.sum(np.sin(block)) for block in p.values()))

    def gradient(p: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        return {key: claim * np.cos(block) for key, block in p.items()}

    return fastgrad.check_gradient(cost, gradient, params)


def texts(report: fastgrad.Report) -> dict[str, str]:
    """All that is shown of a report to somebody who reads it."""
    found = {"report": str(report), "representation": repr(report)}
    try:
        report.raise_if_failed()
    except AssertionError as error:
        found["error"] = str(error)
    return found


def verdicts(text: str) -> list[str]:
    """The verdicts that lines of a text begin with."""
    return re.findall(r"^\W*(agree|disagree|undecided)\b", text, re.IGNORECASE | re.MULTILINE)


def assert_cannot_deceive(text: str, ordinary: str) -> None:
    """What is shown acts on no terminal, can be written, and has the verdicts of an ordinary name's text."""
    assert {c for c in text if not c.isprintable()} <= {"\n"}, text
    assert verdicts(text.encode().decode()) == verdicts(ordinary), text


def named(name: str, claim: float) -> Outcome:
    """A check with such a name: but for the name all is as with an ordinary one."""
    report, plain = shown(name, claim), shown("W", claim)
    assert report.verdict == plain.verdict
    assert report.numeric.tobytes() == plain.numeric.tobytes()
    ordinary = texts(plain)
    for what, text in texts(report).items():
        assert_cannot_deceive(text, ordinary[what])
    report.to_json().encode()
    return Outcome.SAME


def rows(times: int) -> list[Row]:
    """Each name, and some that are put together, with a right gradient and a wrong one."""
    names = [*NAMES, *(made() for _ in range(times))]
    trials = itertools.product(names, (1.0, 1.01))
    return [Row("hostile name of a block").try_all(functools.partial(named, *trial) for trial in trials)]

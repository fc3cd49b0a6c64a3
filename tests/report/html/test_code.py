"""The lines of code that are wrong blocks' are shown, as text."""

from __future__ import annotations

import numpy as np
from page_cases import Page
from report_cases import agreeing, report_of

import fastgrad
from fastgrad.report.html.code import lines_of_code
from fastgrad.report.html.elements import html_of

X = np.random.default_rng(0).normal(size=(20, 3))


def cost(p):
    """A cost that can be recorded."""
    hidden = np.tanh(X @ p["W"])  # the <first> line
    return float(np.sum(hidden @ p["V"]))


def test_lines():
    """Each wrong block has the line in which the cost uses it, with file and number."""
    params = {"W": np.ones((3, 4)) / 7, "V": np.ones((4, 2))}
    claimed = {"W": np.ones((3, 4)), "V": np.ones((4, 2))}
    page = Page(html_of(lines_of_code(fastgrad.check_gradient(cost, claimed, params))))
    first = cost.__code__.co_firstlineno
    said = " ".join(page.text.split())
    assert f'test_code.py:{first + 2} hidden = np.tanh(X @ p["W"]) # the <first> line' in said
    assert f'test_code.py:{first + 3} return float(np.sum(hidden @ p["V"]))' in said
    assert page.tags.count("pre") == 2
    assert all("in which the block is used by" in label for label in page.values("aria-label"))


def test_blocks_of_one_line():
    """Blocks that are used in the same lines are named together, and of many the worst are named."""
    report = report_of(
        {f"w{k}": {(0,): 1.0 + k} for k in range(12)}, tuple((f"w{k}", (2,)) for k in range(13))
    )
    page = Page(html_of(lines_of_code(report)))
    assert page.tags.count("pre") == 1
    said = " ".join(page.text.split())
    assert said.startswith("Where the cost uses the 10 worst of 12 blocks that are wrong: w2 , w3 , ")
    assert " w11 report_cases.py" in said


def test_none():
    """A right gradient has none."""
    assert lines_of_code(agreeing()) is None

"""What a page is made of, compared with what was saved: landmarks, headings, tables, figures, in order.

A change of the page that is meant is saved by `scripts/pages --outlines`, and looked at in the diff.
"""

from __future__ import annotations

from pathlib import Path

import browser_cases
import pytest
from browser_checks import outline

SAVED = Path(__file__).parent / "outlines"


@pytest.fixture
def outlines(request):
    """Whether outlines are written anew."""
    return request.config.getoption("--outlines")


@pytest.mark.parametrize("name", browser_cases.CASES)
def test_the_outline_is_the_saved_one(look, outlines, name):
    """A page has the parts that it had, in their order, and they have their names."""
    path = SAVED / f"{name}.txt"
    found = "\n".join(outline(look(name))) + "\n"
    if outlines:
        path.parent.mkdir(exist_ok=True)
        path.write_text(found, encoding="utf-8")
    assert found == path.read_text(encoding="utf-8")


def test_no_other_outlines():
    """Each saved outline belongs to a case."""
    assert {path.stem for path in SAVED.glob("*")} == set(browser_cases.CASES)


def test_the_outline_does_not_depend_on_the_window(look):
    """A phone, paper and a page without scripts have the same outline, but for the buttons of sorting."""
    found = [outline(look("wrong", window)) for window in ("desktop", "phone", "paper", "no scripts")]
    plain = [[line for line in lines if "- button" not in line] for lines in found]
    assert plain[0] == plain[1] == plain[2] == plain[3]


def test_a_missing_part_is_seen(look, broken):
    """The twins: a heading of another level, and a table without heads, change the outline."""
    whole = outline(look("wrong"))
    assert outline(broken("wrong", '<h2 id="blocks">Blocks</h2>', '<h3 id="blocks">Blocks</h3>')) != whole
    assert outline(broken("wrong", "<thead>", "<tbody hidden>")) != whole

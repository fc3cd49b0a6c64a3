"""Tables are sorted by mouse and by keyboard, and say so to those who listen."""

from __future__ import annotations

import re
from itertools import pairwise

import browser_cases
import pytest
from browser_checks import rows, table


def column(page, caption, head):
    """The cells of a column as they are shown."""
    names = [text.strip() for text in table(page, caption).locator("thead th").all_inner_texts()]
    return [row[names.index(head)] for row in rows(page, caption)]


def head_of(page, caption, head):
    """The head of a column."""
    return table(page, caption).locator("thead th", has_text=re.compile(rf"^\s*{head}"))


def focused(page):
    """What has the focus, in words."""
    return page.evaluate(
        "[document.activeElement.tagName, document.activeElement.getAttribute('aria-label') || "
        "document.activeElement.innerText]"
    )


BLOCKS = "Blocks of parameters"


def test_by_mouse(use):
    """A click sorts by the numbers, not by their text; another one turns the order around."""
    page = use("blocks")
    before = column(page, BLOCKS, "relative error")
    button = head_of(page, BLOCKS, "relative error").get_by_role("button")
    for direction, turned in (("ascending", False), ("descending", True)):
        button.click()
        assert head_of(page, BLOCKS, "relative error").get_attribute("aria-sort") == direction
        after = column(page, BLOCKS, "relative error")
        assert sorted(after) == sorted(before)
        numbers = [float(text) for text in after if text]
        assert numbers == sorted(numbers, reverse=turned)
    assert column(page, BLOCKS, "verdict")[:2] == ["disagree", "disagree"]


def test_by_keyboard(use):
    """Tab reaches heads in order; Enter and the space bar sort; one column says that it is sorted."""
    page = use("wrong")
    page.keyboard.press("Tab")
    assert focused(page) == ["DIV", BLOCKS]
    page.keyboard.press("Tab")
    assert focused(page) == ["BUTTON", "block"]
    page.keyboard.press("Enter")
    assert column(page, BLOCKS, "block") == ["b", "W"]
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    assert focused(page) == ["BUTTON", "shape"]
    said = page.locator("[aria-sort]").evaluate_all("(all) => all.map((one) => one.innerText.trim())")
    assert said == ["shape"]


def test_what_is_unknown_comes_last(use):
    """Cells without a number stay at the end, in both directions."""
    page = use("sizes")
    button = head_of(page, BLOCKS, "relative error").get_by_role("button")
    for _ in range(2):
        button.click()
        assert column(page, BLOCKS, "checked")[-2:] == ["all 0", "all 0"]


@pytest.mark.parametrize("name", browser_cases.CASES)
def test_the_order_of_the_focus(use, name):
    """Tab visits everything that can be used, once each, from the top of the page to its end."""
    page = use(name)
    can = page.evaluate(
        "[...document.querySelectorAll('a[href], button, summary, [tabindex]')]"
        ".filter((one) => one.checkVisibility()).length"
    )
    mark = "(() => { const one = document.activeElement; const seen = one.dataset.seen; one.dataset.seen = 1;"
    mark += " return [seen, one.tagName, one.getBoundingClientRect().top + scrollY]; })()"
    tops = []
    for _ in range(can):
        page.keyboard.press("Tab")
        seen, tag, top = page.evaluate(mark)
        assert seen is None
        assert tag != "BODY"
        tops.append(top)
    assert page.locator("[data-seen]").count() == can
    assert all(after >= before - 60 for before, after in pairwise(tops))  # one row of figures is one line


def test_numbers_behind_a_summary(use):
    """The steps of a curve open by the keyboard."""
    page = use("wrong")
    details = page.locator("details").first
    details.locator("summary").focus()
    page.keyboard.press("Enter")
    assert details.get_attribute("open") is not None
    assert details.locator("table").is_visible()

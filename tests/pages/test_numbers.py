"""A page says all that the text says, with scripts off too."""

from __future__ import annotations

import page_cases
import pytest
from page_checks import NUMBER, missing_numbers


@pytest.mark.parametrize("window", ["no scripts", "desktop"])
@pytest.mark.parametrize("name", page_cases.CASES)
def test_every_number_of_the_text(look, name, window):
    """Claimed and numeric values, bounds, counts, resolution: each number of the text is on the page."""
    assert missing_numbers(look(name, window), page_cases.texts(name)) == []


@pytest.mark.parametrize("name", page_cases.CASES)
def test_the_verdict_comes_first(look, name):
    """With scripts off, the verdict of the text is the first heading, and the title says it."""
    page = look(name, "no scripts")
    found = page_cases.report(name)
    heading = page.locator("h1")
    assert heading.count() == 1
    assert heading.inner_text().split()[-1] == str(found).split()[0].rstrip(":") == found.verdict.upper()
    assert page.title().startswith(f"{found.verdict}: ")


def test_names_are_text(look):
    """Hostile names are shown as the text shows them; none became an element, or ran."""
    page = look("hostile")
    shown = page.evaluate("document.body.innerText")
    for name in page_cases.report("hostile").shown_blocks:
        assert name in shown
    assert page.locator("img, script, a, h1").count() == 2  # its own script, and the verdict


def test_the_check_notices_a_missing_number(broken):
    """The twin: a page on which one number of a table is another one lacks it."""
    report = page_cases.report("wrong")
    bound = f"{report.wrong[0].error_bound:.2e}"
    page = broken("wrong", f">{bound}<", ">9.99e-99<", "no scripts")
    assert missing_numbers(page, page_cases.texts("wrong")) == [bound]


def test_numbers_of_a_text():
    """Numbers are found in all the forms that reports write, and digits of names are none."""
    found = NUMBER.findall("W1[0, 12]: -0.25, 1,000,000 of 3e-09 or 8.00e+00; layer.77 x")
    assert found == ["0", "12", "-0.25", "1,000,000", "3e-09", "8.00e+00"]

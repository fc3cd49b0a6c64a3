"""A page says all that the text says, with scripts off too."""

from __future__ import annotations

import browser_cases
import pytest
from browser_checks import NUMBER, missing_numbers, rows


@pytest.mark.parametrize("window", ["no scripts", "desktop"])
@pytest.mark.parametrize("name", browser_cases.CASES)
def test_every_number_of_the_text(look, name, window):
    """Claimed and numeric values, bounds, counts, resolution: each number of the text is on the page."""
    assert missing_numbers(look(name, window), browser_cases.texts(name)) == []


@pytest.mark.parametrize("name", [name for name in browser_cases.CASES if name != "several"])
def test_rows_of_blocks(look, name):
    """With scripts off, each block has its row: name, shape, counts, relative error, verdict."""
    report = browser_cases.report(name)
    found = {row[0]: row for row in rows(look(name, "no scripts"), "Blocks of parameters")}
    assert len(found) == min(300, len(report.blocks))
    for shown, block in zip(report.shown_blocks, report.blocks, strict=True):
        if shown in found:
            _, shape, _, wrong, undecided, error, *_, verdict = found[shown]
            assert (shape, wrong, undecided) == (str(block.shape), f"{block.wrong:,}", f"{block.undecided:,}")
            assert float(error or "nan") == pytest.approx(block.relative_error, rel=5e-3, nan_ok=True)
            assert verdict == (block.verdict if block.checked else "not checked")
    wrong = {shown for shown, block in zip(report.shown_blocks, report.blocks, strict=True) if block.wrong}
    assert wrong <= found.keys()


@pytest.mark.parametrize("name", ["wrong", "sampled", "all", "hostile", "jacobian", "nan", "sizes", "blocks"])
def test_rows_of_wrong_coordinates(look, name):
    """With scripts off, the wrong coordinates are listed, the worst first, each with its own numbers."""
    wrong = browser_cases.report(name).wrong[:20]
    found = rows(look(name, "no scripts"), "Wrong coordinates, the worst first")
    assert len(wrong) == len(found) > 0
    for (label, *numbers), one in zip(found, wrong, strict=True):
        values = (
            one.claimed,
            one.numeric,
            one.absolute_error,
            one.allowed,
            one.relative_error,
            one.error_bound,
        )
        assert label == one.label
        assert [float(text) for text in numbers] == pytest.approx(values, rel=5e-3, nan_ok=True)


@pytest.mark.parametrize("name", browser_cases.CASES)
def test_the_verdict_comes_first(look, name):
    """With scripts off, the verdict of the text is the first heading, and the title says it."""
    page = look(name, "no scripts")
    found = browser_cases.report(name)
    heading = page.locator("h1")
    assert heading.count() == 1
    assert str(found).startswith(found.verdict.upper())
    assert heading.inner_text().split()[1] == found.verdict.upper()
    assert page.title().startswith(f"{found.verdict}: ")


def test_names_are_text(look):
    """Hostile names are shown as the text shows them; none became an element, or ran."""
    page = look("hostile")
    shown = page.evaluate("document.body.innerText")
    for name in browser_cases.report("hostile").shown_blocks:
        assert name in shown
    assert page.locator("img, script, a, h1").count() == 2  # its own script, and the verdict


def test_the_check_notices_a_missing_number(broken):
    """The twin: a page on which one number of a table is another one lacks it."""
    report = browser_cases.report("wrong")
    bound = f"{report.wrong[0].error_bound:.2e}"
    page = broken("wrong", f">{bound}<", ">9.99e-99<", "no scripts")
    assert missing_numbers(page, browser_cases.texts("wrong")) == [bound]


def test_numbers_of_a_text():
    """Numbers are found in all the forms that reports write, and digits of names are none."""
    found = NUMBER.findall("W1[0, 12]: -0.25, 1,000,000 of 3e-09 or 8.00e+00; layer.77 x")
    assert found == ["0", "12", "-0.25", "1,000,000", "3e-09", "8.00e+00"]

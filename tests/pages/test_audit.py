"""Rules of accessibility, by axe: nothing that keeps somebody from using a page."""

from __future__ import annotations

import browser_cases
import pytest
from browser_checks import CONTRAST, audit


@pytest.mark.parametrize("window", ["phone", "desktop dark"])
@pytest.mark.parametrize("name", browser_cases.CASES)
def test_no_finding(look, name, window):
    """By no rule, not even a minor one, neither on a phone nor on a desktop."""
    assert audit(look(name, window)) == []


@pytest.mark.parametrize("window", ["phone dark", "desktop"])
@pytest.mark.parametrize("name", browser_cases.CASES)
def test_contrast(look, name, window):
    """Text can be read on light and on dark pages, at both widths."""
    assert audit(look(name, window), CONTRAST) == []


def test_low_contrast_is_seen(broken):
    """The twin: grey on white is a serious finding."""
    found = audit(broken("right", "--muted: #57606a", "--muted: #c0c0c0"))
    assert {one.partition(":")[0] for one in found} == {"serious color-contrast"}


def test_a_picture_without_a_name_is_seen(broken):
    """The twin: a picture that says nothing is a serious finding."""
    [found] = audit(broken("right", 'role="img" aria-label=', 'role="img" data-was='))
    assert found.startswith("serious svg-img-alt")

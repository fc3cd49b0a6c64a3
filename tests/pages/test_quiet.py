"""A page runs without errors, and asks for nothing: no network, no other file."""

from __future__ import annotations

import browser_cases
import pytest


@pytest.mark.parametrize("window", ["phone", "desktop dark", "no scripts"])
@pytest.mark.parametrize("name", browser_cases.CASES)
def test_no_complaint(look, name, window):
    """Neither messages nor errors of scripts nor requests, in any window, with scripts or without."""
    assert look(name, window).said == []


def test_a_script_error_is_seen(broken):
    """The twin: an error, and a message of the console, are noticed."""
    page = broken("right", "<script>", "<script>console.log('said'); missing();")
    assert page.said == ["console: said", "error: missing is not defined"]


def test_a_request_is_seen(broken):
    """The twin: a picture from elsewhere is noticed, and not asked for."""
    page = broken("right", "<main", '<img src="http://example.invalid/a.png"><main')
    assert "request: http://example.invalid/a.png" in page.said

"""A browser for all tests of pages, and each page opened once for each kind of window."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path

import browser_cases
import pytest
from browser_checks import AXE

from fastgrad.report import step_curves

BROWSER = Path(os.environ.get("FASTGRAD_BROWSER", "/usr/bin/chromium"))

QUIET = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]
"""No sandbox, for there is none for root; no request of the browser's own."""

WINDOWS = {
    "phone": {"viewport": {"width": 390, "height": 844}, "color_scheme": "light"},
    "phone dark": {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark"},
    "desktop": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "light"},
    "desktop dark": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "dark"},
    "zoomed": {"viewport": {"width": 640, "height": 450}, "device_scale_factor": 2},
    "no scripts": {"viewport": {"width": 1280, "height": 900}, "java_script_enabled": False},
    "paper": {"viewport": {"width": 718, "height": 1000}},
}
"""A4 is 794 pixels wide, without a margin of one centimetre 718. Zoomed is a desktop window at 200%."""


PATIENCE = 180_000
"""Milliseconds after which a browser is taken for stuck: on a busy machine it may be slow."""


def missing_tools():
    """What these tests need and is not there, in words; empty where all is."""
    lacking = [] if find_spec("playwright") else ["playwright"]
    lacking += [str(path) for path in (BROWSER, AXE) if not path.exists()]
    return f"scripts/pages sets up what is missing: {', '.join(lacking)}" if lacking else ""


def pytest_addoption(parser):
    """Whether outlines are written anew."""
    parser.addoption("--outlines", action="store_true", help="save the outlines of pages")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    """Put the tests of one page together, so that it stays open; without a browser skip them.

    scripts/pages and CI have one.
    """
    reason = missing_tools()
    if reason and os.environ.get("FASTGRAD_PAGES"):
        raise pytest.UsageError(reason)
    here = [item for item in items if Path(__file__).parent in item.path.parents]
    if reason:
        for item in here:
            item.add_marker(pytest.mark.skip(reason=reason))
    in_turn = iter(sorted(here, key=_case))
    items[:] = [next(in_turn) if item in here else item for item in items]


def _case(item):
    return str(item.callspec.params.get("name", "")) if hasattr(item, "callspec") else ""


@pytest.fixture(scope="session")
def browser():
    """Headless Chromium."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=BROWSER, args=QUIET)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def files(tmp_path_factory):
    """The files of pages that were written, by case."""
    folder = tmp_path_factory.mktemp("pages")

    def write(name):
        path = folder / f"{name}.html"
        if not path.exists():
            browser_cases.report(name).to_html(path)
        return path

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(step_curves, "SECONDS", 60.0)  # a slow machine draws as many curves as another one
        yield write


class Opened:
    """The pages that are open, one in each kind of window, with what each asked for and complained of."""

    def __init__(self, browser):
        self.browser = browser
        self.contexts = {}
        self.pages = {}

    def page(self, path, window):
        """The file in that window; it is loaded unless it is there."""
        if window not in self.pages or self.pages[window].url != path.as_uri():
            self.close(window)
            self.pages[window] = self._load(path, window)
        return self.pages[window]

    def close(self, window):
        """Close the page of a window: a test that changes it leaves nothing behind."""
        if window in self.pages:
            self.pages.pop(window).close()

    def _load(self, path, window):
        if window not in self.contexts:
            self.contexts[window] = self.browser.new_context(**WINDOWS[window])
            self.contexts[window].set_default_timeout(PATIENCE)
        page = self.contexts[window].new_page()
        page.said = []
        page.on("console", lambda message: page.said.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: page.said.append(f"error: {error}"))
        page.route("**/*", lambda route: _files_only(route, page.said))
        if window == "paper":
            page.emulate_media(media="print")
        page.goto(path.as_uri())
        return page


def _files_only(route, said):
    if route.request.url.startswith("file://"):
        route.continue_()
    else:
        said.append(f"request: {route.request.url}")
        route.abort()


@pytest.fixture(scope="session")
def opened(browser):
    """The windows of the session."""
    return Opened(browser)


@pytest.fixture
def look(opened, files):
    """Open the page of a case in a kind of window; it complains of nothing, and asks for nothing."""
    pages = []

    def open_page(name, window="desktop"):
        pages.append(opened.page(files(name), window))
        return pages[-1]

    yield open_page
    assert [page.said for page in pages if page.said] == []


@pytest.fixture
def use(opened, files, look):
    """Open the page of a case anew on a desktop, to click in it and to type."""
    opened.close("desktop")
    yield look
    opened.close("desktop")


@pytest.fixture
def broken(opened, files, tmp_path):
    """Open the page of a case with something in it replaced: the twin that a check must notice."""
    used = set()

    def open_page(name, old, new, window="desktop"):
        text = files(name).read_text(encoding="utf-8")
        assert old in text
        path = tmp_path / f"broken{len(list(tmp_path.iterdir()))}.html"
        path.write_text(text.replace(old, new, 1), encoding="utf-8")
        used.add(window)
        return opened.page(path, window)

    yield open_page
    for window in used:
        opened.close(window)

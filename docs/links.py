"""Whether every link, picture and anchor of a built site is there, and nothing of it comes from the network.

    python docs/links.py docs/_build/html

Links to other sites are left alone: they are not followed. What a page loads by itself (scripts, styles,
fonts, pictures) must be part of the site.
"""

from __future__ import annotations

import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

LOADED = {("script", "src"), ("img", "src"), ("link", "href"), ("source", "src"), ("object", "data")}
"""Attributes by which a page loads something when it is shown."""


class Page(HTMLParser):
    """The links and anchors of one page.

    Attributes
    ----------
    links : (tag, attribute, target) for each
    anchors : ids and names
    """

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[tuple[str, str, str]] = []
        self.anchors: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep what the tag links to, and what it can be linked by."""
        for name, value in attrs:
            if value and name in ("id", "name"):
                self.anchors.add(value)
            elif value and name in ("href", "src", "data"):
                self.links.append((tag, name, value))


def faults(site: Path) -> list[str]:
    """What is wrong with the links of a site, as sentences.

    Parameters
    ----------
    site : the folder with its pages
    """
    pages = {path.resolve(): Page(path.read_text(encoding="utf-8")) for path in sorted(site.rglob("*.html"))}
    found = [
        f"{path.relative_to(site.resolve())}: {target}: {fault}"
        for path, page in pages.items()
        for tag, name, target in page.links
        if (fault := _fault(path, tag, name, target, pages))
    ]
    for sheet in sorted(site.rglob("*.css")):
        urls = re.findall(r"(?:url\(|@import)\s*[\"']?((?:https?:)?//[^\"')\s]+)", sheet.read_text("utf-8"))
        found += [f"{sheet.relative_to(site)}: {url}: comes from the network" for url in urls]
    return found


def _fault(path: Path, tag: str, name: str, target: str, pages: dict[Path, Page]) -> str | None:
    parts = urlsplit(target)
    if parts.scheme == "data":
        return None
    if parts.scheme or parts.netloc:
        return "comes from the network" if (tag, name) in LOADED else None
    file = (path.parent / unquote(parts.path)).resolve() if parts.path else path
    if not file.exists():
        return "there is no such file"
    if parts.fragment and file in pages and unquote(parts.fragment) not in pages[file].anchors:
        return "there is no such anchor"
    return None


def main() -> int:
    """Print what is wrong; 1 if anything is."""
    site = Path(sys.argv[1])
    wrong = faults(site)
    print("\n".join(wrong) or f"{len(list(site.rglob('*.html')))} pages: every link and anchor is there")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

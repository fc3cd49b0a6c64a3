"""What must be so of every page in a browser, as functions that give what is not: an empty list is well."""

from __future__ import annotations

import re
from pathlib import Path

AXE = Path(__file__).parent / "pages" / "node_modules" / "axe-core" / "axe.min.js"

DIGITS = r"[-+]?\d+(?:,\d{3})*(?:\.\d+)?(?:e[-+]?\d+)?"

NUMBER = re.compile(rf"(?<![\w.]){DIGITS}")
"""A number as reports write it, not the digits at the end of a name."""

CONTRAST = ["color-contrast"]
"""The rule of axe that depends on whether the page is light or dark."""

ROLES = "main banner article heading region table caption columnheader figure img list group link button"

STRUCTURE = re.compile(rf"^\s*- '?({'|'.join(ROLES.split())})\b")
"""Roles that make the outline of a page; what is left out is text and rows of numbers."""

WIDER = """() => {
  const width = document.documentElement.clientWidth, found = [];
  if (document.documentElement.scrollWidth > width)
    found.push(`the page is ${document.documentElement.scrollWidth} wide, the window ${width}`);
  for (const one of document.querySelectorAll("main *")) {
    const box = one.getBoundingClientRect(), scrolls = one.closest(".scroll, pre");
    if ((!scrolls || scrolls === one) && box.width && (box.right > width + 0.5 || box.left < -0.5))
      found.push(`${one.tagName} ${one.className} from ${box.left} to ${box.right} of ${width}`);
  }
  return found;
}"""

CUT = """() => [...document.querySelectorAll(".scroll, pre")]
  .filter((one) => one.scrollWidth > one.clientWidth + 1)
  .map((one) => `${one.getAttribute("aria-label")}: ${one.scrollWidth} in ${one.clientWidth}`)"""

OVERLAPPING = """() => {
  const found = [], parts = [...document.querySelectorAll("main header, main section, main .check")];
  const nameOf = (one) => one.getAttribute("aria-labelledby") || one.tagName;
  const boxes = parts.map((one) => [nameOf(one), one.getBoundingClientRect()]);
  boxes.slice(1).forEach(([name, box], k) => {
    if (box.top < boxes[k][1].bottom - 0.5) found.push(`${name} begins above the end of ${boxes[k][0]}`);
  });
  const meet = (a, b, low, high) => a[low] < b[high] - 0.5 && b[low] < a[high] - 0.5;
  for (const row of document.querySelectorAll(".figures")) {
    const figures = [...row.children].map((one) => one.getBoundingClientRect());
    figures.forEach((a, k) => figures.slice(k + 1).forEach((b) => {
      if (meet(a, b, "left", "right") && meet(a, b, "top", "bottom"))
        found.push("two figures overlap");
    }));
  }
  return found;
}"""


def wider_than_window(page):
    """What reaches beyond the window: the page itself, or an element outside of regions that scroll."""
    return page.evaluate(WIDER)


def cut_off(page):
    """Regions that hold more than they show, which paper cannot scroll."""
    return page.evaluate(CUT)


def overlapping(page):
    """Parts of the page that are not below the one before them, and figures that cover one another."""
    return page.evaluate(OVERLAPPING)


def missing_numbers(page, texts):
    """Numbers of text reports that the page does not show.

    The page has the cost with all its digits, the text with nine: the cost is rounded before.
    """
    shown = page.evaluate("document.body.innerText")
    found = set(NUMBER.findall(shown))
    found |= {f"{float(value):.9g}" for value in re.findall(r"cost at the parameters\s+(\S+)", shown)}
    wanted = {number for text in texts for number in NUMBER.findall(text)}
    return sorted(wanted - found)


def table(page, caption):
    """The table of that caption."""
    return page.locator("table", has=page.locator("caption", has_text=re.compile(f"^{re.escape(caption)}$")))


def rows(page, caption):
    """The rows of a table, each a list of what its cells show."""
    cells = "(all) => all.map((row) => [...row.cells].map((cell) => cell.innerText.trim()))"
    return table(page, caption).locator("tbody tr").evaluate_all(cells)


def audit(page, rules=None):
    """What axe finds on the page: impact, rule, and the elements.

    Parameters
    ----------
    page : with scripts on
    rules : the names of some rules; None for all
    """
    if not page.evaluate("'axe' in window"):
        page.add_script_tag(path=AXE)
    options = {"resultTypes": ["violations"]} | ({"runOnly": rules} if rules else {})
    found = page.evaluate("(options) => axe.run(options)", options)
    assert found["passes"], "axe found nothing to look at"
    return [
        f"{one['impact']} {one['id']}: {node['html'][:120]}: {node['failureSummary']}"
        for one in found["violations"]
        for node in one["nodes"]
    ]


def outline(page):
    """What a screen reader has of the page: landmarks, headings, tables and their heads, figures.

    Digits are replaced, and of lines that are alike and follow one another the first is kept.
    """
    lines = [line for line in page.locator("body").aria_snapshot().splitlines() if STRUCTURE.search(line)]
    plain = [_plain(line) for line in lines]
    return [line for k, line in enumerate(plain) if k == 0 or line != plain[k - 1]]


def _plain(line):
    named = re.sub(r"""(- '?img "[^"]*"'?).*""", r"\1", line)  # without the values beside its ticks
    return re.sub(rf"(?<!level=){DIGITS}", "#", named).rstrip(":")

"""Elements of HTML and SVG, whose text is escaped by the library that writes them.

Every other module of the page makes elements with `element` alone. Text and attributes are made printable
first, so that what comes from the user neither is markup nor acts on the page.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from fastgrad.printable import printable

Child = Element | str | float | None

RENAMED = {"class_": "class", "for_": "for"}
"""Attributes that are words of Python."""

CASED = {"viewbox": "viewBox", "preserveaspectratio": "preserveAspectRatio"}
"""Attributes of SVG that are not in lower case."""

_WITH_EXPONENT = re.compile(r"(\d[\d.]*e[-+]\d+)")


def element(tag: str, *children: Child | Iterable[Child], **attributes: str | float | bool | None) -> Element:
    r"""An element with its children in order; None is left out, and so is an attribute that is None or False.

    Parameters
    ----------
    tag : its name
    children : elements, texts, numbers, or several of these
    attributes : with a dash for each underscore; class_ and for_ for words of Python

    Examples
    --------
    >>> html_of(element("p", "block ", element("code", "<b>\n"), class_="name"))
    '<p class="name">block <code>&lt;b&gt;\\n</code></p>'
    """
    made = Element(tag)
    for name, value in attributes.items():
        if value is not None and value is not False:
            made.set(_attribute(name), "" if value is True else printable(str(value)))
    for child in children:
        for one in [child] if isinstance(child, (Element, str, float, int)) or child is None else child:
            _append(made, one)
    return made


def _attribute(name: str) -> str:
    return RENAMED.get(name) or CASED.get(name) or name.rstrip("_").replace("_", "-")


def _append(parent: Element, child: Child) -> None:
    if child is None:
        return
    if isinstance(child, Element):
        parent.append(child)
        return
    text = printable(str(child))
    if len(parent):
        parent[-1].tail = (parent[-1].tail or "") + text
    else:
        parent.text = (parent.text or "") + text


def unbroken(sentence: str) -> list[Child]:
    """A sentence of fastgrad's own in whose numbers no line ends; it would after the dash of 1e-08."""
    pieces = _WITH_EXPONENT.split(sentence)
    return [element("span", piece, class_="whole") if k % 2 else piece for k, piece in enumerate(pieces)]


def verbatim(tag: str, text: str) -> Element:
    """A style or script element with a text of fastgrad's own, which is written as it is."""
    made = Element(tag)
    made.text = text
    return made


def html_of(made: Element) -> str:
    """The element as HTML."""
    return ElementTree.tostring(made, encoding="unicode", method="html")

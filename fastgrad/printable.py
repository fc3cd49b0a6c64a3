"""Text from the user, such as a name, as text that can be printed: no character of it acts on a terminal.

The names of blocks, the labels of coordinates, quoted exceptions and notes pass through here before they are
printed. JSON keeps names as they are.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence

LONGEST_NAME = 80
"""Characters of a name that are shown. Longer names would push the other columns of a table out of sight."""

GAP = "..."
"""What stands for the middle of a long text."""


VERDICTS = ("AGREE", "DISAGREE", "UNDECIDED")
"""Words with which the first line of a report begins."""

_INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
"""What str.isprintable takes for printable and nobody sees: fillers, and marks without width (Unicode's
Default_Ignorable_Code_Point, and the Braille pattern without dots)."""

_NOT_ONE_NAME = re.compile(r"^\s|\s$|\s\s|:\s")
"""Where a name would run into what stands beside it: as cells of a table, or as the start of a sentence."""


def printable(text: str, keep: str = "") -> str:
    r"""The text, with an escape as in Python's source for each character that is not printable.

    Not printable are control characters, line breaks, marks that turn the direction of writing, characters
    without width, and surrogates. A text that was made printable stays as it is.

    Parameters
    ----------
    text : any text
    keep : characters that are left as they are, such as a line break

    Examples
    --------
    >>> print(printable("W\x1b[31m and\nb"))
    W\x1b[31m and\nb
    """
    if text.isprintable() and not _INVISIBLE.search(text):
        return text
    return "".join(
        c if c in keep or (c.isprintable() and not _INVISIBLE.match(c)) else _escaped(c) for c in text
    )


def printable_lines(text: str) -> str:
    """The text as `printable` gives it, but line breaks and tabs are left in."""
    return printable(text, keep="\n\t")


def shortened(text: str, longest: int = LONGEST_NAME) -> str:
    """A printable text of at most `longest` characters; of a longer one the middle is left out.

    Examples
    --------
    >>> shortened("encoder.layers.attention.weight", 16)
    'encode....weight'
    """
    text = printable(text)
    if len(text) <= longest:
        return text
    kept = longest - len(GAP)
    return text[: kept - kept // 2] + GAP + text[len(text) - kept // 2 :]


def shown_name(name: str, longest: int = LONGEST_NAME) -> str:
    """A name as it is shown: shortened, and in quotes where it would read as something else than a name.

    Examples
    --------
    >>> print(shown_name("W1"), shown_name("AGREE: all is well"))
    W1 'AGREE: all is well'
    """
    short = shortened(name, longest)
    plain = unicodedata.normalize("NFKC", short)
    if _NOT_ONE_NAME.search(plain) or plain.startswith(VERDICTS):
        return f"'{shortened(short, longest - 2)}'"
    return short


def shown_names(names: Sequence[str], longest: int = LONGEST_NAME) -> list[str]:
    r"""Names as they are shown: printable, no longer than `longest`, and no two alike.

    A name that would look like another one is followed by its place among the names, counted from 1.

    Examples
    --------
    >>> shown_names(["W", "b\n"])
    ['W', 'b\\n']
    >>> shown_names(["layer_1_of_many.weight", "layer_2_of_many.weight"], 14)
    ['layer_...eight (1)', 'layer_...eight (2)']
    """
    shown = [shown_name(name, longest) for name in names]
    count = Counter(shown)
    if len(count) == len(shown):
        return shown
    taken = {name for name in shown if count[name] == 1}
    return [name if count[name] == 1 else _numbered(name, k, taken) for k, name in enumerate(shown, 1)]


def _numbered(name: str, place: int, taken: set[str]) -> str:
    found = f"{name} ({place})"
    while found in taken:
        found += "'"
    taken.add(found)
    return found


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")

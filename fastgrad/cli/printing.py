"""Printing on streams that may refuse: a full disk, a closed pipe, another encoding, none at all.

`main` prints reports by `print_to`, and complains by `complain`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TextIO

from fastgrad.errors import InputError


class NotPrintedError(Exception):
    """A text could not be printed; the cause is what the stream raised."""


def print_to(text: str, stream: TextIO | None) -> None:
    r"""Print a text and flush it, with escapes for the characters that the stream cannot encode.

    Parameters
    ----------
    text : what is printed
    stream : stdout or stderr, which may be an ASCII terminal; None where the process has none

    Raises
    ------
    NotPrintedError
        Unless all of it was taken.

    Examples
    --------
    >>> import io
    >>> stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    >>> print_to("Gewicht \u03b8", stream)
    >>> stream.buffer.getvalue().strip()
    b'Gewicht \\u03b8'
    """
    if stream is None:
        raise NotPrintedError("nothing could be printed: the stream is closed")
    try:
        encoding = getattr(stream, "encoding", None) or "utf-8"
        stream.write(text.encode(encoding, "backslashreplace").decode(encoding) + "\n")
        stream.flush()
    except Exception as error:  # of the system, of a closed file, of what the user put in its place
        raise NotPrintedError(f"not all could be printed: {error}") from error


def complain(text: str, stream: TextIO | None) -> None:
    """Print a text if that can be done: there is no other place to say that it cannot."""
    try:
        print_to(text, stream)
    except NotPrintedError:
        return


def check_folder(path: str) -> None:
    """Refuse the path of a file that is to be written later, where there is no such folder.

    Raises
    ------
    InputError
        For a path in no folder, and for a folder in its place.
    """
    place = Path(path)
    if not place.parent.is_dir():
        raise InputError(f"cannot write {path}: there is no folder {place.parent}", code="FG904")
    if place.is_dir():
        raise InputError(f"cannot write {path}: it is a folder; give the name of a file in it", code="FG904")

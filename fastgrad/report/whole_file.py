"""A text file that is written whole or not at all: into another file beside it, which then takes its name.

`Report` writes JSON with it.
"""

from __future__ import annotations

import errno
import os
import secrets
import shutil
from os import PathLike
from pathlib import Path

LONGEST_NAME = 50
"""Characters of the name that the other file takes over, of up to 4 bytes each: 255 bytes are allowed."""


def write_whole(path: str | PathLike[str], text: str) -> None:
    """Write a text in UTF-8; under this name there is the old file or the whole new one, never a part.

    A link keeps pointing where it did: its target is replaced. What is no file, such as /dev/stdout or a
    pipe, is written to as it is.

    Raises
    ------
    OSError
        When it cannot be written; what was there is then left as it was.

    Examples
    --------
    >>> import tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> file = Path(folder.name) / "report.json"
    >>> write_whole(file, "{}")
    >>> file.read_text(), len(os.listdir(folder.name))
    ('{}', 1)
    >>> folder.cleanup()
    """
    place = Path(os.path.realpath(path))
    if place.exists() and not place.is_file():
        place.write_text(text, encoding="utf-8")
        return
    if not place.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
    part = place.with_name(f".{place.name[:LONGEST_NAME]}.{secrets.token_hex(8)}.part")
    try:
        with open(part, "x", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        if place.exists():
            shutil.copymode(place, part)
        os.replace(part, place)
    except BaseException:
        part.unlink(missing_ok=True)
        raise

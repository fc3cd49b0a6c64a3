"""Where a checkpoint may be, and how messages print it; SQLite is not loaded for that.

`Run` asks before anything is evaluated, and `checkpoint_file` once more when it opens the file.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from fastgrad.errors import InputError
from fastgrad.printable import printable

INACCESSIBLE = (
    "this checkpoint cannot be read or written: see to the permissions and the disk, or use another file"
)


def path_of(given: Any) -> Path:
    """The file that was asked for; InputError for what cannot be one.

    It is absolute, so that ":memory:" and "file:..." are names like others.
    """
    name = os.fspath(given) if isinstance(given, str | os.PathLike) else None
    if not isinstance(name, str) or not name or "\0" in name:
        raise InputError(
            f'checkpoint must be the path of a file, as in checkpoint="check.db"; got {given!r:.60}',
            code="FG910",
        )
    return Path(name).absolute()


def shown(path: Path) -> str:
    r"""A path as messages print it: on one line, whatever is in it.

    Examples
    --------
    >>> print(shown(Path("runs/first\nsecond")))
    runs/first\nsecond
    """
    return printable(str(path))


def require_usable(given: Any) -> None:
    """InputError for what is no path, for a folder or a device, and for a file in no folder there is."""
    path = path_of(given)
    try:
        exists, is_file = path.exists(), path.is_file()
        has_folder = exists or path.parent.is_dir()
    except OSError as error:
        raise inaccessible(path, error) from error
    if exists and not is_file:
        raise InputError(
            f"{shown(path)}: a checkpoint is a file, and this is a folder or a device", code="FG910"
        )
    if not has_folder:
        raise InputError(
            f"{shown(path)}: there is no folder {shown(path.parent)} for this checkpoint", code="FG910"
        )


def inaccessible(path: Path, error: OSError) -> InputError:
    """What is said of a file that cannot even be looked at."""
    return InputError(f"{shown(path)}: {INACCESSIBLE} ({error.strerror})", code="FG910")

"""What Numba keeps of the user's functions on disk is left aside: it may be of another version of them.

Of a function with `cache=True` Numba compares the file, and not the files of the functions that it calls:
after a change of one of these it would go on with machine code of before.
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

VARIABLE = "NUMBA_CACHE_DIR"


@contextlib.contextmanager
def nothing_compiled_before(folder: Path) -> Iterator[None]:
    """Functions that are decorated inside find nothing that was compiled before.

    Parameters
    ----------
    folder : what they compile is kept in a new folder in it, as long as it is there
    """
    given = os.environ.get(VARIABLE)
    new = tempfile.mkdtemp(dir=folder)
    _keep_in(new, new)
    try:
        yield
    finally:
        _keep_in(given, given or "")


def _keep_in(variable: str | None, place: str) -> None:
    """Set the variable, which Numba reads when it is imported, and what Numba has read if it was."""
    if variable is None:
        os.environ.pop(VARIABLE, None)
    else:
        os.environ[VARIABLE] = variable
    config = sys.modules.get("numba.core.config")
    if config is not None:
        config.CACHE_DIR = place  # type: ignore[attr-defined]

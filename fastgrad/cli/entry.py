"""Where the command starts and ends: from first to last its exit status means what is said of it.

The script `fastgrad` and `python -m fastgrad` call `entry`. It runs `main`, which imports the rest, so that a
signal during these imports ends the command as it does later.
"""

from __future__ import annotations

import atexit
import contextlib
import sys

from fastgrad.cli.signals import leave_at_once

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn


def entry() -> NoReturn:
    """Run the command line and end the process with its exit status."""
    leave_at_once()
    atexit.register(_flush_the_rest)  # the first that is registered is the last that is called
    status = _status()
    # Ctrl-C in code that was given to eval or exec as a text makes Python end itself by SIGINT, even if it
    # was caught since, whatever the status. The next such code makes it forget that.
    eval("None")
    raise SystemExit(status)  # sys.exit may be another function by now: the user's code has run


def _status() -> int:
    from fastgrad.cli.main import CANNOT_RUN, main

    out = sys.stdout
    try:
        status = main()
    except SystemExit as ended:  # by argparse, after --help or for wrong arguments
        status = ended.code if isinstance(ended.code, int) else 0
    return status if status or _is_flushed(out) else CANNOT_RUN


def _is_flushed(stream: object) -> bool:
    try:
        stream.flush()  # type: ignore[attr-defined]
    except Exception:  # a full disk, a closed pipe, no stream at all
        return False
    return True


def _flush_the_rest() -> None:
    """Flush what the user's code printed at the end: where Python itself fails to, the status becomes 120."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name, None)
        if stream is not None and not _is_flushed(stream):
            with contextlib.suppress(Exception):
                setattr(sys, name, None)

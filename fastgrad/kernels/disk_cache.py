"""Where compiled code is kept on disk, also where neither fastgrad's folder nor the home can be written.

`jit` calls `keep` for each function it compiles. Numba looks for a folder by itself: NUMBA_CACHE_DIR, then
__pycache__ beside the file, then the user's cache folder. Where it finds none it raises, as in a container
with a read-only installation and an ordinary user. Then a folder of the user's own in the temporary folder is
taken. Without that one too, and where a file cannot be read or written later, each process compiles anew.
"""

from __future__ import annotations

import multiprocessing
import os
import stat
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fastgrad.errors import warn_user

OTHERS = stat.S_IRWXG | stat.S_IRWXO
"""What others may do with a folder. The files in ours are code that is run: nobody else may write them."""

_setting = threading.Lock()
_said = threading.Event()


def keep(compiled: Any, config: Any) -> None:
    """Keep the code of a compiled function on disk, where that is possible.

    Parameters
    ----------
    compiled : a dispatcher of Numba's
    config : Numba's settings
    """
    try:
        compiled.enable_caching()
    except RuntimeError as error:  # "no locator available"
        if not _keep_in(private_folder(), compiled, config):
            _say_once(str(error))
            return
    cache = compiled._cache
    cache.load_overload = _or_none(
        cache, cache.load_overload, Exception
    )  # whatever pickle makes of its bytes
    cache.save_overload = _or_none(cache, cache.save_overload, OSError)


def private_folder() -> Path | None:
    """The user's own folder in the temporary folder, made if it is not there.

    None where it cannot be made, or is a link, or belongs to another user, or is open to others.
    """
    try:
        folder = Path(tempfile.gettempdir()) / f"fastgrad-numba-{_user()}"
        folder.mkdir(mode=0o700, exist_ok=True)
        return folder if _is_private(folder) else None
    except OSError:
        return None


def _user() -> int | str:
    return os.geteuid() if hasattr(os, "geteuid") else "cache"  # Windows has a temporary folder for each user


def _is_private(folder: Path) -> bool:
    """Whether nobody else can write to a folder, nor put another one in its place."""
    if not hasattr(os, "geteuid"):
        return True
    found, above = folder.lstat(), folder.parent.stat()
    ours = stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & OTHERS
    replaceable = above.st_mode & (stat.S_IWGRP | stat.S_IWOTH) and not above.st_mode & stat.S_ISVTX
    return ours and not replaceable


def _keep_in(folder: Path | None, compiled: Any, config: Any) -> bool:
    """Whether code is now kept in this folder; Numba's setting is as before afterwards."""
    if folder is None:
        return False
    with _setting:
        before, config.CACHE_DIR = config.CACHE_DIR, str(folder)
        try:
            compiled.enable_caching()
        except RuntimeError:
            return False
        finally:
            config.CACHE_DIR = before
    return True


def _or_none(cache: Any, method: Callable[..., Any], kind: type[Exception]) -> Callable[..., Any]:
    """A method of a cache that gives None where the disk fails, and lets the cache be from then on."""

    def guarded(*args: Any) -> Any:
        try:
            return method(*args)
        except kind as error:
            cache.disable()
            _say_once(str(error))
            return None

    return guarded


def _say_once(why: str) -> None:
    """Warn that code is not kept, once, and not in worker processes, whose caller has said it."""
    if _said.is_set() or multiprocessing.parent_process() is not None:
        return
    _said.set()
    warn_user(
        f"compiled kernels cannot be kept on disk, so that each process compiles them anew ({why}): set "
        "NUMBA_CACHE_DIR to a folder that you can write"
    )

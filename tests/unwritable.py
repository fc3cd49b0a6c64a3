"""A copy of fastgrad that nobody can write, and processes for which permissions count, of root's too."""

from __future__ import annotations

import ctypes
import os
import shutil
import sys
from pathlib import Path

import fastgrad

PR_CAPBSET_DROP = 24
"""prctl's number for giving up a capability for good."""

CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH = 1, 2
"""What lets root read and write what its permissions deny."""

NOBODY = 65534
"""The user that has no files, where root cannot give up what makes it root."""


def unwritable_copy(folder):
    """The path of a read-only installation in a folder, and of a home that cannot be written."""
    site, home = Path(folder) / "site", Path(folder) / "home"
    source = Path(fastgrad.__file__).parent
    shutil.copytree(source, site / "fastgrad", ignore=shutil.ignore_patterns("__pycache__"))
    home.mkdir()
    for path in (*site.rglob("*"), site, home):
        path.chmod(0o555 if path.is_dir() else 0o444)
    return site, home


def writable_again(folder):
    """Let a folder be deleted by a user who is not root."""
    for path in (Path(folder), *Path(folder).rglob("*")):
        if path.is_dir() and not path.is_symlink():
            path.chmod(0o700)


def heed_permissions():
    """Make this process heed the permissions of files, also where it is root's; for preexec_fn."""
    if os.geteuid() != 0:
        return
    capabilities = (CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH)
    if sys.platform == "linux":
        libc = ctypes.CDLL(None)
        if all(libc.prctl(PR_CAPBSET_DROP, one, 0, 0, 0) == 0 for one in capabilities):
            return  # from the next exec on, root is a user like others
    os.setgroups([])
    os.setuid(NOBODY)


def surroundings_of(site, home, temporary):
    """An environment in which Numba finds no folder for its cache but the temporary one."""
    hidden = ("NUMBA_CACHE_DIR", "XDG_CACHE_HOME", "FASTGRAD_NUMBA_CACHE", "PYTHONPATH")
    kept = {name: value for name, value in os.environ.items() if name not in hidden}
    return {**kept, "PYTHONPATH": str(site), "HOME": str(home), "TMPDIR": str(temporary)}

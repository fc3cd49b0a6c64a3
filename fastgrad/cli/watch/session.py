"""The loop of `fastgrad watch`: a check at once, and one after each save, until Ctrl-C.

cli/main.py calls `watch` with a function that makes one check as `fastgrad check` does.
"""

from __future__ import annotations

import contextlib
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from importlib.util import find_spec
from pathlib import Path

from fastgrad.cli.signals import INTERRUPTED, Interrupts
from fastgrad.cli.targets import load_target
from fastgrad.cli.watch.one_check import Check, OneCheck
from fastgrad.cli.watch.saves import require_watchfiles, rounds
from fastgrad.cli.watch.screen import Outcome, Screen
from fastgrad.cli.watch.sources import LIBRARIES, Sources
from fastgrad.errors import InputError


def watch(
    target: str,
    check: Check,
    interrupts: Interrupts,
    *,
    full: bool = False,
    clear: bool = False,
) -> int:
    """Check again after each save, and return the exit status when Ctrl-C ends it.

    Parameters
    ----------
    target : as for `fastgrad check`
    check : loads the target by what it is given, and checks it
    interrupts : the signals that end the command
    full, clear : as Screen takes them

    Raises
    ------
    InputError
        Where there is nothing that could be watched.
    """
    require_watchfiles()
    sources = sources_of(target)
    screen = Screen(sys.stdout, sources.root, full, clear)
    with tempfile.TemporaryDirectory(prefix="fastgrad-watch-", ignore_cleanup_errors=True) as folder:
        one = OneCheck(check, sources, interrupts, Path(folder))
        with contextlib.suppress(KeyboardInterrupt), sources.watched():
            run_session(one, rounds(sources), screen, lambda: sources.files)
    return INTERRUPTED


def run_session(
    check: Callable[[], Outcome],
    saves: Iterable[Sequence[Path]],
    screen: Screen,
    files: Callable[[], Sequence[Path]],
) -> None:
    """Check once for each round of saves, and show what came of it, and which files are watched.

    Parameters
    ----------
    check : makes one check
    saves : the files that were saved, once for each check; the first are none
    screen : Screen
    files : the files that are watched now
    """
    for saved in saves:
        screen.begin(saved)
        screen.show(check())
        screen.watching(files())


def sources_of(target: str) -> Sources:
    """What is watched for a target: the folder of its file, or that in which its first package is.

    Parameters
    ----------
    target : file.py:name or package.module:name

    Raises
    ------
    InputError
        For a file or a module that is not there, and for a target without a name.
    """
    place = target.rpartition(":")[0]
    if not place:
        load_target(target)  # which says what it holds: no save would mend the command
    if place.endswith(".py"):
        path = Path(place)
        if not path.is_file():
            raise InputError(f"there is no file {path}", code="FG902")
        return Sources(path.resolve().parent, path.absolute())
    return Sources(_folder_of_module(place.partition(".")[0]))


def _folder_of_module(name: str) -> Path:
    sys.path.insert(0, str(Path.cwd()))  # as the check will
    try:
        spec = find_spec(name)
    except (ImportError, ValueError):
        spec = None
    finally:
        sys.path.pop(0)
    places = [] if spec is None else [*(spec.submodule_search_locations or [])] or [spec.origin or ""]
    if not places or not Path(places[0]).exists():
        raise InputError(f"there is no module {name} here, nor a file {name}.py", code="FG902")
    folder = Path(places[0]).parent
    return Path(places[0]) if folder.name in LIBRARIES else folder

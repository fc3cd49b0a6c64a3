"""The loop of `fastgrad watch`: a check at once, and one after each save, until Ctrl-C.

cli/main.py calls `watch` with a function that makes one check as `fastgrad check` does.
"""

from __future__ import annotations

import contextlib
import gc
import os
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from fastgrad.cli.signals import INTERRUPTED, Interrupts, Superseded
from fastgrad.cli.targets import load_target
from fastgrad.cli.tracebacks import said_of
from fastgrad.cli.watch.compiled import nothing_compiled_before
from fastgrad.cli.watch.saves import called_at_a_save, require_watchfiles, rounds
from fastgrad.cli.watch.screen import Outcome, Screen
from fastgrad.cli.watch.sources import LIBRARIES, Sources
from fastgrad.errors import InputError
from fastgrad.execution.budget import INTERRUPTED as STOPPED
from fastgrad.execution.worker_end import end_workers
from fastgrad.problem.problem import Problem
from fastgrad.report.report import Report

Check = Callable[[Callable[[str], Problem]], Report]
"""One check, given what loads its target."""

OUT_OF_DATE = "saved again: this check was left"


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


class OneCheck:
    """Makes one check after the other, each of the sources as they are then.

    Parameters
    ----------
    check : loads the target by what it is given, and checks it
    sources : Sources
    interrupts : the signals that end the command
    scratch : a folder for what is compiled
    """

    def __init__(self, check: Check, sources: Sources, interrupts: Interrupts, scratch: Path) -> None:
        self._scratch = scratch
        self.sources = sources
        self._check = check
        self._interrupts = interrupts
        self._folder = Path.cwd()
        self._path = list(sys.path)

    def __call__(self) -> Outcome:
        """Forget what was imported, and check; a save in the meantime ends it.

        Raises
        ------
        KeyboardInterrupt
            When Ctrl-C, or another signal that ends the command, was received.
        """
        self._begin_anew()
        try:
            outcome = self._outcome()
        except Superseded:
            outcome = Outcome(None, OUT_OF_DATE)
        self._interrupts.raise_if_lost()
        return outcome

    def _begin_anew(self) -> None:
        """Undo what the last check left: modules, workers that have them, the user's folder and path."""
        end_workers()
        os.chdir(self._folder)
        sys.path[:] = self._path
        self.sources.forget()
        gc.collect()  # modules hold data in circles: else there would be two of each for a while

    def _outcome(self) -> Outcome:
        complete = False
        try:
            with (
                self._interrupts.giving_way(),
                called_at_a_save(self.sources, self._interrupts.supersede),
                settings_restored(),
            ):
                report = self._check(self._load)
            complete = True
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # SystemExit too: a script may end itself
            return Outcome(None, said_of(error, users=True))
        finally:
            self.sources.note_modules(complete)
        return Outcome(None, OUT_OF_DATE) if report.stopped == STOPPED else Outcome(report)

    def _load(self, target: str) -> Problem:
        with nothing_compiled_before(self._scratch):
            return load_target(target)


@contextlib.contextmanager
def settings_restored() -> Iterator[None]:
    """What the user's code sets for all, of warnings and NumPy's errors, ends with the check."""
    with warnings.catch_warnings(), np.errstate():
        yield


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
            raise InputError(f"there is no file {path}")
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
        raise InputError(f"there is no module {name} here, nor a file {name}.py")
    folder = Path(places[0]).parent
    return Path(places[0]) if folder.name in LIBRARIES else folder

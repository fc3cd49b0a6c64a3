"""One check of a session: of the sources as they are now, left when they are saved again.

`session` calls it once for each round of saves.
"""

from __future__ import annotations

import contextlib
import gc
import os
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from fastgrad.cli.signals import Interrupts, Superseded
from fastgrad.cli.targets import load_target
from fastgrad.cli.tracebacks import said_of
from fastgrad.cli.watch.compiled import nothing_compiled_before
from fastgrad.cli.watch.saves import called_at_a_save
from fastgrad.cli.watch.screen import Outcome
from fastgrad.cli.watch.sources import Sources
from fastgrad.execution.budget import INTERRUPTED as STOPPED
from fastgrad.execution.worker_end import end_workers
from fastgrad.problem.problem import Problem
from fastgrad.report.report import Report

Check = Callable[[Callable[[str], Problem]], Report]
"""One check, given what loads its target."""

OUT_OF_DATE = "saved again: this check was left"


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
                if report.revisit is not None:
                    report.revisit.let_go()  # what comes next is compared with it: it holds no data meanwhile
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

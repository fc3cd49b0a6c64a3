"""What flags and the ini file say of all checks of a run: budget, seed, the folder of reports.

A keyword of a call goes before a flag, and a flag before the ini file.
"""

from __future__ import annotations

import argparse
import math
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def _seconds(text: str) -> float:
    """A budget as `Options` takes it, said in the words of the command line."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value > 0):
        raise argparse.ArgumentTypeError(f"must be a positive number of seconds; got {text!r}")
    return value


def _seed(text: str) -> int:
    try:
        value = int(text)
    except ValueError:
        value = -1
    if value < 0:
        raise argparse.ArgumentTypeError(f"must be an integer >= 0; got {text!r}")
    return value


FLAGS: dict[str, tuple[str, Callable[[str], Any], str]] = {
    "budget": ("SECONDS", _seconds, "seconds that each check may take; what is known by then is judged"),
    "seed": ("N", _seed, "of every random choice of a check"),
    "report": ("DIR", str, "folder for the report of each check, in files named after the tests"),
}
"""Each flag: how its value is called in the help, how it is read, and what it is for."""


class Settings:
    """What is asked of all checks of a run; a plain class, for pytest makes one where nothing is checked.

    Parameters
    ----------
    config : pytest's

    Attributes
    ----------
    options : the keywords of a check that follow; no progress bar stands among pytest's dots
    folder : where the report of each check is kept; None for nowhere
    worker : the name of this process, where others run the same tests; else empty
    full_trace : whether tracebacks keep the frames of fastgrad

    Raises
    ------
    pytest.UsageError
        For an entry of the ini file that cannot be used, and for a folder that cannot be made.
    """

    def __init__(self, config: pytest.Config) -> None:
        asked = {name: _chosen(config, name) for name in FLAGS}
        self.folder = _folder(config, asked.pop("report"))
        self.options: dict[str, Any] = {"progress": False}
        self.options |= {name: value for name, value in asked.items() if value is not None}
        worker = getattr(config, "workerinput", {})
        self.worker: str = worker["workerid"] if worker.get("fastgrad_each") else ""
        self.full_trace: bool = config.getoption("fulltrace", False)


SETTINGS = pytest.StashKey[Settings]()


def add_options(parser: pytest.Parser) -> None:
    """Add each flag, and the entry of the ini file that says the same."""
    group = parser.getgroup("fastgrad", "checks of gradients")
    for name, (metavar, read, text) in FLAGS.items():
        group.addoption(f"--fastgrad-{name}", metavar=metavar, type=read, help=text)
        parser.addini(f"fastgrad_{name}", f"{text} (--fastgrad-{name})", default="")


def _chosen(config: pytest.Config, name: str) -> Any:
    given = config.getoption(f"fastgrad_{name}")
    if given is not None:
        return given
    entry = config.getini(f"fastgrad_{name}")
    if entry == "":
        return None
    try:
        return FLAGS[name][1](str(entry))
    except argparse.ArgumentTypeError as error:
        raise pytest.UsageError(f"fastgrad_{name} of {config.inipath} {error}") from None


def _folder(config: pytest.Config, given: str | None) -> Path | None:
    """The folder of reports, which is made now: a run of an hour is not to end without them.

    A flag is relative to where pytest was called, an entry of the ini file to that file. An empty flag turns
    the entry off.
    """
    if not given:
        return None
    is_flag = config.getoption("fastgrad_report") is not None
    start = config.invocation_params.dir if is_flag or config.inipath is None else config.inipath.parent
    folder = start / given
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise pytest.UsageError(f"the folder of fastgrad's reports cannot be made: {error}") from None
    return folder

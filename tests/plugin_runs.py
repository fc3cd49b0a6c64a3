"""Runs of pytest in projects of their own, in which fastgrad's plugin is installed as pyproject.toml says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import textwrap
import tomllib
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from subprocesses import LONGEST, surroundings

ROOT = Path(__file__).parents[1]

COSTS = """
    import numpy as np

    def cost(x):
        return float(np.sum(np.sin(x)))

    def gradient(x):
        return np.cos(x)

    def wrong(x):
        return np.cos(x) + (x == x[1]) * 1e-3

    def kinked(x):
        return float(np.sum(np.abs(x)))

    def raising_cost(x):
        raise ZeroDivisionError("of the cost")

    def raising_gradient(x):
        return deeper(x)

    def deeper(x):
        raise LookupError("of the gradient")

    X = np.array([0.5, 1.5, 2.5])
"""
"""A module `costs` that each project has."""


@dataclass(frozen=True)
class Finished:
    """A run that has ended."""

    status: int
    text: str
    folder: Path

    @property
    def summary(self):
        """The lines of the section of fastgrad."""
        found = re.search(r"^=+ fastgrad =+\n(.*?)(?=^=|\Z)", self.text, re.MULTILINE | re.DOTALL)
        return found[1].splitlines() if found else []

    def failure(self, test):
        """The lines that pytest prints of a test that failed."""
        found = re.search(rf"^_+ {test} _+\n(.*?)(?=^[_=]{{5,}} )", self.text, re.MULTILINE | re.DOTALL)
        return found[1].splitlines() if found else []

    def said(self, test):
        """The lines of the exception with which a test failed."""
        return [line[1:].strip() for line in self.failure(test) if line.startswith("E ")]

    def properties(self, test):
        """The properties of a test in junit.xml, as text."""
        root = ElementTree.parse(self.folder / "junit.xml")
        case = next(case for case in root.iter("testcase") if case.get("name") == test)
        return {one.get("name"): one.get("value") for one in case.iter("property")}


def project(folder, *, ini="", **files):
    """A folder with tests, and beside it the metadata that tell pytest of the plugin.

    Parameters
    ----------
    folder : to be made
    ini : what stands below [pytest]
    files : the text of each module, by name
    """
    folder = Path(folder)
    site = folder / "site" / "fastgrad-0.dist-info"
    site.mkdir(parents=True)
    points = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]["pytest11"]
    lines = [f"{name} = {module}" for name, module in points.items()]
    (site / "entry_points.txt").write_text("\n".join(["[pytest11]", *lines]))
    (site / "METADATA").write_text("Metadata-Version: 2.1\nName: fastgrad\nVersion: 0\n")
    (site / "RECORD").write_text("fastgrad/__init__.py,,\n")  # from which pytest knows what to rewrite
    (folder / "pytest.ini").write_text(f"[pytest]\n{textwrap.dedent(ini)}")
    for name, text in {"costs": COSTS, **files}.items():
        (folder / f"{name}.py").write_text(textwrap.dedent(text))
    return folder


def command_and_environment(folder, *arguments):
    """How pytest is started in a project."""
    environment = surroundings()
    path = [str(Path(folder) / "site"), environment["PYTHONPATH"]]
    environment |= {"PYTHONPATH": os.pathsep.join(path), "COLUMNS": "200"}
    environment.pop("PYTEST_ADDOPTS", None)
    return [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *map(str, arguments)], environment


def run(folder, *arguments):
    """Run the tests of a project."""
    command, environment = command_and_environment(folder, *arguments)
    done = subprocess.run(
        command, env=environment, cwd=folder, capture_output=True, text=True, timeout=LONGEST, check=False
    )
    return Finished(done.returncode, done.stdout + done.stderr, Path(folder))

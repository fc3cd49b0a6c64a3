"""The reports of a run in a folder, in files named after their tests: an artefact of CI."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fastgrad.report.report import Report

LONGEST = 120
"""Characters of a test's name in a file's name: with the rest it stays below the 255 that are allowed."""

DIGITS = 8
"""Hexadecimal digits that tell two tests apart whose names look alike as files: 10^4 tests share none."""


def file_stem(test: str, number: int = 1, worker: str = "") -> str:
    """The name of a check's files, without an ending: the same in every run, and no other test's.

    Parameters
    ----------
    test : pytest's name of the test
    number : which check of the test it is
    worker : the name of this process, where others run the same test

    Examples
    --------
    >>> file_stem("tests/test_loss.py::test_it[a/../b]", 2)
    'tests-test_loss.py-test_it-a-..-b-94df1dd9-2'
    """
    digest = hashlib.sha256(test.encode("utf-8", "surrogatepass")).hexdigest()[:DIGITS]
    readable = re.sub(r"[^A-Za-z0-9_.]+", "-", test).strip("-.")[:LONGEST]
    parts = [readable, digest, *([str(number)] if number > 1 else []), *([worker] if worker else [])]
    return "-".join(parts)


def write_report(report: Report, folder: Path, stem: str, test: str = "") -> str:
    """Write a report as JSON and as HTML; why it could not be written, or nothing.

    A full disk is no reason to lose the verdict of a test.

    Parameters
    ----------
    report : what was found
    folder, stem : where, and the files' name without an ending
    test : pytest's name of the test, for the page
    """
    try:
        report.to_json(folder / f"{stem}.json")
        report.to_html(folder / f"{stem}.html", title=test)
    except OSError as error:
        return str(error)
    return ""

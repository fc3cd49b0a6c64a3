"""Names of files, and reports in them."""

from __future__ import annotations

import re

import pytest
from report_cases import report_of

from fastgrad.pytest_plugin.files import file_stem, write_report

TESTS = [
    "tests/test_a.py::test_b",
    "tests/test_a.py::test_B",
    "tests/test_a.py::TestX::test_b[0.5-x]",
    "tests/test_a.py::TestX::test_b[0.5/x]",
    "tests/test_a.py::TestX::test_b[0.5\\x]",
    "tests/test_a.py::test_b[../../etc/passwd]",
    "tests/test_a.py::test_b[CON:|<>*?\"']",
    "tests/test_a.py::test_b[\x1b[31m\n\x00]",
    "tests/test_a.py::test_b[\u00e9\u4e2d\udcff]",
    "tests/test_a.py::test_b[" + "x" * 500 + "]",
    "tests/test_a.py::test_b[" + "x" * 501 + "]",
    "../../outside.py::test_b",
    "",
]


class TestNames:
    @pytest.mark.parametrize("test", TESTS)
    def test_safe(self, test):
        """A name is one part of a path on any system, is no hidden file, and is not too long."""
        for stem in (file_stem(test), file_stem(test, 12, "gw3")):
            assert re.fullmatch(r"[A-Za-z0-9_.-]{1,200}", stem)
            assert stem[0] not in ".-" or not test

    def test_unique(self):
        """No two tests, checks or workers share a name, where case does not count either."""
        stems = [
            file_stem(test, number, w) for test in TESTS for number in (1, 2) for w in ("", "gw0", "gw1")
        ]
        assert len({stem.lower() for stem in stems}) == len(TESTS) * 6

    def test_the_same_again(self):
        """A test has the same name in every run."""
        assert file_stem("tests/test_a.py::test_b") == "tests-test_a.py-test_b-df9b21a7"


class TestWriting:
    def test_files(self, tmp_path):
        """A report is there as JSON and as a page, and nothing else is."""
        report = report_of({})
        assert write_report(report, tmp_path, "a") == ""
        assert sorted(path.name for path in tmp_path.iterdir()) == ["a.html", "a.json"]
        assert (tmp_path / "a.json").read_text() == report.to_json() + "\n"
        assert (tmp_path / "a.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")

    def test_not_written(self, tmp_path):
        """Why a report could not be written is returned, and not raised."""
        assert "No such file" in write_report(report_of({}), tmp_path / "gone", "a")

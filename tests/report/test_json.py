"""The report as JSON."""

from __future__ import annotations

import json

import numpy as np
import pytest
from report_cases import report_of, undecided_report_of_nothing, wrong

import fastgrad


def strictly(text):
    """JSON as the standard has it: NaN and Infinity are refused."""

    def refuse(constant):
        raise ValueError(constant)

    return json.loads(text, parse_constant=refuse)


class TestJson:
    def test_document(self):
        """The JSON has a format, a version, the verdict, the counts, and every finding and block."""
        document = strictly(wrong().to_json())
        assert (document["format"], document["version"]) == ("fastgrad.report", 2)
        assert document["fastgrad"] == fastgrad.__version__
        assert (document["verdict"], document["wrong_count"], document["undecided_count"]) == (
            "disagree",
            3,
            0,
        )
        assert [w["label"] for w in document["wrong"]] == ["W[0, 1]", "W[1, 2]", "b[2]"]
        assert document["wrong"][0]["index"] == [0, 1]
        assert document["wrong"][0]["claimed"] == 9.0
        assert document["relative_error"] == wrong().relative_error
        assert [b["name"] for b in document["blocks"]] == ["W", "b"]
        assert document["blocks"][0]["worst"]["label"] == "W[0, 1]"
        assert document["coverage"]["sentence"] == "all 9 coordinates"
        assert (document["engine"], document["method"], document["seed"]) == ("python", "central", 0)

    def test_resolution(self):
        """The JSON says how far was to be seen and how far was seen, in all, in blocks and in findings."""
        report = report_of({"b": {0: 0.5}}, resolution=0.125)
        document = strictly(report.to_json())
        assert document["resolution"] == {
            "wanted": 0.125,
            "seen": report.resolution,
            "reason": "",
            "small": 0,
            "zero": 0,
            "together": 0.0,
            "subgradients": 0,
        }
        assert [b["resolution"] for b in document["blocks"]] == [b.resolution for b in report.blocks]
        assert document["wrong"][0]["resolution"] == report.wrong[0].resolution == pytest.approx(1 / 3)
        assert document["wrong"][0]["code"] == report.wrong[0].code == "off"
        assert document["wrong"][0]["reference"] == report.wrong[0].reference == "FG520"
        assert (document["doubt"], document["doubt_reference"]) == ("", "")

    # planted value, what JSON says of it
    NOT_FINITE = ((np.nan, "nan"), (np.inf, "inf"), (-np.inf, "-inf"))

    @pytest.mark.parametrize(("value", "text"), NOT_FINITE)
    def test_non_finite_numbers_are_strings(self, value, text):
        """JSON has no NaN and no infinity: they are strings, and the document stays strict."""
        document = strictly(report_of({"b": {0: value}}).to_json())
        assert document["wrong"][0]["claimed"] == text

    def test_undecided(self):
        """An undecided report is strict too: NaN and inf are strings, the cause is a code and a text."""
        document = strictly(undecided_report_of_nothing().to_json())
        assert document["relative_error"] == "nan"
        assert document["undecided"][0]["numeric"] == "nan"
        assert document["undecided"][0]["resolution"] == "inf"
        assert document["undecided"][0]["code"] == "not_finite"
        assert document["undecided"][0]["cause"].startswith("non-finite: the cost is nan at a[1]")
        assert (document["resolution"]["seen"], document["blocks"][0]["resolution"]) == ("nan", "nan")

    def test_numpy_options(self):
        """Options given as NumPy numbers do not keep the report from becoming JSON."""
        report = report_of({}, coordinates=np.int64(4), seed=np.int64(3), tolerance=np.float64(1e-6))
        assert strictly(report.to_json())["seed"] == 3

    def test_many_findings(self):
        """Of very many wrong coordinates the worst 1,000 are listed, and the count is complete."""
        report = report_of({"W": {k: 1e-4 * 1.005**k for k in range(1500)}}, sizes=[("W", (1500,))])
        document = strictly(report.to_json())
        assert document["wrong_count"] == 1500
        assert len(document["wrong"]) == 1000
        assert document["wrong"][0]["label"] == "W[1499]"

    @pytest.mark.parametrize("as_path", [str, lambda path: path])
    def test_path(self, tmp_path, as_path):
        """Given a path, string or Path, the same text is written there."""
        path = tmp_path / "report.json"
        text = wrong().to_json(as_path(path))
        assert path.read_text(encoding="utf-8") == text + "\n"
        assert strictly(text)["verdict"] == "disagree"

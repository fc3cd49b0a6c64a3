"""The result of a benchmark, as text, as JSON and as a picture."""

from __future__ import annotations

import json
from xml.etree import ElementTree

from bench_cases import RESULT


class TestResult:
    def test_text(self):
        """The table has a row for each engine and number of workers, and says on what it was measured."""
        lines = str(RESULT).splitlines()
        assert [line.split() for line in lines[1:3]] == [
            ["python", "a", "<network>", "1", "1,234", "2,469", "1.00"],
            ["network", "another", "2", "50,000", "100,000", "0.88", "0.50"],
        ]
        assert lines[-1] == "a processor, 2 cores; numpy 2.4; measured in 12 s"

    def test_json(self):
        """The JSON has a version and all rows with their fields."""
        found = json.loads(RESULT.to_json())
        assert (found["version"], len(found["rows"])) == (1, 2)
        assert found["rows"][1] == {
            "engine": "network",
            "problem": "another",
            "workers": 2,
            "coordinates_per_second": 50_000.0,
            "evaluations_per_second": 100_000.0,
            "efficiency": 0.875,
            "share_of_peak": 0.5,
        }

    def test_plot(self, tmp_path):
        """The picture is well-formed SVG that names each engine and its workers."""
        RESULT.plot(tmp_path / "p.svg")
        root = ElementTree.parse(tmp_path / "p.svg").getroot()
        texts = [element.text for element in root.iter() if element.text]
        assert {"python", "network", "1 worker", "2 workers", "1,234", "50,000"} <= set(texts)
        assert "a processor, 2 cores; numpy 2.4" in texts

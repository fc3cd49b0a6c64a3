"""fastgrad bench: what it measures is said in a table, as JSON and as a picture. No test looks at speed."""

from __future__ import annotations

import json
import math
from xml.etree import ElementTree

import numpy as np
import pytest

import fastgrad
from fastgrad.cli.bench.measure import in_turns, run_bench, worker_counts
from fastgrad.cli.bench.problems import PROBLEMS, flops_of_a_weight
from fastgrad.cli.bench.result import BenchResult, Row
from fastgrad.cli.bench.svg import Bar, bar_chart
from fastgrad.differences.plan import make_plan
from fastgrad.differences.stencils import CENTRAL

RESULT = BenchResult(
    (
        Row("python", "a <network>", 1, 1234.5, 2469.0, 1.0),
        Row("network", "another", 2, 50_000.0, 100_000.0, 0.875, 0.5),
    ),
    "a processor, 2 cores",
    {"numpy": "2.4"},
    12.4,
)


@pytest.fixture(scope="module")
def result():
    """A run with next to no work."""
    said = []
    found = run_bench(2, seconds=0.002, say=said.append)
    assert said == [f"the {name} engine" for name in PROBLEMS]
    return found


class TestRun:
    def test_every_engine_and_number_of_workers(self, result):
        """There is a row for each engine with one worker and with two; compiled only where Numba compiles."""
        engines = dict.fromkeys(row.engine for row in result.rows)
        assert set(PROBLEMS) - {"compiled"} <= set(engines) <= set(PROBLEMS)
        assert [(r.engine, r.workers) for r in result.rows] == [(e, w) for e in engines for w in (1, 2)]

    def test_numbers_make_sense(self, result):
        """Rates are positive, an evaluation is half a coordinate, and one worker is fully efficient."""
        for row in result.rows:
            assert row.coordinates_per_second > 0
            assert row.evaluations_per_second == pytest.approx(2 * row.coordinates_per_second)
            assert row.efficiency > 0
            assert row.workers > 1 or row.efficiency == 1.0

    def test_share_of_peak(self, result):
        """The share of BLAS's arithmetic is said once, for the network engine on one worker."""
        assert [(r.engine, r.workers) for r in result.rows if r.share_of_peak] == [("network", 1)]

    def test_not_a_number_of_workers(self):
        """n_jobs=0 is refused with what it may be."""
        with pytest.raises(fastgrad.InputError, match=r"must be 1, 2, \.\.\. or -1 for all cores"):
            run_bench(0)

    @pytest.mark.parametrize(("most", "counts"), [(1, [1]), (2, [1, 2]), (3, [1, 2, 3]), (8, [1, 2, 4, 8])])
    def test_worker_counts(self, most, counts):
        """Numbers of workers double up to the most, which is always among them."""
        assert worker_counts(most) == counts

    def test_in_turns(self):
        """Functions are run one after the other, round by round."""
        calls = []
        seconds = in_turns({k: lambda k=k: calls.append(k) for k in "ab"}, 3)
        assert "".join(calls) == "ababab"
        assert [len(s) for s in seconds.values()] == [3, 3]


class TestProblems:
    @pytest.mark.parametrize("name", PROBLEMS)
    def test_what_is_timed_is_right(self, name):
        """Each engine's differences on its built-in problem are those that the plain cost gives."""
        timed = PROBLEMS[name]()
        if timed is None:
            assert name == "compiled"
            return
        engine = timed.engine
        base = engine.baseline()
        plan = make_plan(engine.parameters, np.array([0, 7], dtype=np.intp), CENTRAL)
        found = engine.values(plan.indices, plan.displacements)
        assert found.shape == (2, 2)
        x = [leaf.copy() for leaf in engine.parameters.leaves]
        for k, i in enumerate(plan.indices):
            for s, by in enumerate(plan.displacements[k]):
                moved = [leaf.copy() for leaf in x]
                moved[0].reshape(-1)[i] += by
                expected = self.plain_cost(name, engine, moved)
                assert found[k, s] + engine.origin == pytest.approx(expected, abs=1e-12 * max(1, abs(base)))

    @staticmethod
    def plain_cost(name, engine, leaves):
        """The cost by the function that the problem was made of."""
        if name == "batched":
            return float(engine.cost(leaves[0][None])[0])
        if name == "network":
            shaped = [leaf.reshape(b.shape) for leaf, b in zip(leaves, engine.parameters.blocks, strict=True)]
            return engine.cost(engine.parameters.build(shaped), *engine.args)
        return float(engine.cost(leaves[0], *engine.args))

    def test_flops(self):
        """One relu weight of 3-2-2: 4 for its lane, 1 for each of 2 outputs, 19 each in the loss."""
        assert flops_of_a_weight((3, 2, 2), "ReLU", 1) == 4 + 2 * 1 + 2 * 19
        assert flops_of_a_weight((3, 2, 2), "ReLU", 10) == 10 * (4 + 2 * 1 + 2 * 19)


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
        assert {"python, 1 worker", "network, 2 workers", "50,000"} <= set(texts)


class TestChart:
    def widths(self, *values):
        """The widths of bars of these values."""
        root = ElementTree.fromstring(bar_chart("t", [Bar(str(v), v, "g", "") for v in values]))
        boxes = [e for e in root.iter() if e.tag.endswith("rect")]
        return [float(box.get("width")) for box in boxes[2:]]

    def test_lengths_are_logarithmic(self):
        """A factor of ten is the same length anywhere, and the smallest has the length of one such factor."""
        assert self.widths(1, 10, 100) == pytest.approx([140, 280, 420], abs=0.1)

    @pytest.mark.parametrize("values", [(), (5.0,), (3.0, 3.0)])
    def test_few_or_equal(self, values):
        """No bar, one bar and equal bars are drawn as such."""
        assert all(math.isclose(width, 420, abs_tol=0.1) for width in self.widths(*values))

    def test_text_is_escaped(self):
        """What means something in XML is shown as it is."""
        picture = bar_chart("a < b & c", [Bar("<x>", 1.0, "g&h", "1")])
        assert ElementTree.fromstring(picture) is not None
        assert "a &lt; b &amp; c" in picture

"""fastgrad bench: what it measures is said in a table, as JSON and as a picture. No test looks at speed."""

from __future__ import annotations

import json
import subprocess
import sys
from xml.etree import ElementTree

import numpy as np
import pytest

import fastgrad
from fastgrad.cli.bench.measure import in_turns, run_bench, worker_counts
from fastgrad.cli.bench.plot import bar_chart, check_drawable, save
from fastgrad.cli.bench.problems import PROBLEMS, flops_of_a_weight
from fastgrad.cli.bench.result import BenchResult, Row
from fastgrad.cli.main import CANNOT_RUN, main
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
        assert {"python", "network", "1 worker", "2 workers", "1,234", "50,000"} <= set(texts)
        assert "a processor, 2 cores; numpy 2.4" in texts


def one_group(values):
    """A group with a row for each value."""
    return {"g": {f"row {k}": value for k, value in enumerate(values)}}


class TestChart:
    def lengths(self, *values, start=None):
        """The lengths of bars of these values, over that of a factor of ten."""
        figure = bar_chart("t", one_group(values), str, start=start)
        (axes,) = figure.axes
        edges = [[(bar.get_x(), 0), (bar.get_x() + bar.get_width(), 0)] for bar in axes.patches]
        (zero, _), (ten, _) = axes.transData.transform([(1, 0), (10, 0)])
        return [np.diff(axes.transData.transform(edge)[:, 0])[0] / (ten - zero) for edge in edges]

    def test_lengths_are_logarithmic(self):
        """A factor of ten is the same length anywhere, and the smallest has the length of one such factor."""
        assert self.lengths(1, 10, 100) == pytest.approx([1, 2, 3])

    def test_start(self):
        """Where a start is given, bars of smaller values go to the left of it."""
        assert self.lengths(100, 1, 0.1, start=1.0) == pytest.approx([2, 0, -1])

    @pytest.mark.parametrize("values", [(), (5.0,), (3.0, 3.0)])
    def test_few_or_equal(self, values, tmp_path):
        """No bar, one bar and equal bars are drawn as such."""
        assert self.lengths(*values) == pytest.approx([1] * len(values))
        save(bar_chart("t", one_group(values), str), tmp_path / "p.svg")

    def test_groups_of_a_row(self):
        """Bars of one row are below one another in the order of the groups, a colour for each group."""
        (axes,) = bar_chart("t", {"a": {"r": 1.0}, "b": {"r": 1.0, "s": 1.0}}, str).axes
        first, second, third = axes.patches
        assert first.get_y() + first.get_height() == pytest.approx(second.get_y())
        assert third.get_y() - second.get_y() == pytest.approx(1)
        colours = [bar.get_facecolor() for bar in axes.patches]
        assert colours[0] != colours[1] == colours[2]

    def test_text_is_escaped(self, tmp_path):
        """What means something in XML or in TeX is shown as it is."""
        save(bar_chart("a < b & c", {"g&h": {"<x>": 1.0}}, "${:.0f}$".format), tmp_path / "p.svg")
        texts = [element.text for element in ElementTree.parse(tmp_path / "p.svg").getroot().iter()]
        assert {"a < b & c", "<x>", "g&h", "$1$"} <= set(texts)

    @pytest.mark.parametrize("ending", ["svg", "pdf", "png"])
    def test_the_same_file(self, ending, tmp_path, monkeypatch):
        """The same chart drawn twice, on another day too, is the same file."""
        drawn = []
        for epoch in ("0", "1000000000"):
            monkeypatch.setenv("SOURCE_DATE_EPOCH", epoch)
            RESULT.plot(tmp_path / f"p.{ending}")
            drawn.append((tmp_path / f"p.{ending}").read_bytes())
        assert drawn[0] == drawn[1]

    @pytest.mark.parametrize(
        ("name", "start"), [("p.png", b"\x89PNG"), ("p.PDF", b"%PDF"), ("p.svg", b"<?xml"), ("p", b"<?xml")]
    )
    def test_kinds(self, name, start, tmp_path):
        """The ending says what kind of file it is; without one it is SVG."""
        RESULT.plot(tmp_path / name)
        assert (tmp_path / name).read_bytes().startswith(start)

    def test_unknown_ending(self):
        """An ending that matplotlib does not know is refused with those that it knows."""
        with pytest.raises(
            fastgrad.InputError, match=r"cannot draw to p\.doc: .* must be one of .*\bpng\b.*svg"
        ):
            RESULT.plot("p.doc")

    def test_without_matplotlib(self, monkeypatch, capsys):
        """Where matplotlib is missing, `--plot` says what to install, before anything is measured."""
        monkeypatch.setitem(sys.modules, "matplotlib", None)
        monkeypatch.setattr("fastgrad.cli.bench.measure.run_bench", lambda *a, **b: pytest.fail("measured"))
        assert main(["bench", "--plot", "p.svg"]) == CANNOT_RUN
        assert capsys.readouterr().err == (
            "fastgrad: drawing needs matplotlib, which is not installed: pip install fastgrad[plot]\n"
        )

    @pytest.mark.parametrize(
        ("name", "reason"), [("missing/p.svg", "No such file or directory"), (".", "Is a directory")]
    )
    def test_unwritable(self, name, reason, tmp_path, monkeypatch, capsys):
        """A path that cannot be written is refused by name, with status 2, before anything is measured."""
        monkeypatch.setattr("fastgrad.cli.bench.measure.run_bench", lambda *a, **b: pytest.fail("measured"))
        path = tmp_path / name
        assert main(["bench", "--plot", str(path)]) == CANNOT_RUN
        assert capsys.readouterr().err == f"fastgrad: cannot write {path}: {reason}\n"

    def test_unwritable_in_the_end(self, tmp_path):
        """A path that could be written before the measuring and cannot be any more is refused alike."""
        with pytest.raises(fastgrad.InputError, match=r"cannot write .*: No such file or directory"):
            RESULT.plot(tmp_path / "gone" / "p.svg")

    def test_asking_changes_no_file(self, tmp_path):
        """Asking whether a path can be written leaves a file as it was, and makes none."""
        path = tmp_path / "p.svg"
        check_drawable(path)
        assert not path.exists()
        path.write_text("kept")
        check_drawable(path)
        assert path.read_text() == "kept"

    def test_no_global_state(self, tmp_path):
        """Drawing loads no pyplot and leaves matplotlib's settings as they are."""
        code = (
            "import sys, matplotlib\n"
            "before = matplotlib.rcParams.copy()\n"
            "from fastgrad.cli.bench.plot import bar_chart, save\n"
            "save(bar_chart('t', {'g': {'r': 1.0}}, str), sys.argv[1])\n"
            "assert 'matplotlib.pyplot' not in sys.modules\n"
            "assert matplotlib.rcParams.copy() == before\n"
        )
        subprocess.run([sys.executable, "-c", code, str(tmp_path / "p.svg")], check=True)

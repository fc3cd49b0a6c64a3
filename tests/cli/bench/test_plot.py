"""Bars on a logarithmic scale, the same file each time, without global state."""

from __future__ import annotations

import sys
from xml.etree import ElementTree

import numpy as np
import pytest
from bench_cases import RESULT
from subprocesses import output_of

import fastgrad
from fastgrad.cli.bench.plot import bar_chart, check_drawable, save
from fastgrad.cli.main import CANNOT_RUN, main


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
            "fastgrad: drawing needs matplotlib, which is not installed: pip install fastgrad[plot] [FG905]\n"
        )

    @pytest.mark.parametrize(
        ("name", "reason"), [("missing/p.svg", "No such file or directory"), (".", "Is a directory")]
    )
    def test_unwritable(self, name, reason, tmp_path, monkeypatch, capsys):
        """A path that cannot be written is refused by name, with status 2, before anything is measured."""
        monkeypatch.setattr("fastgrad.cli.bench.measure.run_bench", lambda *a, **b: pytest.fail("measured"))
        path = tmp_path / name
        assert main(["bench", "--plot", str(path)]) == CANNOT_RUN
        assert capsys.readouterr().err == f"fastgrad: cannot write {path}: {reason} [FG904]\n"

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
        output_of([sys.executable, "-c", code, str(tmp_path / "p.svg")])

"""The report: the verdict first, every name and number whole, and the same as data and as JSON."""

from __future__ import annotations

import functools
import json
import pickle
import re

import numpy as np
import pytest
import rich.console

import fastgrad
from fastgrad.report import findings
from fastgrad.report.text import BLOCKS_SHOWN, WORST_SHOWN


def linear(slopes):
    """A cost whose gradient is `slopes` everywhere, block by block."""

    def cost(p):
        return sum(float(np.sum(slopes[name] * p[name])) for name in slopes)

    return cost


def report_of(planted, sizes=(("W", (2, 3)), ("b", (3,))), **options):
    """The report on a gradient of ones with errors at some places: {block: {index: added}}."""
    params = {name: np.zeros(shape) for name, shape in sizes}
    right = {name: np.ones(shape) for name, shape in sizes}
    claimed = {name: g.copy() for name, g in right.items()}
    for name, errors in planted.items():
        for index, error in errors.items():
            claimed[name][index] += error
    return fastgrad.check_gradient(linear(right), claimed, params, **options)


def log_cost(p):
    """A cost that is NaN below zero."""
    with np.errstate(invalid="ignore"):
        return float(p["a"][0] + np.sqrt(p["a"][1]))


def undecided_report():
    """The report on a cost that is not finite beside a[1] = 0."""
    return fastgrad.check_gradient(log_cost, {"a": np.ones(2)}, {"a": np.array([1.0, 0.0])})


@functools.cache
def agreeing():
    """The report on a right gradient."""
    return report_of({})


@functools.cache
def wrong():
    """The report on a gradient with three wrong entries."""
    return report_of({"W": {(1, 2): 0.5, (0, 1): 8.0}, "b": {2: -0.25}})


def row(report, start):
    """The words of the line of the text that starts with these."""
    [line] = [line for line in str(report).splitlines() if line.startswith(start)]
    return line.split()


class TestText:
    # what makes the report, its first line
    HEADLINES = (
        (agreeing, "AGREE: the gradient is right at all 9 coordinates."),
        (
            lambda: report_of({}, coordinates=4, seed=3),
            "AGREE: the gradient is right at 4 of 9 coordinates, drawn without replacement from every block, "
            "seed 3.",
        ),
        (
            wrong,
            "DISAGREE: 3 of 9 checked coordinates are wrong; the worst is W[0, 1]: claimed 9, numeric 1.",
        ),
        (
            lambda: report_of({"b": {1: 1.5}}),
            "DISAGREE: 1 of 9 checked coordinates is wrong; it is b[1]: claimed 2.5, numeric 1.",
        ),
        (
            lambda: report_of({"b": {1: np.nan}}),
            "DISAGREE: 1 of 9 checked coordinates is wrong; it is b[1]: claimed nan, numeric 1.",
        ),
        (
            undecided_report,
            "UNDECIDED: 1 of 2 checked coordinates could not be decided, none is known to be wrong.",
        ),
    )

    @pytest.mark.parametrize(("make", "first"), HEADLINES)
    def test_verdict_first(self, make, first):
        """The first line is the verdict, with its numbers, and on failure the worst coordinate."""
        assert str(make()).splitlines()[0] == first

    def test_order_of_parts(self):
        """After the verdict come relative error, blocks, worst coordinates, and how it was done."""
        text = str(wrong())
        places = [
            text.index(part)
            for part in (
                "DISAGREE",
                "relative error ||g",
                "\nblock ",
                "\nworst coordinates\n",
                "\nchecked all 9",
            )
        ]
        assert places == sorted(places)

    def test_block_rows(self):
        """A row a block: name, shape, checked, wrong, undecided, relative error, its bound, worst."""
        assert row(wrong(), "W ")[:7] == ["W", "(2,", "3)", "all", "6", "2", "0"]
        assert row(wrong(), "W ")[9:] == ["W[0,", "1]", "disagree"]
        first = wrong().blocks[0]
        assert float(row(wrong(), "W ")[7]) == pytest.approx(first.relative_error, rel=0.01)
        assert float(row(wrong(), "W ")[8]) == pytest.approx(first.relative_error_interval[1], rel=0.06)
        assert row(agreeing(), "b ")[-1] == "agree"

    def test_sampled_and_unchecked_blocks(self):
        """A block's row says how many of how many were checked; one without any is not called right."""
        report = report_of({}, coordinates=[0, 1])
        assert row(report, "W ")[3:6] == ["2", "of", "6"]
        assert row(report, "b ")[-2:] == ["not", "checked"]
        assert "not one in b" in str(report)

    def test_worst_coordinates(self):
        """A wrong coordinate's row has claim, estimate, absolute and relative error, what was allowed."""
        words = row(wrong(), "W[0, 1]")
        where, numbers = words[:2], [float(w) for w in words[2:]]
        worst = wrong().wrong[0]
        assert where == ["W[0,", "1]"]
        assert numbers == [
            pytest.approx(v, rel=0.01) for v in (9.0, 1.0, 8.0, worst.allowed, 8.0 / 10.0, worst.error_bound)
        ]

    def test_worst_first_and_the_rest_counted(self):
        """Only the worst are listed, worst first, and how many more there are is said."""
        errors = {k: 0.5 + k for k in range(25)}
        text = str(report_of({"W": errors}, sizes=[("W", (25,))]))
        listed = re.findall(r"^W\[(\d+)\]", text, re.MULTILINE)
        assert [int(k) for k in listed] == list(range(24, 24 - WORST_SHOWN, -1))
        assert f"\n... and {25 - WORST_SHOWN} more\n" in text

    def test_nothing_wrong_nothing_listed(self):
        """An agreeing report has no list of worst coordinates and no undecided ones."""
        assert "worst coordinates" not in str(agreeing())
        assert "\nundecided\n" not in str(agreeing())

    def test_undecided_with_cause(self):
        """An undecided coordinate is listed with its cause."""
        assert re.search(
            r"^undecided\na\[1\]: non-finite: the cost is nan at a\[1\] - [0-9.e-]+$",
            str(undecided_report()),
            re.MULTILINE,
        )

    def test_footer(self):
        """The end says by which method and rule, how many evaluations, engine, workers and cost."""
        text = str(wrong())
        assert (
            "\nby central differences; a coordinate agrees if |claimed - numeric| + bound <= allowed" in text
        )
        assert re.search(
            r"^\d+ evaluations in \d+\.\d\d s, python engine, 1 worker; the cost is 0$", text, re.MULTILINE
        )

    @pytest.mark.parametrize("count", [60, 200])
    def test_many_blocks(self, count):
        """Of many blocks the wrong ones are always shown, in the user's order, and the hidden are counted."""
        sizes = [(f"layer{k}.weight", (2,)) for k in range(count)]
        bad = [f"layer{k}.weight" for k in (count - 1, count // 2)]
        text = str(report_of({name: {1: 3.0} for name in bad}, sizes=sizes))
        rows = re.findall(r"^layer(\d+)\.weight  .*?(disagree|agree)$", text, re.MULTILINE)
        assert len(rows) == BLOCKS_SHOWN
        assert [int(k) for k, verdict in rows if verdict == "disagree"] == [count // 2, count - 1]
        assert [int(k) for k, _ in rows] == sorted(int(k) for k, _ in rows)
        assert f"\n... and {count - BLOCKS_SHOWN} more with as many or fewer wrong\n" in text

    def test_as_many_blocks_as_are_shown(self):
        """Where all blocks fit, none is said to be hidden."""
        text = str(report_of({}, sizes=[(f"b{k}", (1,)) for k in range(BLOCKS_SHOWN)]))
        assert "or fewer wrong" not in text

    # names that a terminal library may take for something else
    STRANGE = ("a[red]b[/red]", "[bold]", "[/]", "x:b:y", ":key:", "back\\slash", "%s {0}", "layer 1")

    @pytest.mark.parametrize("name", STRANGE)
    def test_names_are_left_alone(self, name):
        """A block's name is printed letter by letter, whatever it looks like."""
        text = str(report_of({name: {1: 1.0}}, sizes=[(name, (2,))]))
        lines = text.splitlines()
        assert f"it is {name}[1]: claimed 2" in lines[0]
        assert [line.startswith((f"{name}  ", f"{name}[1]  ")) for line in lines].count(True) == 2

    def test_long_names_and_numbers_are_whole(self):
        """However long the names are, no label and no number is cut."""
        name = "encoder.layers[11].attention.self.query.weight.of.the.left.tower"
        text = str(
            report_of({name: {(100, 200): 1e-3}}, sizes=[(name, (101, 201))], coordinates=[20300, 20299])
        )
        [block] = [line for line in text.splitlines() if line.startswith(f"{name}  ")]
        [worst] = [line for line in text.splitlines() if line.startswith(f"{name}[100, 200]  ")]
        assert f"{name}[100, 200]" in block
        assert block.endswith("disagree")
        assert "1.001" in worst.split()
        assert "\u2026" not in text

    def test_ascii(self):
        """With plain names the text is plain ASCII, for log files and old terminals."""
        for report in (agreeing(), wrong(), undecided_report()):
            assert str(report).isascii()
            assert not any(line.endswith(" ") for line in str(report).splitlines())

    def test_same_in_a_notebook(self, monkeypatch):
        """In a notebook the text is the same: nothing is displayed on the side and missing in the string."""
        plain = str(wrong())
        monkeypatch.setattr(rich.console, "_is_jupyter", lambda: True)
        assert str(wrong()) == plain

    def test_same_on_a_colour_terminal(self, monkeypatch):
        """The environment's wishes for colours and widths do not reach the text."""
        plain = str(wrong())
        for variable, value in {"FORCE_COLOR": "1", "COLUMNS": "40", "TERM": "xterm-256color"}.items():
            monkeypatch.setenv(variable, value)
        assert str(wrong()) == plain

    def test_repr(self):
        """The repr is one line with the verdict and the counts."""
        assert re.fullmatch(
            r"<fastgrad\.Report: disagree, 3 wrong and 0 undecided of 9, relative error [0-9.e-]+>",
            repr(wrong()),
        )


class TestFindings:
    def test_worst_first(self):
        """The wrong coordinates come worst first, each with block, index, claim, estimate and errors."""
        assert [f.label for f in wrong().wrong] == ["W[0, 1]", "W[1, 2]", "b[2]"]
        worst = wrong().wrong[0]
        assert (worst.block, worst.index, worst.flat_index) == ("W", (0, 1), 1)
        assert (worst.claimed, worst.numeric) == (9.0, pytest.approx(1.0))
        assert worst.absolute_error == pytest.approx(8.0)
        assert worst.relative_error == pytest.approx(0.8)
        assert worst.absolute_error > worst.allowed > worst.error_bound > 0
        assert worst.cause.startswith("off by 8: more than the 9e-06 that is allowed, even at the end of")

    def test_a_claimed_nan_is_worst_of_all(self):
        """A claimed NaN comes before every finite error, and says what it is."""
        report = report_of({"W": {(0, 0): 1e9}, "b": {0: np.nan}})
        assert [f.label for f in report.wrong] == ["b[0]", "W[0, 0]"]
        assert report.wrong[0].cause == "the claimed gradient is nan"

    def test_is_a_sequence(self):
        """Findings have a length, slices, negative indices, and an end."""
        found = wrong().wrong
        assert len(found) == 3
        assert found[-1].label == "b[2]"
        assert [f.label for f in found[1:]] == ["W[1, 2]", "b[2]"]
        assert [f.label for f in found[::-1]] == ["b[2]", "W[1, 2]", "W[0, 1]"]
        assert len(found[5:]) == 0
        assert found[0] in found
        with pytest.raises(IndexError):
            found[3]

    def test_empty_is_false(self):
        """Where nothing is wrong `if report.wrong` is false."""
        assert not agreeing().wrong
        assert not agreeing().undecided
        assert wrong().wrong

    def test_repr(self):
        """The repr has the count and the first labels."""
        assert repr(wrong().wrong) == "<3 coordinates: W[0, 1], W[1, 2], b[2]>"
        assert repr(agreeing().wrong) == "<0 coordinates>"

    # claimed, numeric, |g - d| / |g + d|
    ERRORS = (
        (0.0, 0.0, 0.0),
        (3.0, 1.0, 0.5),
        (1.0, -1.0, np.inf),
        (np.nan, 1.0, np.nan),
        (np.inf, 1.0, np.nan),
    )

    @pytest.mark.parametrize(("claimed", "numeric", "expected"), ERRORS)
    def test_relative_error(self, claimed, numeric, expected):
        """A finding's relative error is the classic one, 0 for two zeros, inf for opposites."""
        finding = findings.Finding("W", (0,), 0, "W[0]", claimed, numeric, 0.0, 0.0, "")
        assert finding.relative_error == pytest.approx(expected, nan_ok=True)


class TestBlockRows:
    def test_one_for_each_block(self):
        """The rows come in the user's order with counts, errors and the worst coordinate."""
        W, b = wrong().blocks
        assert (W.name, W.shape, W.size, W.checked, W.wrong, W.undecided) == ("W", (2, 3), 6, 6, 2, 0)
        assert (b.name, b.shape, b.size, b.checked, b.wrong, b.undecided) == ("b", (3,), 3, 3, 1, 0)
        assert (W.worst.label, b.worst.label) == ("W[0, 1]", "b[2]")
        assert b.relative_error == pytest.approx(0.25 / np.sqrt(4 + 4 + 1.75**2), rel=1e-6)

    def test_verdicts(self):
        """A block's verdict is of its own coordinates; unchecked is undecided, and an empty block agrees."""
        report = report_of(
            {"b": {0: 1.0}}, sizes=[("W", (2,)), ("b", (1,)), ("c", (2,)), ("e", (0,))], coordinates=[0, 2]
        )
        assert [row.verdict for row in report.blocks] == ["agree", "disagree", "undecided", "agree"]

    def test_overall_relative_error_is_of_what_is_known(self):
        """The relative error leaves out what has no numeric value, and is NaN where nothing has one."""
        assert undecided_report().relative_error < 1e-8
        assert np.isnan(undecided_report_of_nothing().relative_error)


def undecided_report_of_nothing():
    """The report on the one coordinate whose difference is not finite."""
    return fastgrad.check_gradient(log_cost, {"a": np.ones(2)}, {"a": np.array([1.0, 0.0])}, coordinates=[1])


def strictly(text):
    """JSON as the standard has it: NaN and Infinity are refused."""

    def refuse(constant):
        raise ValueError(constant)

    return json.loads(text, parse_constant=refuse)


class TestJson:
    def test_document(self):
        """The JSON has a format, a version, the verdict, the counts, and every finding and block."""
        document = strictly(wrong().to_json())
        assert (document["format"], document["version"]) == ("fastgrad.report", 1)
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

    # planted value, what JSON says of it
    NOT_FINITE = ((np.nan, "nan"), (np.inf, "inf"), (-np.inf, "-inf"))

    @pytest.mark.parametrize(("value", "text"), NOT_FINITE)
    def test_non_finite_numbers_are_strings(self, value, text):
        """JSON has no NaN and no infinity: they are strings, and the document stays strict."""
        document = strictly(report_of({"b": {0: value}}).to_json())
        assert document["wrong"][0]["claimed"] == text

    def test_undecided(self):
        """An undecided report is strict too, with its NaNs as strings and the cause as text."""
        document = strictly(undecided_report_of_nothing().to_json())
        assert document["relative_error"] == "nan"
        assert document["undecided"][0]["numeric"] == "nan"
        assert document["undecided"][0]["cause"].startswith("non-finite: the cost is nan at a[1]")

    def test_numpy_options(self):
        """Options given as NumPy numbers do not keep the report from becoming JSON."""
        report = report_of({}, coordinates=np.int64(4), seed=np.int64(3), tolerance=np.float64(1e-6))
        assert strictly(report.to_json())["seed"] == 3

    def test_many_findings(self):
        """Of very many wrong coordinates the worst 1,000 are listed, and the count is complete."""
        report = report_of({"W": {k: 1.0 + k for k in range(1500)}}, sizes=[("W", (1500,))])
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


class TestReport:
    def test_flat_arrays(self):
        """The flat arrays hold indices, claims, estimates and bounds of the checked coordinates."""
        report = report_of({"b": {0: 0.5}}, coordinates=[6, 2])
        assert report.indices.tolist() == [2, 6]
        assert report.claimed.tolist() == [1.0, 1.5]
        assert report.numeric.tolist() == pytest.approx([1.0, 1.0])
        assert (np.abs(report.numeric - 1) <= report.error_bound).all()

    @pytest.mark.parametrize(
        ("make", "passed"), [(agreeing, True), (wrong, False), (undecided_report, False)]
    )
    def test_passed(self, make, passed):
        """Only "agree" is passed."""
        assert make().passed is passed

    def test_raise_if_failed(self):
        """A failed report raises its own text; one that agrees does nothing."""
        agreeing().raise_if_failed()
        for report in (wrong(), undecided_report()):
            with pytest.raises(fastgrad.GradientError) as error:
                report.raise_if_failed()
            assert str(report) in str(error.value)
            assert error.value.report is report

    def test_survives_pickling(self):
        """A report reaches another process whole, with its text and its findings."""
        other = pickle.loads(pickle.dumps(wrong()))
        assert str(other) == str(wrong())
        assert list(other.wrong) == list(wrong().wrong)
        assert other.to_json() == wrong().to_json()

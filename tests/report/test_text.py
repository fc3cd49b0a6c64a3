"""The report as text."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
import rich.console
from report_cases import agreeing, report_of, row, undecided_report, wrong

import fastgrad
from fastgrad.report.text import BLOCKS_SHOWN, WORST_IN_SHORT, WORST_SHOWN, to_short_text


class TestText:
    # what makes the report, its first line but for how far was seen
    HEADLINES = (
        (agreeing, "AGREE to #: the gradient is right at all 9 coordinates."),
        (
            lambda: report_of({}, coordinates=4, seed=3),
            "AGREE to #: the gradient is right at 4 of 9 coordinates, drawn without replacement from every "
            "block, seed 3.",
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
        report = make()
        shown = first.replace("#", f"{report.resolution:.0e}")
        assert str(report).splitlines()[0] == shown

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
        """A row a block: name, shape, counts, relative error, its bound, how far was seen, worst, verdict."""
        assert row(wrong(), "W ")[:7] == ["W", "(2,", "3)", "all", "6", "2", "0"]
        assert row(wrong(), "W ")[10:] == ["W[0,", "1]", "disagree"]
        first = wrong().blocks[0]
        assert float(row(wrong(), "W ")[7]) == pytest.approx(first.relative_error, rel=0.01)
        assert float(row(wrong(), "W ")[8]) == pytest.approx(first.relative_error_interval[1], rel=0.06)
        assert row(wrong(), "W ")[9] == f"{first.resolution:.0e}"
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
        """An undecided coordinate is listed with its cause, and with what to do about it."""
        assert re.search(
            r"^undecided\na\[1\]: non-finite: the cost is nan at a\[1\] - [0-9.e-]+; "
            r"move the parameters into its domain \[FG504\]$",
            str(undecided_report()),
            re.MULTILINE,
        )

    def test_footer(self):
        """The end says by which method and rule, how many evaluations, engine, workers and cost."""
        text = str(wrong())
        assert (
            "\nby central differences; a coordinate disagrees if |claimed - numeric| > allowed = bound + the "
            "claim's own rounding + 1e-06 * max(|claimed|, |numeric|), and agrees if it is seen to 0.01 of "
            "itself\n" in text
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


NASTY = (
    "\x1b[31mred\x1b[0m",
    "two\nlines",
    "back\rover",
    "\u202eright to left",
    "no\u200bwidth",
    "\ud800",
    "[bold]x[/bold]",
    "a" * 500,
    "a" * 499 + "b",
    "b" * 200 + "c" + "b" * 200,
    "b" * 200 + "d" + "b" * 200,
)
"""Names that act on a terminal, look like markup, or are too long for a table."""


class TestNames:
    def reports(self):
        """Reports in which such names stand in every place: wrong, undecided, sampled, certified, noted."""
        sizes = [(name, (3,)) for name in NASTY]
        params = {name: np.ones(3) for name in NASTY}

        def cost(p):
            return float(sum((v**2).sum() for v in p.values()))

        yield report_of({name: {1: 1.5} for name in NASTY}, sizes=sizes)
        yield report_of({}, sizes=sizes)
        yield report_of({}, sizes=sizes, coordinates=[0, 1])
        yield report_of({}, sizes=sizes, wrong_fraction=0.5, confidence=0.9)
        for factor in (2.0, 2.1):
            gradient = {name: factor * v for name, v in params.items()}
            yield fastgrad.check_gradient(cost, gradient, params, coordinates=15, probes=3)
        for name in NASTY[:3]:

            def kinked(p, name=name):
                return cost(p) + float(np.abs(p[name] - 1).sum())

            yield fastgrad.check_gradient(kinked, {name: 2 * v for name, v in params.items()}, params)

    def test_nothing_acts_on_a_terminal(self):
        """Whatever the names hold, every character of a report but its own line breaks is printable."""
        for report in self.reports():
            assert all(line.isprintable() for line in str(report).split("\n"))
            assert repr(report).isprintable()
            assert repr(report.wrong).isprintable()

    def test_every_block_has_its_row(self):
        """Each block has one row, of bounded width, that no other block's looks like."""
        report = next(self.reports())
        lines = str(report).split("\n")
        start = next(k for k, line in enumerate(lines) if line.startswith("block "))
        rows = lines[start + 1 : start + 1 + len(NASTY)]
        assert len({row.split("(3,)")[0] for row in rows}) == len(NASTY)
        assert max(map(len, lines)) < 350
        assert lines[start + 1 + len(NASTY)] == ""

    def test_the_headline_is_one_line(self):
        """A line break in a name does not split the verdict."""
        report = report_of({"two\nlines": {1: 1.5}}, sizes=[("two\nlines", (3,))])
        assert str(report).startswith(
            r"DISAGREE: 1 of 3 checked coordinates is wrong; it is two\nlines[1]: claimed 2.5, numeric 1."
        )

    def test_json_has_the_names_themselves(self):
        """JSON, which escapes by itself, has the user's keys."""
        document = json.loads(next(self.reports()).to_json())
        assert [block["name"] for block in document["blocks"]] == list(NASTY)
        assert {finding["block"] for finding in document["wrong"]} == set(NASTY)


class TestShortText:
    def test_a_part_of_the_whole(self):
        """The verdict, the table if asked for, mistakes, the first few coordinates; each as in the text."""
        report = report_of({"W": {(0, 1): 1, (1, 2): 2, (0, 0): 3}, "b": {0: 1}})
        short, whole = to_short_text(report), str(report)
        assert [part.split()[0] for part in short.split("\n\n")] == ["DISAGREE:", "block", "likely", "worst"]
        assert set(short.splitlines()) - set(whole.splitlines()) == {"... and 1 more"}
        assert short.count("[") < whole.count("[")
        assert short.replace(short.split("\n\n")[1] + "\n\n", "") == to_short_text(report, table=False)

    def test_undecided(self):
        """Of undecided coordinates the first few are told, with the reason."""
        assert "undecided\na[1]: " in to_short_text(undecided_report())
        assert WORST_IN_SHORT < WORST_SHOWN

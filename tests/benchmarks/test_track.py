"""What track.py does, on made-up results: summaries, figures, thresholds, tables between markers, a plot."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))

import comparison
import peers_plot
import readme_tables
import saved_runs

ROOT = Path(__file__).parents[2]

MACHINE = {
    "node": "secret-host",
    "machine": "x86_64",
    "python_version": "3.12.1",
    "cpu": {"brand_raw": "Some Processor", "count": 4, "flags": ["sse2", "avx2", "avx512f"]},
}


def raw(median=2e-3, reference=1e-3, name="bench_a.py::bench_it[1]", machine=MACHINE, dirty=False, **extra):
    """What pytest-benchmark would write of one benchmark."""
    bench = {
        "fullname": name,
        "extra_info": {"reference_seconds": reference, **extra},
        "stats": {"median": median, "mean": 5.0, "data": [1.0] * 1000},
    }
    return {
        "machine_info": machine,
        "commit_info": {"id": "0123456789abcdef", "dirty": dirty, "branch": "main"},
        "benchmarks": [bench],
        "datetime": "2030-01-02T03:04:05.678",
    }


def summary(date="2030-01-02T03:04", **of_raw):
    """A summary of such a result."""
    made = saved_runs.summarise(raw(**of_raw), {"numpy": "2.4"}, "scripts/bench")
    return {**made, "date": date}


class TestSummary:
    def test_what_is_kept(self):
        """A summary has medians, figures, the kind of machine, versions, commit and command, and no more."""
        assert summary(median=0.00123456, speed=3.14159, missing=None, goal=">= 3") == {
            "date": "2030-01-02T03:04",
            "commit": "0123456789",
            "machine": "Some Processor, 4 cores, AVX-512",
            "versions": {"python": "3.12.1", "numpy": "2.4"},
            "command": "scripts/bench",
            "reference_seconds": 0.001,
            "benchmarks": {
                "bench_a.py::bench_it[1]": {
                    "median": 0.001235,
                    "reference_seconds": 0.001,
                    "speed": 3.142,
                    "goal": ">= 3",
                }
            },
        }

    def test_a_machine_is_not_named(self):
        """The name of the machine is not kept."""
        assert "secret-host" not in json.dumps(summary())

    def test_uncommitted_changes_are_said(self):
        """A run of a tree with changes says so beside its commit."""
        assert summary(dirty=True)["commit"] == "0123456789 and changes"

    def test_a_run_of_nothing(self):
        """A run without benchmarks has no reference, and is no error."""
        empty = saved_runs.summarise({**raw(), "benchmarks": []}, {}, "scripts/bench")
        assert (empty["reference_seconds"], empty["benchmarks"]) == (None, {})

    def test_written_and_read_again(self, tmp_path):
        """What is saved is read again as it was, in order of dates, runs and trust apart."""
        later, earlier = summary("2030-02-01T00:00"), summary("2030-01-01T00:00")
        for one in (later, earlier):
            saved_runs.save(one, tmp_path)
        saved_runs.save(
            {"date": "2030-01-01T00:00", "commit": "abc", "rules": {"r": {"misses": 1}}}, tmp_path, "trust"
        )
        assert saved_runs.read_history(tmp_path) == [earlier, later]
        assert [t["commit"] for t in saved_runs.read_history(tmp_path, "trust")] == ["abc"]

    def test_one_line_for_each_benchmark(self):
        """The file has a line for each benchmark, so that two of them can be compared by eye."""
        lines = saved_runs.to_lines(summary()).splitlines()
        assert sum("bench_it" in line for line in lines) == 1
        assert len(lines) < 15


class TestFigure:
    @pytest.mark.parametrize(
        ("extra", "name", "merit"),
        [
            ({"speedup_2_workers": 1.9, "evaluations_per_second": 5e4}, "speedup_2_workers", 1.9),
            ({"coordinates_per_second": 5e4}, "coordinates_per_second", 50.0),
            ({"overhead_microseconds": 0.5}, "overhead_microseconds", 2e-3),
            ({"parent_peak_over_vector": 4.0}, "parent_peak_over_vector", 0.25),
            ({"relative_error": 1e-9}, "median", 0.5),
            ({"speedup_2_workers": 0.0}, "median", 0.5),
            ({"speedup_2_workers": True}, "median", 0.5),
        ],
    )
    def test_merit(self, extra, name, merit):
        """Ratios count as they are, seconds and rates in units of the reference kernel, more is better."""
        bench = next(iter(summary(**extra)["benchmarks"].values()))
        found = comparison.figure_of(bench)
        assert found.name == name
        assert found.merit == pytest.approx(merit)

    def test_seconds_without_a_reference(self):
        """Seconds are not compared where no reference kernel was timed."""
        assert comparison.figure_of({"median": 1.0}) is None


class TestComparison:
    def test_a_slower_machine_is_no_change(self):
        """Where everything takes twice as long, the reference kernel too, nothing changed."""
        (change,) = comparison.compare(summary(median=4e-3, reference=2e-3), [summary()])
        assert change.factor == pytest.approx(1.0)

    def test_slower(self):
        """Twice the seconds beside the same reference is half as good, and the sentence has both numbers."""
        (change,) = comparison.compare(summary(median=4e-3), [summary()])
        assert change.factor == pytest.approx(0.5)
        assert str(change) == "WORSE by 2.00: bench_a.py::bench_it[1]: median 0.004, 0.002 before (1 saved)"

    def test_better(self):
        """A larger speed-up is better."""
        (change,) = comparison.compare(summary(speedup_2_workers=1.8), [summary(speedup_2_workers=1.5)])
        assert str(change).startswith("better by 1.20: ")

    def test_other_machines_do_not_count(self):
        """What was saved on another kind of machine is not compared with."""
        other = {**MACHINE, "cpu": {**MACHINE["cpu"], "flags": ["avx2"]}}
        assert comparison.compare(summary(), [summary(machine=other)]) == []
        assert "nothing saved to compare with for Some Processor" in comparison.report(summary(), [])

    def test_other_figures_do_not_count(self):
        """A benchmark that had another figure before is not compared."""
        assert comparison.compare(summary(speedup_2_workers=1.8), [summary()]) == []

    def test_the_median_of_the_last(self):
        """One odd run among the last saved ones does not matter, nor what is older than those."""
        old = [summary(median=9.0)] * 20
        last = [summary(median=m) for m in (2e-3, 2e-3, 9.0, 2e-3, 2e-3)]
        (change,) = comparison.compare(summary(), old + last)
        assert (change.factor, change.runs) == (pytest.approx(1.0), comparison.REMEMBERED)

    @pytest.mark.parametrize(("now", "told"), [(2.19e-3, 0), (2.21e-3, 1), (1.83e-3, 0), (1.81e-3, 1)])
    def test_threshold(self, now, told):
        """More than 10% either way is told, less is not."""
        changes = comparison.compare(summary(median=now), [summary()])
        assert len(comparison.worth_telling(changes)) == told

    def test_worst_first(self):
        """What got worse comes first, the worst of it at the top, then what got better, the best first."""
        factors = [1.5, 0.5, 1.0, 0.8, 3.0]
        changes = [comparison.Change(str(f), "median", 1.0, 1.0, 1, f) for f in factors]
        assert [c.factor for c in comparison.worth_telling(changes)] == [0.5, 0.8, 3.0, 1.5]

    def test_closing_line(self):
        """The last line counts what stayed within 10% and what had no before."""
        now = summary()
        now["benchmarks"]["new"] = now["benchmarks"]["bench_a.py::bench_it[1]"]
        assert comparison.report(now, [summary()]) == "1 of 1 within 10% of before; 1 have no before"


def peer(name, network="8-4-2", speed=100.0, times=2.0, error=1e-9, passes=True, finds=True):
    """What bench_peers writes of one peer."""
    return {
        "network": network,
        "peer": name,
        "workers": 1,
        "coordinates": 50,
        "evaluations": 100,
        "seconds": 0.01,
        **({} if speed is None else {"coordinates_per_second": speed, "times_textbook": times}),
        **({} if error is None else {"relative_error": error}),
        "passes_right": passes,
        "finds_wrong": finds,
    }


class TestTables:
    def peers(self):
        """A summary of three peers, fastgrad not the fastest."""
        rows = [
            peer("fastgrad", speed=12345.0, times=30.0),
            peer("faster", speed=2e6, times=500.0, passes=False),
            peer("one look", speed=None, error=None, finds=False),
        ]
        return {**summary(), "benchmarks": {row["peer"]: row for row in rows}}

    def test_peers(self):
        """The fastest comes first, whoever it is; what is wrong is bold; the caption says where and when."""
        table = readme_tables.peers_table(self.peers())
        assert table.splitlines()[2:5] == [
            "| faster | 1 | 2,000,000 (500) | 2 | 1e-09 | **no** | yes |",
            "| fastgrad | 1 | 12,000 (30) | 2 | 1e-09 | yes | yes |",
            "| one look | 1 | one direction in 10 ms | 2 |  | yes | **no** |",
        ]
        assert table.endswith(
            "`scripts/bench` on 2030-01-02, commit 0123456789; Some Processor, 4 cores, AVX-512; "
            "python 3.12.1, numpy 2.4."
        )

    def test_a_peer_that_ran_on_one_network_only(self):
        """A network on which a peer did not run has an empty cell."""
        both = [peer("a"), peer("a", network="9-9"), peer("b")]
        made = {**summary(), "benchmarks": {str(k): row for k, row in enumerate(both)}}
        assert "| b | 1 | 100 (2) |  | 2 |" in readme_tables.peers_table(made)

    def test_goals(self):
        """Every benchmark with a goal has a row, met or not, and no other has one."""
        made = summary(speedup_2_workers=1.5, goal=">= 1.85")
        made["benchmarks"]["x::bench_other"] = {"median": 1.0}
        lines = readme_tables.goals_table(made).splitlines()
        assert lines[2:4] == ["| `it[1]` | speedup_2_workers | **1.5** | >= 1.85 |", ""]

    def test_goals_of_several_cases(self):
        """Cases of one benchmark with one goal are one row, worst first; a goal may name its figure."""
        made = summary(price_over_smallest=1.1, goal="<= 1.5", warm_seconds=2.0, goal_warm="< 2.5")
        for case, price in ((2, 1.4), (3, 1.2)):
            made["benchmarks"][f"x::bench_it[{case}]"] = {"price_over_smallest": price, "goal": "<= 1.5"}
        assert readme_tables.goals_table(made).splitlines()[2:5] == [
            "| `it (3 cases)` | price_over_smallest | 1.4 to 1.1 | <= 1.5 |",
            "| `it[1]` | warm_seconds | 2 | < 2.5 |",
            "",
        ]

    def test_trust(self):
        """The saved tallies of every rule are rows, undecided shown where any; a bar is no column."""
        tally = {
            "false_alarms": 0,
            "misses": 3,
            "undecided_right": 2,
            "undecided_wrong": 1,
            "inexact": 4,
            "evaluations": 54321,
        }
        certain = {**tally, "undecided_right": 0, "undecided_wrong": 0}
        saved = {
            "date": "2030-01-02T03:04",
            "commit": "abc",
            "right": 5,
            "kinks": 2,
            "inexact": 6,
            "wrong": 7,
        }
        table = readme_tables.trust_table({**saved, "rules": {"ours": tally, "|g - d|": certain}})
        assert "| ours | 0 | 3 | 2 / 1 | 4 | 54,321 |\n| \\|g - d\\| | 0 | 3 |  | 4 | 54,321 |" in table
        assert table.endswith(
            "5 right gradients (2 at kinks or jumps), 6 inexact ones and 7 wrong ones, by `scripts/trust` on "
            "2030-01-02, commit abc."
        )

    def test_between_markers(self):
        """Only what is between the markers of that name is replaced, and twice is as good as once."""
        text = "before <!-- bench: a -->x<!-- /bench --> <!-- bench: b -->y<!-- /bench --> after"
        once = readme_tables.between_markers(text, "b", r"new \1")
        assert (
            once
            == "before <!-- bench: a -->x<!-- /bench --> <!-- bench: b -->\nnew \\1\n<!-- /bench --> after"
        )
        assert readme_tables.between_markers(once, "b", r"new \1") == once

    def test_no_markers(self):
        """A text without the markers is left as it is, and that is said by None."""
        assert readme_tables.between_markers("text", "a", "table") is None

    def test_pages(self, tmp_path, capsys):
        """Tables go between the markers of their pages; one without markers is printed."""
        (tmp_path / "docs").mkdir()
        for page in readme_tables.PAGES:
            (tmp_path / page).write_text("# t\nend\n")
        speed = tmp_path / "docs/speed.md"
        speed.write_text("# t\n<!-- bench: peers -->\n<!-- /bench -->\nend\n")
        saved_runs.save(self.peers(), tmp_path)
        saved_runs.save(summary(date="2030-03-01T00:00", speedup_2_workers=1.5, goal=">= 1.85"), tmp_path)
        readme_tables.write_tables(tmp_path, tmp_path)
        assert "| fastgrad | 1 | 12,000 (30) |" in speed.read_text()
        assert speed.read_text().endswith("<!-- /bench -->\nend\n")
        said = capsys.readouterr().out
        assert "docs/speed.md: wrote the peers table" in said
        assert "docs/speed.md has no <!-- bench: goals -->" in said
        assert "no trust table: nothing was saved for it" in said

    def test_the_last_run_that_has_it(self):
        """A table is made of the last run that has such benchmarks, however many others came after."""
        runs = [self.peers(), summary(date="2031-01-01T00:00")]
        assert list(saved_runs.newest_with(runs, "peer")["benchmarks"]) == ["fastgrad", "faster", "one look"]
        assert saved_runs.newest_with(runs[1:], "peer") is None

    def test_the_saved_pages(self, tmp_path):
        """The tables of the README and docs/ are, byte for byte, what is made of the saved history."""
        (tmp_path / "docs").mkdir()
        committed = {page: (ROOT / page).read_text() for page in readme_tables.PAGES}
        for page, text in committed.items():
            emptied = re.sub(r"(?s)(<!-- bench: \w+ -->).*?(<!-- /bench -->)", r"\1\2", text)
            assert text.count("<!-- bench: ") == len(readme_tables.PAGES[page])
            assert emptied != text
            (tmp_path / page).write_text(emptied)
        readme_tables.write_tables(tmp_path)
        assert {page: (tmp_path / page).read_text() for page in committed} == committed


class TestPlot:
    def test_rows_and_bars(self):
        """Peers that look at coordinates have a row each in the table's order, a bar for each network."""
        both = [
            peer("b", times=2.0),
            peer("a", times=3.0),
            peer("a", "9-9", times=0.5),
            peer("c", speed=None),
        ]
        made = {**summary(), "benchmarks": {str(k): row for k, row in enumerate(both)}}
        (axes,) = peers_plot.peers_plot(made).axes
        assert [label.get_text() for label in axes.get_yticklabels()] == ["a", "b"]
        assert [text.get_text() for text in axes.texts] == ["3", "2", "0.5"]
        # A bar starts at the textbook loop's speed, and goes to the left where a peer is slower.
        assert [bar.get_width() for bar in axes.patches] == [2.0, 1.0, -0.5]

    def test_caption(self):
        """The picture says where and when it was measured."""
        made = {**summary(), "benchmarks": {"a": peer("a")}}
        said = " ".join(peers_plot.peers_plot(made).get_supxlabel().split())
        assert said == readme_tables.caption(made)

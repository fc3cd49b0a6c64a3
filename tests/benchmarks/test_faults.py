"""scripts/faults sees what it looks for: another report, a traceback, and what a check leaves behind."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("resource", reason="limits and signals are those of POSIX")

sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))

import fault_files
import fault_names
import fault_processes
from fault_outcomes import Left, Outcome, Row, report_of
from fault_processes import Trial, assert_parents_only, outcome_of
from fault_target import facts

import fastgrad


class TestTable:
    def test_counts(self):
        """Outcomes are counted by kind; what was raised is wrong, and is quoted below the table."""

        def fails():
            raise ValueError("what happened")

        row = Row("kind").try_all(
            [lambda: Outcome.SAME, lambda: Outcome.REFUSED, lambda: Outcome.SAME, fails]
        )
        assert row.cells() == ("kind", "4", "2", "1", "1", "", "", "")
        assert row.failed
        assert "ValueError: what happened" in report_of([row])

    def test_left(self):
        """What is left is counted, quoted, and makes the row one that failed."""
        row = Row("kind", left=Left()).try_all([lambda: Outcome.SAME])
        assert not row.failed
        row.left.add(Left(processes=["a worker"], memory=["one", "two"]))
        assert row.cells()[-3:] == ("1", "0", "2")
        assert row.failed
        assert "a worker" in report_of([row])

    def test_nothing_tried(self):
        """A kind of which nothing could be tried has not passed."""
        assert Row("kind").failed


class TestOutcome:
    def test_of_a_process(self):
        """The same words are the same report, status 2 with words is a refusal, all else is wrong."""
        same = "begun\nverdict: agree\n"
        assert outcome_of(0, same, "", same) is Outcome.SAME
        assert outcome_of(2, "begun\n", "why", same) is Outcome.REFUSED
        others = [
            (0, "begun\nverdict: disagree\n", ""),
            (1, same, ""),
            (2, "begun\n", ""),
            (-9, "begun\n", ""),
        ]
        for other in [*others, (2, same, "why"), (0, same, "Traceback ...")]:
            with pytest.raises(AssertionError):
                outcome_of(*other, same)

    def test_of_facts(self):
        """Two reports of one check have the same facts; a number with another last digit shows."""
        report, again = (fastgrad.check_gradient(np.sum, np.ones_like, np.ones(3)) for _ in range(2))
        assert facts(report) == facts(again)
        again.numeric.flags.writeable = True
        again.numeric[1] = np.nextafter(again.numeric[1], 2)
        assert facts(report) != facts(again)

    def test_a_workers_traceback(self):
        """The traceback of a check that was interrupted is its own; one of a worker is seen."""
        assert_parents_only("begun\n", "Traceback (most recent call last):\nKeyboardInterrupt\n")
        for words in ("LokyProcess-1 failed with traceback", "joblib/externals/loky/x.py", "Traceback" * 2):
            with pytest.raises(AssertionError):
                assert_parents_only(words, "")


@pytest.fixture(scope="module")
def killed(tmp_path_factory):
    """What a check leaves that is killed half-way."""
    return fault_files.killed(fault_files.checked, tmp_path_factory.mktemp("killed"))


class TestFiles:
    def test_killed(self, killed):
        """A file of half of the values, with what SQLite had beside it, from which a check goes on."""
        assert {"check.db", "check.db-wal"} <= {path.name for path in killed}
        assert fault_files.damaged(killed, bytes, fault_files.checked()) is Outcome.SAME

    @pytest.mark.parametrize("change", fault_files.DAMAGE.values())
    def test_damage(self, change):
        """Each kind of damage changes a file, and leaves most of it."""
        random.seed(0)
        data = random.randbytes(4096)
        found = [change(data) for _ in range(20)]
        assert all(one != data for one in found)
        assert sum(a != b for a, b in zip(data, found[0], strict=False)) <= fault_files.SECTOR

    def test_another_report(self, killed):
        """A damaged file that gave another report would be wrong."""
        with pytest.raises(AssertionError, match="verdict"):
            fault_files.damaged(killed, bytes, fault_files.checked().replace("disagree", "agree"))


class TestLeft:
    def test_a_process_and_a_file(self, monkeypatch):
        """A process that outlives its check is seen and ended, a file in the temporary folder is seen."""
        monkeypatch.setattr(fault_processes, "PATIENCE", 0.5)
        waits = [sys.executable, "-c", "input()"]
        with Trial(1) as trial:
            environment = {**os.environ, fault_processes.MARK: trial.mark}
            (trial.temporary / "forgotten").touch()
            with (
                subprocess.Popen(waits, env=environment, stdin=subprocess.PIPE) as orphan,
                subprocess.Popen([sys.executable, "-c", ""]) as check,
            ):
                trial.note_left(check)
                assert orphan.wait(60) != 0
            assert (len(trial.left.processes), len(trial.left.files)) == (1, 1)


class TestNames:
    @pytest.mark.parametrize("name", fault_names.NAMES[:7])
    def test_a_name_that_is_shown_as_it_is(self, name):
        """A name that reached the reader as it is would be wrong; the report does not show it so."""
        report, ordinary = (str(fault_names.shown(one, 1.01)) for one in (name, "W"))
        fault_names.assert_cannot_deceive(report, ordinary)
        with pytest.raises(AssertionError):
            fault_names.assert_cannot_deceive(f"{report}\n{name}", ordinary)

"""The end of joblib's worker processes."""

from __future__ import annotations

import os
import sys

import joblib
from subprocesses import output_of_python

from fastgrad.execution.worker_end import end_workers


def pids():
    """The processes in which two workers run."""
    return set(joblib.Parallel(n_jobs=2, backend="loky")(joblib.delayed(os.getpid)() for _ in range(8)))


def test_the_next_ones_are_others():
    """No process that worked before works afterwards; without the end they do."""
    before = pids()
    assert pids() <= before
    end_workers()
    assert not pids() & before
    end_workers()


def test_none_is_started():
    """Where there are none, joblib is not even imported."""
    code = """
        import sys
        from fastgrad.execution.worker_end import end_workers
        end_workers()
        print("joblib" in sys.modules)
    """
    assert output_of_python("\n".join(line.strip() for line in code.splitlines())) == "False\n"
    assert "joblib" in sys.modules

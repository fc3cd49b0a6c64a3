"""A run: what was evaluated is put down once, and what it holds is let go at its end."""

from __future__ import annotations

import pytest
import threadpoolctl

from fastgrad.execution.budget import Budget
from fastgrad.execution.checkpoint import Checkpoint
from fastgrad.execution.run import Run
from fastgrad.options import Options


def blas_threads():
    """How many threads each BLAS library may use."""
    return [pool["num_threads"] for pool in threadpoolctl.threadpool_info() if pool["user_api"] == "blas"]


class TestCharge:
    def test_adds_up(self):
        """Each evaluation is put down once, under the purpose that is charged next."""
        run = Run()
        run.budget.spend(30)
        run.charge("set-up")
        run.budget.spend(12)
        run.charge("subset", 5)
        run.charge("set-up")

        assert run.spent == {"set-up": 37, "subset": 5}
        assert sum(run.spent.values()) == run.evaluations == 42


class TestNote:
    def test_each_once(self):
        """A sentence that is noted twice is kept once, in the order of the first time."""
        run = Run()
        run.note("first", "second")
        run.note("second", "third")

        assert run.notes == ["first", "second", "third"]


class TestOf:
    def test_options(self):
        """Workers and budget are those of the options."""
        run = Run.of(Options(n_jobs=2, backend="threading", max_evaluations=50))

        assert (run.n_jobs, run.backend) == (2, "threading")
        assert (run.budget.seconds, run.budget.evaluations) == (None, 50)


class TestEnter:
    def test_lets_go(self, tmp_path):
        """At its end BLAS has its threads again and the checkpoint is closed, after an error too."""
        before = blas_threads()
        with pytest.raises(ZeroDivisionError), Run(budget=Budget()) as run:  # noqa: PT012
            run.keep_in(Checkpoint(tmp_path / "run", {}))
            assert set(blas_threads()) <= {1}
            1 / 0  # noqa: B018

        assert blas_threads() == before
        Checkpoint(tmp_path / "run", {}).close()

    def test_seconds_of_earlier_runs(self, tmp_path):
        """The seconds of the runs that the checkpoint goes on from are counted."""
        with Run() as run:
            run.keep_in(Checkpoint(tmp_path / "run", {}))
            run.checkpoint.seconds = 100.0

            assert 100 <= run.seconds < 160

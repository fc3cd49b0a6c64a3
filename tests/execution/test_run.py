"""A check while it runs: what it may use, and what it has spent."""

from __future__ import annotations

import pytest

from fastgrad.errors import InputError
from fastgrad.execution.budget import Budget
from fastgrad.execution.run import Run
from fastgrad.execution.value_store import NoCheckpoint
from fastgrad.options import Options


class Closing(NoCheckpoint):
    """Knows whether it was closed."""

    closed = False

    def __exit__(self, kind, error, trace):
        self.closed = True


def test_of_options():
    """Workers, budget and progress are those of the options."""
    run = Run.of(Options(n_jobs=3, backend="threading", budget=2.5, max_evaluations=77, progress=False))
    assert (run.n_jobs, run.backend, run.progress.shown) == (3, "threading", False)
    assert (run.budget.seconds, run.budget.evaluations) == (2.5, 77)


def test_charges_add_up_to_all_evaluations():
    """Each evaluation is put down once, under the purpose that was charged next."""
    run = Run(budget=Budget())
    for purpose, count in (("set-up", 30), ("subset", 12), ("set-up", 5)):
        run.budget.spend(count)
        run.charge(purpose)
    assert run.spent == {"set-up": 35, "subset": 12}
    assert sum(run.spent.values()) == run.evaluations == 47


def test_a_part_of_what_was_spent():
    """A part can be charged by its number; the rest goes to who comes next."""
    run = Run()
    run.budget.spend(20)
    run.charge("certificate", 8)
    run.charge("localisation")
    assert run.spent == {"certificate": 8, "localisation": 12}


def test_what_was_resumed():
    """Evaluations made again have a purpose of their own, and are not charged to what comes next."""
    run = Run()
    run.budget.spend(20)
    assert (run.resumed, run.purposes) == ((), {})
    run.resumption.taken, run.resumption.compared = 12_345, 3
    run.charge("coordinates")
    assert run.evaluations == 20
    assert run.purposes == {"coordinates": 20, "comparing with the checkpoint": 3}
    run.checkpoint.name = "runs/check.db"
    assert run.resumed == ("12,345 values came from the checkpoint runs/check.db",)
    run.resumption.taken = 1
    assert run.resumed == ("1 value came from the checkpoint runs/check.db",)


@pytest.mark.parametrize("given", [3, ""])
def test_a_checkpoint_that_cannot_be(given):
    """What cannot be a checkpoint is refused before a run begins."""
    with pytest.raises(InputError, match="checkpoint must be the path of a file"):
        Run.of(Options(checkpoint=given))


@pytest.mark.parametrize("error", [None, ValueError])
def test_the_checkpoint_is_closed(error):
    """Leaving a run closes its checkpoint, by an error too."""
    checkpoint = Closing()

    def check():
        with Run() as run:
            run.keep_in(checkpoint)
            assert run.checkpoint is checkpoint
            if error is not None:
                raise error

    if error is None:
        check()
    else:
        with pytest.raises(error):
            check()
    assert checkpoint.closed


def test_notes_are_kept_once():
    """A note that comes again is not said twice."""
    run = Run()
    run.note("a", "b")
    run.note("b", "c")
    assert run.notes == ["a", "b", "c"]

"""Tracebacks without the frames of fastgrad."""

from __future__ import annotations

import traceback

import joblib
import numpy as np

import fastgrad
from fastgrad.pytest_plugin.frames import hide_own_frames


def raised_by(call, *given, **options):
    """The exception of a call."""
    try:
        call(*given, **options)
    except Exception as error:
        return error.with_traceback(error.__traceback__.tb_next)  # without the frame of this function
    raise AssertionError("nothing was raised")


def files_of(error):
    """The files of an exception's frames: the last part of each path, with its folder."""
    return ["/".join(f.filename.split("/")[-2:]) for f in traceback.extract_tb(error.__traceback__)]


def names_of(error):
    """The functions of an exception's frames."""
    return [frame.name for frame in traceback.extract_tb(error.__traceback__)]


def cost(x):
    """A cost that raises."""
    return deeper(x)


def deeper(x):
    """What the cost calls."""
    raise LookupError(len(x))


def ours(body):
    """A function call(f, x) of a module of fastgrad."""
    lines = "\n".join(f"    {line}" for line in body.splitlines())
    module = {"__name__": "fastgrad.some.module", "InputError": fastgrad.InputError}
    exec(f"def call(f, x):\n{lines}", module)
    return module["call"]


class TestHiding:
    def test_what_the_cost_raises(self):
        """The frames of the user's stay, in their order, and no other."""
        error = raised_by(fastgrad.check_gradient, cost, np.cos, np.ones(3))
        assert len(names_of(error)) > 5
        hide_own_frames(error)
        assert names_of(error) == ["cost", "deeper"]

    def test_lines(self):
        """The frames that stay have the lines on which they were."""
        error = raised_by(fastgrad.check_gradient, cost, np.cos, np.ones(3))
        before = [f for f in traceback.extract_tb(error.__traceback__) if f.name in ("cost", "deeper")]
        hide_own_frames(error)
        assert list(traceback.extract_tb(error.__traceback__)) == before

    def test_of_a_worker(self):
        """Where an exception comes from a worker of joblib's, with its frames as text, ours go as well."""
        error = raised_by(joblib.Parallel(n_jobs=2, backend="threading"), [joblib.delayed(cost)(np.ones(3))])
        assert any("joblib/" in name for name in files_of(error))
        hide_own_frames(error)
        assert names_of(error) == []
        assert "in deeper" in str(error.__cause__)

    def test_refused(self):
        """What fastgrad refuses has no frame of its own."""
        error = raised_by(fastgrad.check_gradient, cost, np.cos, "nonsense")
        hide_own_frames(error)
        assert names_of(error) == []

    def test_causes(self):
        """The user's exception below one of fastgrad's keeps its frames; a cause within fastgrad goes."""
        error = raised_by(
            ours("try: f(x)\nexcept LookupError as e: raise InputError('no', code='FG101') from e"),
            cost,
            "abc",
        )
        hide_own_frames(error)
        assert (names_of(error), names_of(error.__cause__)) == ([], ["cost", "deeper"])
        error = raised_by(
            ours("try: {}[x]\nexcept LookupError as e: raise InputError('no', code='FG101') from e"),
            cost,
            "abc",
        )
        hide_own_frames(error)
        assert error.__cause__ is None
        assert error.__suppress_context__

    def test_a_fault(self):
        """What fails in fastgrad by itself keeps its frames, unless it was called in a wrong way."""
        error = raised_by(ours("{}[x]"), cost, "abc")
        hide_own_frames(error)
        assert names_of(error) == ["call"]
        hide_own_frames(error, called_rightly=False)
        assert names_of(error) == []

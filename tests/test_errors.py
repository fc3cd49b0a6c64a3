"""What fastgrad raises and warns with: of the right kind, fit to travel, pointing at the user's line."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path

import numpy as np
import pytest

import fastgrad
from fastgrad.errors import FastgradWarning, InputError, WorkerError, warn_user
from fastgrad.report.report import GradientError

PACKAGE = Path(fastgrad.__file__).parent


def failed_report():
    """A report that disagrees."""
    return fastgrad.check_gradient(lambda x: float(x @ x), lambda x: 3 * x, np.array([1.0, 2.0]))


class TestKinds:
    @pytest.mark.parametrize(
        ("error", "base"),
        [
            (InputError, ValueError),
            (WorkerError, RuntimeError),
            (GradientError, AssertionError),
            (FastgradWarning, UserWarning),
        ],
    )
    def test_can_be_caught_as_pythons_own(self, error, base):
        """Each can be caught by the name that Python gives to its kind."""
        assert issubclass(error, base)

    @pytest.mark.parametrize("error", [InputError("what came"), WorkerError("died")])
    def test_plain_errors_survive_pickling(self, error):
        """An error that was raised in a worker arrives with its type and text."""
        other = pickle.loads(pickle.dumps(error))
        assert (type(other), str(other)) == (type(error), str(error))

    @pytest.mark.parametrize("kind", [InputError, WorkerError])
    def test_what_they_quote_is_printable(self, kind):
        """An escape sequence that a message quotes does not reach the terminal, nor does a line break.

        Only the traceback of an exception of the user's has lines.
        """
        assert str(kind("got \x1b[2J\u202e\nand more")) == "got \\x1b[2J\\u202e\\nand more"
        assert str(kind("raised:", "line\nand line\x1b")) == "raised:\nline\nand line\\x1b"
        assert str(pickle.loads(pickle.dumps(kind("raised:", "line")))) == "raised:\nline"


class TestGradientError:
    def test_text_is_the_reports(self):
        """The text is the report's, on a line of its own so that its tables stay aligned."""
        report = failed_report()
        assert str(GradientError(report)) == f"\n{report}"

    @pytest.mark.parametrize("travel", [lambda e: pickle.loads(pickle.dumps(e)), copy.copy, copy.deepcopy])
    def test_survives_a_trip(self, travel):
        """Pickled or copied, the error keeps its text and its report."""
        error = GradientError(failed_report())
        other = travel(error)
        assert type(other) is GradientError
        assert str(other) == str(error)
        assert [f.label for f in other.report.wrong] == [f.label for f in error.report.wrong]

    def test_assert_gradient_raises_it(self):
        """assert_gradient raises it for a wrong gradient and returns the report of a right one."""
        x = np.array([1.0, 2.0])
        with pytest.raises(GradientError, match=r"^\nDISAGREE: 2 of 2 checked coordinates are wrong"):
            fastgrad.assert_gradient(lambda x: float(x @ x), lambda x: 3 * x, x)
        assert fastgrad.assert_gradient(lambda x: float(x @ x), lambda x: 2 * x, x).passed


def function_in(file, code, **names):
    """The function `f` that this code defines, as if it stood in a file of that name."""
    exec(compile(code, str(file), "exec"), names)
    return names["f"]


class TestWarnUser:
    def test_points_at_the_line_that_called_fastgrad(self):
        """Calls inside the package are passed over: the warning points at the user's file."""
        inner = function_in(PACKAGE / "parallel.py", "def f(): warn_user('slower')", warn_user=warn_user)
        outer = function_in(PACKAGE / "checks.py", "def f(): inner()", inner=inner)
        with pytest.warns(FastgradWarning, match=r"^slower$") as caught:
            outer()
        assert caught[0].filename == __file__

    @pytest.mark.parametrize("file", ["user.py", f"{PACKAGE}_extras/check.py", f"{PACKAGE}.py"])
    def test_a_neighbour_is_not_the_package(self, file):
        """A user's file whose path only starts like the package's is the user's."""
        user = function_in(file, "def f(): warn_user('slower')", warn_user=warn_user)
        with pytest.warns(FastgradWarning, match=r"^slower$") as caught:
            user()
        assert caught[0].filename == file

    def test_what_it_quotes_is_printable(self):
        """An escape sequence in a warning does not reach the terminal."""
        with pytest.warns(FastgradWarning, match=r"^not \\x1b\[2J$"):
            warn_user("not \x1b[2J")

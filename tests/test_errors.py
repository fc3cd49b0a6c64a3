"""What fastgrad raises and warns with: of the right kind, fit to travel, pointing at the user's line."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path

import numpy as np
import pytest

import fastgrad
from fastgrad.engines.numbers import AnotherCostError, PairReturnedError
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

    @pytest.mark.parametrize("travel", [lambda e: pickle.loads(pickle.dumps(e)), copy.copy, copy.deepcopy])
    @pytest.mark.parametrize(
        "error",
        [
            InputError("what came", code="FG101"),
            InputError("raised:", "line", code="FG903"),
            WorkerError("died", code="FG930"),
            PairReturnedError((1.0, "state")),
            AnotherCostError("another", code="FG607"),
        ],
        ids=repr,
    )
    def test_plain_errors_survive_a_trip(self, error, travel):
        """An error that was raised in a worker arrives with its type, text and code."""
        other = travel(error)
        assert (type(other), str(other), other.code) == (type(error), str(error), error.code)

    def test_code_and_message(self):
        """The text ends with the code, and the message alone is to be had without it."""
        error = InputError("the parameters are empty", code="FG102")
        assert str(error) == "the parameters are empty [FG102]"
        assert (error.message, error.code) == ("the parameters are empty", "FG102")
        assert error.args == (error.message,)

    @pytest.mark.parametrize("kind", [InputError, WorkerError])
    def test_no_error_without_a_code(self, kind):
        """The code cannot be left out."""
        with pytest.raises(TypeError, match="code"):
            kind("what came")

    @pytest.mark.parametrize("kind", [InputError, WorkerError])
    def test_what_they_quote_is_printable(self, kind):
        """An escape sequence that a message quotes does not reach the terminal, nor does a line break.

        Only the traceback of an exception of the user's has lines.
        """
        plain = kind("got \x1b[2J\u202e\nand more", code="FG101")
        assert str(plain) == "got \\x1b[2J\\u202e\\nand more [FG101]"
        with_lines = kind("raised:", "line\nand line\x1b", code="FG903")
        assert str(with_lines) == "raised [FG903]:\nline\nand line\\x1b"


class TestGradientError:
    def test_text_is_the_reports(self):
        """The text is the report's, on a line of its own so that its tables stay aligned."""
        report = failed_report()
        assert str(GradientError(report)) == str(report)

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
        with pytest.raises(GradientError, match=r"^DISAGREE: 2 of 2 checked coordinates are wrong"):
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

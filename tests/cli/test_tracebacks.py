"""Tracebacks show the user's frames only, with causes and notes."""

from __future__ import annotations

import pytest

import fastgrad
from fastgrad.cli.tracebacks import user_traceback


def failing(x):
    """A cost that fails for a reason of its own."""
    try:
        raise KeyError("the cause")
    except KeyError as error:
        raise ArithmeticError("the cost failed") from error


class TestUserTraceback:
    def test_frames(self):
        """The user's frames are there, the cause's too, and none of fastgrad's or joblib's."""
        with pytest.raises(ArithmeticError) as caught:
            fastgrad.check_gradient(failing, [1.0], [1.0])
        caught.value.add_note("a note")

        text = user_traceback(caught.value)

        assert "in failing" in text
        assert "KeyError: 'the cause'" in text
        assert text.endswith("ArithmeticError: the cost failed\na note")
        assert "python.py" not in text
        assert "checks.py" not in text

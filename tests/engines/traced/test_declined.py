"""The user's line in the reason why a cost cannot be recorded."""

import json

import numpy as np
import pytest

from fastgrad.engines.traced.declined import (
    Declined,
    called_by_user,
    is_users_file,
    line_of_error,
    users_line,
)


def test_text():
    """The place stands in front of the reason."""
    assert str(Declined("it writes a file", "cost.py:3")) == "cost.py:3: it writes a file"
    assert str(Declined("it writes a file")) == "it writes a file"


def test_users_line():
    """The line is the one that is executed here."""
    assert users_line().startswith("test_declined.py:")


def mentioned():
    """What stands in for len, which the test says by name."""
    return called_by_user(len)


def not_mentioned():
    """What stands in for sorted, which it does not."""
    return called_by_user(sorted)


def test_called_by_user():
    """A function that the user's code does not mention was called by a library in C."""
    assert len("a") == 1
    assert mentioned()
    assert not not_mentioned()


def test_line_of_error():
    """Of an error, it is the innermost line of the user's, though a library raised it."""
    with pytest.raises(ValueError, match="Expecting") as raised:
        json.loads("{")
    assert line_of_error(raised.value).startswith("test_declined.py:")


def test_users_files():
    """Neither Python's files nor installed packages are the user's; a notebook's cells are."""
    assert is_users_file(__file__)
    assert is_users_file("<ipython-input-1>")
    assert is_users_file("<stdin>")
    assert not is_users_file(np.__file__)
    assert not is_users_file(json.__file__)
    assert not is_users_file("_generator.pyx")
    assert not is_users_file("<frozen importlib._bootstrap>")
    assert not is_users_file("<__array_function__ internals>")

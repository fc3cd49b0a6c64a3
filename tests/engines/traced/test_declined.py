"""The user's line in the reason why a cost cannot be recorded."""

import json
from pathlib import Path

import numpy as np
import pytest

from fastgrad.engines.traced.declined import (
    Declined,
    Place,
    called_by_user,
    is_users_file,
    line_of_error,
    users_place,
)


def test_text():
    """The place stands in front of the reason."""
    assert str(Declined("it writes a file", "cost.py:3")) == "cost.py:3: it writes a file"
    assert str(Declined("it writes a file")) == "it writes a file"


def test_users_place():
    """The line is the one that is executed here, in a file that can be read."""
    place = users_place()
    assert f"{place}" == str(place) == f"test_declined.py:{place.line}"
    assert "place = users_place()" in Path(place.file).read_text().splitlines()[place.line - 1]


def test_no_place():
    """Where no line of the user's is executed, there is nothing to say."""
    assert str(Place()) == f"{Place()}" == ""


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

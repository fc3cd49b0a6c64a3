"""A wrapper goes by the name of the function inside, and workers get a copy of what keeps state."""

from __future__ import annotations

import functools

import pytest

from fastgrad.problem.naming import copy_for_worker, name_like


class Wrapper:
    """Something around a function."""


class Callable:
    """A callable object."""

    def __call__(self, x):
        """The argument."""
        return x


class Stateful(Callable):
    """A callable object that says how a worker copies it."""

    def for_worker(self):
        """A new one."""
        return Stateful()


# function, its name
NAMES = ((len, "len"), (Callable(), "Callable"), (functools.partial(len), "partial"))


@pytest.mark.parametrize(("function", "name"), NAMES)
def test_name(function, name):
    """The name is that of a function, and of a callable object that of its class."""
    wrapper = Wrapper()
    name_like(wrapper, function)
    assert (wrapper.__name__, wrapper.__qualname__) == (name, name)


def test_copy_for_worker():
    """What has for_worker is copied by it, anything else is shared."""
    plain, stateful = Callable(), Stateful()
    assert copy_for_worker(plain) is plain
    assert copy_for_worker(stateful) is not stateful

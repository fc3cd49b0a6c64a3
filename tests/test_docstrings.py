"""Docstrings: what they call the arguments is what the signature calls them, and each shows an example."""

from __future__ import annotations

import dataclasses
import importlib
import importlib.util
import inspect
import pkgutil
import re

import pytest

import fastgrad

RESULTS = (fastgrad.Report, fastgrad.Reports, fastgrad.NumericalGradient)
"""Made by fastgrad, not by its caller: their fields need no Parameters section."""

UNDERLINED = re.compile(r"^Parameters\n-+\n(.*?)(?=^\w[^\n]*\n-{3,}$|\Z)", re.MULTILINE | re.DOTALL)


def documented_names(docstring):
    """The names in the Parameters section, in order; None where there is no such section.

    An entry starts at the margin, as "name : what" or "name" or "a, b : what"; what follows is indented.
    """
    section = UNDERLINED.search(inspect.cleandoc(docstring or ""))
    if section is None:
        return None
    heads = [line.partition(" : ")[0] for line in section[1].splitlines() if line and not line[0].isspace()]
    return [name.strip() for head in heads for name in head.split(",")]


def signature_names(function):
    """The names of the arguments that a caller gives."""
    return [name for name in inspect.signature(function).parameters if name not in ("self", "cls")]


def complaints(name, thing):
    """What is wrong with the Parameters section of a function or class, in words."""
    documented = documented_names(thing.__doc__)
    if documented is None or documented == (actual := signature_names(thing)):
        return []
    return [f"{name}: the docstring has {documented}, the signature {actual}"]


PUBLIC = {name: getattr(fastgrad, name) for name in fastgrad.__all__}
NOT_RAISED = {n: t for n, t in PUBLIC.items() if not (inspect.isclass(t) and issubclass(t, BaseException))}
CALLED = {n: t for n, t in NOT_RAISED.items() if t not in RESULTS} | {
    f"Problem.{name}": getattr(fastgrad.Problem, name)
    for name in ("from_object", "from_value_and_gradient", "from_model")
}


def modules():
    """All modules of the package but the kernels and the demonstrations, which compile or load data."""
    for info in pkgutil.walk_packages(fastgrad.__path__, "fastgrad."):
        needs_jax = info.name.startswith("fastgrad.adapters.jax") and not importlib.util.find_spec("jax")
        if not (needs_jax or re.match(r"fastgrad\.(kernels|demos|__main__)", info.name)):
            yield importlib.import_module(info.name)


def defined():
    """All functions and classes of these modules, with the classes' methods, by qualified name."""
    for module in modules():
        for thing in vars(module).values():
            if getattr(thing, "__module__", None) == module.__name__ and hasattr(thing, "__qualname__"):
                yield f"{module.__name__}.{thing.__qualname__}", thing
                for method in vars(thing).values() if inspect.isclass(thing) else ():
                    if inspect.isfunction(method):
                        yield f"{module.__name__}.{method.__qualname__}", method


class TestPublicFace:
    @pytest.mark.parametrize("name", sorted(CALLED))
    def test_arguments(self, name):
        """What a user calls has a Parameters section with the signature's names, in its order."""
        takes_arguments = bool(inspect.signature(CALLED[name]).parameters)
        assert (documented_names(CALLED[name].__doc__) is not None) == takes_arguments
        assert complaints(name, CALLED[name]) == []

    @pytest.mark.parametrize("name", sorted(NOT_RAISED))
    def test_example(self, name):
        """What a user calls or gets has an example that doctest runs."""
        assert re.search(r"^Examples\n-+\n(.*\n)*?>>> ", inspect.cleandoc(PUBLIC[name].__doc__), re.MULTILINE)

    @pytest.mark.parametrize("name", sorted(PUBLIC))
    def test_first_line(self, name):
        """Every public docstring starts with one sentence on one line."""
        assert re.match(r"[^\n]+\.(\n\n|\Z)", inspect.cleandoc(PUBLIC[name].__doc__))

    def test_options_are_explained(self):
        """Each option that check takes is an argument of check_gradient, where it is explained."""
        from fastgrad.options import Options

        assert set(signature_names(Options)) <= set(documented_names(fastgrad.check_gradient.__doc__))

    def test_options_stand_in_both_lists(self):
        """The keywords that type checkers know are the options, with the same types."""
        from fastgrad.options import CheckOptions, Options

        types = {field.name: field.type for field in dataclasses.fields(Options)}
        known = {name: hint.__forward_arg__ for name, hint in CheckOptions.__annotations__.items()}
        assert known == types
        assert list(known) == list(types)


class TestPackage:
    def test_arguments(self):
        """Wherever in the package a docstring lists arguments, they are those of the signature."""
        found = dict(defined())
        assert len(found) > 100
        assert [line for name, thing in found.items() for line in complaints(name, thing)] == []


class TestThisTest:
    """The comparison can fail."""

    def test_wrong_name(self):
        """A docstring with another name, order or number of arguments is complained about."""

        def renamed(a, c):
            """Do it.

            Parameters
            ----------
            a, b : numbers

            Returns
            -------
            int
            """

        def forgotten(a, b):
            """Do it.

            Parameters
            ----------
            a : a number
                with a second line, b : which is no name
            """

        assert complaints("renamed", renamed) == [
            "renamed: the docstring has ['a', 'b'], the signature ['a', 'c']"
        ]
        assert complaints("forgotten", forgotten) == [
            "forgotten: the docstring has ['a'], the signature ['a', 'b']"
        ]

    def test_right_names(self):
        """Grouped names, names without a description and keyword arguments are all understood."""

        def right(params, X, y, *, seed=0, **options):
            """Do it.

            Parameters
            ----------
            params
            X, y : the data,
                on two lines
            seed : int
            options : the rest

            Raises
            ------
            InputError
                Never.
            """

        def bare(a):
            """Do it."""

        assert complaints("right", right) == complaints("bare", bare) == []
        assert documented_names(bare.__doc__) is None
        assert documented_names(right.__doc__) == ["params", "X", "y", "seed", "options"]

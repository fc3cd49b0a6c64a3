"""The table of options, and the signatures and docstrings that follow from it."""

from __future__ import annotations

import inspect
from typing import get_type_hints

import numpy as np
import pytest

import fastgrad
from fastgrad.options import OPTIONS, PLACE, CheckOptions, Options, takes_options

NAMES = [option.name for option in OPTIONS]

TAKE_OPTIONS = [
    fastgrad.check_gradient,
    fastgrad.check,
    fastgrad.assert_gradient,
    fastgrad.numerical_gradient,
]


def small(**options):
    """A check of two numbers with these options."""
    return fastgrad.check_gradient(lambda x: float(x @ x), lambda x: 2 * x, np.ones(2), **options)


class TestTable:
    def test_type_checkers_read_the_same_list(self):
        """CheckOptions has the fields of Options, in their order, with their types."""
        assert list(get_type_hints(CheckOptions).items()) == list(get_type_hints(Options).items())

    def test_no_option_must_be_given(self):
        """Every keyword may be left out: CheckOptions requires none and each field has a default."""
        assert CheckOptions.__required_keys__ == frozenset()
        assert Options() == Options.of({})

    @pytest.mark.parametrize("option", OPTIONS, ids=NAMES)
    def test_one_sentence(self, option):
        """The documentation of an option is one line without a closing point, and no other option's."""
        assert option.sentence.strip() == option.sentence
        assert "\n" not in option.sentence
        assert not option.sentence.endswith(".")
        assert [o.sentence for o in OPTIONS].count(option.sentence) == 1

    def test_what_changes_no_value(self):
        """Workers, progress, checkpoint and the two limits change no value; all other options may."""
        assert {o.name for o in OPTIONS if not o.changes_values} == {
            "n_jobs",
            "backend",
            "progress",
            "checkpoint",
            "budget",
            "max_evaluations",
        }


class TestSignature:
    @pytest.mark.parametrize("function", TAKE_OPTIONS)
    def test_options_with_defaults(self, function):
        """inspect.signature shows every option as a keyword with its default and type."""
        shown = list(inspect.signature(function).parameters.values())[-len(OPTIONS) :]
        assert [(p.name, p.default, p.annotation) for p in shown] == [
            (o.name, o.default, o.type) for o in OPTIONS
        ]
        assert {p.kind for p in shown} == {inspect.Parameter.KEYWORD_ONLY}

    @pytest.mark.parametrize("function", TAKE_OPTIONS)
    def test_help(self, function):
        """help() shows every option with its sentence, and the place for them is gone."""
        words = " ".join(inspect.getdoc(function).split())
        assert [o.name for o in OPTIONS if f" {o.name} : {o.sentence} " not in words] == []
        assert PLACE not in words

    def test_without_docstrings(self):
        """A function without a docstring, as all are under python -OO, gets the signature alone."""

        def bare(**options):
            pass

        assert takes_options(bare).__doc__ is None
        assert list(inspect.signature(bare).parameters) == NAMES


class TestUnknown:
    def test_message(self):
        """An option that there is not is refused with those that there are."""
        with pytest.raises(TypeError, match=f"^unknown option 'tol': the options are {', '.join(NAMES)}$"):
            small(tol=1e-3)

    def test_numerical_gradient(self):
        """numerical_gradient refuses it alike."""
        with pytest.raises(TypeError, match=r"^unknown option 'tol': the options are coordinates, seed, "):
            fastgrad.numerical_gradient(lambda x: float(x @ x), np.ones(2), tol=1e-3)

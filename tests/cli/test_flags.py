"""The flags of `fastgrad check` that follow from the table of options."""

from __future__ import annotations

import argparse

import pytest

from fastgrad.cli.flags import METAVARS, NO_FLAG, add_option_flags, given_options
from fastgrad.options import OPTIONS

FLAGS = [option for option in OPTIONS if option.name not in NO_FLAG]

GIVEN = {
    "seed": ("7", 7),
    "method": ("central4", "central4"),
    "perturb": ("auto", "auto"),
    "engine": ("network", "network"),
    "tolerance": ("1e-3", 1e-3),
    "confidence": ("0.9", 0.9),
    "wrong_fraction": ("0.1", 0.1),
    "draw": ("importance", "importance"),
    "probes": ("3", 3),
    "budget": ("60", 60.0),
    "max_evaluations": ("50", 50),
    "checkpoint": ("run.db", "run.db"),
}
"""For each option that takes a value: what is written, and what the check gets."""


@pytest.fixture
def parser():
    """A parser with these flags and no others."""
    parser = argparse.ArgumentParser(prog="p")
    add_option_flags(parser)
    return parser


def parsed(parser, *arguments):
    """The keywords of check that these arguments give."""
    return given_options(parser.parse_args(arguments))


def test_nothing_given(parser):
    """An option that is not given is not passed on, so that its default stands in one place."""
    assert parsed(parser) == {}


@pytest.mark.parametrize("name", GIVEN)
def test_value(parser, name):
    """A value arrives under the option's name, in the option's type."""
    written, value = GIVEN[name]
    found = parsed(parser, "--" + name.replace("_", "-"), written)
    assert found == {name: value}
    assert type(found[name]) is type(value)


def test_switches(parser):
    """--vectorized is a switch; --progress has an opposite, since None is a third answer."""
    assert parsed(parser, "--vectorized", "--progress") == {"vectorized": True, "progress": True}
    assert parsed(parser, "--no-progress") == {"progress": False}


def test_all_are_tested():
    """The cases above are all options that have a flag."""
    assert {option.name for option in FLAGS} == {*GIVEN, "vectorized", "progress"}
    assert set(METAVARS) <= set(GIVEN)


def test_help(parser):
    """The help of each flag is the option's sentence."""
    words = " ".join(parser.format_help().split())
    assert [o.name for o in FLAGS if " ".join(o.sentence.split()) not in words] == []
    assert "--confidence P" in words
    assert "(default: central)" in words


def test_not_a_number(parser, capsys):
    """A value of another type is refused with the flag's name, and status 2."""
    with pytest.raises(SystemExit) as caught:
        parser.parse_args(["--seed", "x"])
    assert caught.value.code == 2
    assert capsys.readouterr().err.endswith("p: error: argument --seed: invalid int value: 'x'\n")

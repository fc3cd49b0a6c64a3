"""The flags of `fastgrad check` that are options of a check, made of the table in fastgrad.options.

cli/main.py calls add_option_flags while it builds its parser, and given_options with what was parsed. A new
option of a type that a command line can give has its flag without a change here.
"""

from __future__ import annotations

import argparse
from typing import Any, get_args, get_type_hints

from fastgrad.options import OPTIONS, Option, Options

NO_FLAG = ("coordinates", "step", "n_jobs", "backend")
"""Options without a flag of their own name. --sample, --fraction and --all give the coordinates, --jobs the
workers; steps by block and backends are objects, and are given in Python."""

METAVARS = {
    "confidence": "P",
    "wrong_fraction": "F",
    "probes": "K",
    "budget": "SECONDS",
    "max_evaluations": "N",
    "checkpoint": "FILE",
}
"""What stands for the value in the usage line; for other options it is their name in capitals."""


def add_option_flags(parser: argparse.ArgumentParser) -> None:
    """Add a flag for each option but those of NO_FLAG.

    Parameters
    ----------
    parser : of `fastgrad check`; it leaves out of its result what was not given
    """
    types = get_type_hints(Options)
    for option in OPTIONS:
        if option.name not in NO_FLAG:
            parser.add_argument(
                "--" + option.name.replace("_", "-"),
                default=argparse.SUPPRESS,
                help=_help(option),
                **_how_it_is_read(types[option.name], option.default, METAVARS.get(option.name)),
            )


def _help(option: Option) -> str:
    """The sentence of an option, with its default where that is a value."""
    said = (
        f"{option.sentence} (default: {option.default})"
        if option.default not in (None, False)
        else option.sentence
    )
    return said.replace("%", "%%")  # argparse formats help texts with %


def _how_it_is_read(hint: Any, default: Any, metavar: str | None) -> dict[str, Any]:
    """The arguments of add_argument for a type: that of a union is its first."""
    kind = (*get_args(hint), hint)[0]
    if kind is bool:
        return {"action": "store_true" if default is False else argparse.BooleanOptionalAction}
    return {"type": kind, "metavar": metavar}


def given_options(parsed: argparse.Namespace) -> dict[str, Any]:
    """The options that were given by flags of their own name, as keywords of check.

    Parameters
    ----------
    parsed : what the parser returned

    Examples
    --------
    >>> parser = argparse.ArgumentParser()
    >>> add_option_flags(parser)
    >>> given_options(parser.parse_args(["--budget", "60", "--no-progress"]))
    {'progress': False, 'budget': 60.0}
    """
    return {option.name: getattr(parsed, option.name) for option in OPTIONS if option.name in parsed}

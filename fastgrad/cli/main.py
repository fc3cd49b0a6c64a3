"""The command line: fastgrad check TARGET, fastgrad demo [NAME], fastgrad bench.

It reads arguments, calls `checks.check`, a demo or the benchmark, prints what came, and returns an exit
status. argparse does for three commands what a larger library would do for thirty.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Sequence
from typing import Any

from fastgrad._version import __version__
from fastgrad.errors import InputError, WorkerError
from fastgrad.execution.budget import INTERRUPTED as STOPPED_BY_CTRL_C
from fastgrad.options import explained
from fastgrad.report.report import Report
from fastgrad.verdict.rule import AGREE, DISAGREE, UNDECIDED

EXIT_STATUS = {AGREE: 0, DISAGREE: 1, UNDECIDED: 3}
CANNOT_RUN = 2
INTERRUPTED = 130
"""128 + SIGINT, as shells have it."""

DEMOS = ("lesson", "digits")

FLAGS: dict[str, dict[str, Any]] = {
    "confidence": {"type": float, "metavar": "P"},
    "wrong_fraction": {"type": float, "metavar": "F"},
    "draw": {"default": "uniform"},
    "probes": {"type": int, "metavar": "K"},
    "budget": {"type": float, "metavar": "SECONDS"},
    "max_evaluations": {"type": int, "metavar": "N"},
    "checkpoint": {"metavar": "FILE"},
    "seed": {"type": int, "default": 0},
    "n_jobs": {"type": int, "default": -1, "metavar": "N"},
    "method": {"default": "central"},
    "engine": {"default": "auto"},
    "perturb": {"default": "parameters"},
    "vectorized": {"action": "store_true"},
    "tolerance": {"type": float},
    "progress": {"action": argparse.BooleanOptionalAction},
}
"""The options of a check that are flags of `fastgrad check`, and how argparse is to read each. All cores are
used unless --jobs says otherwise: a command has the machine to itself, where a function may be one of
many."""

EPILOG = "exit status: 0 agree, 1 disagree, 3 undecided, 2 cannot run"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status.

    Examples
    --------
    >>> main(["check", "nowhere.py:problem"])
    2
    """
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except (InputError, WorkerError) as error:
        print(f"fastgrad: {error}", file=sys.stderr)
        return CANNOT_RUN
    except KeyboardInterrupt:
        print("fastgrad: interrupted", file=sys.stderr)
        return INTERRUPTED
    except Exception as error:
        from fastgrad.cli.tracebacks import user_traceback

        print(f"fastgrad: the cost or gradient raised\n{user_traceback(error)}", file=sys.stderr)
        return CANNOT_RUN


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="fastgrad", description="Check a gradient by finite differences.", epilog=EPILOG
    )
    parser.add_argument("--version", action="version", version=f"fastgrad {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_check(commands)
    _add_demo(commands)
    _add_bench(commands)
    return parser


def _add_check(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    check = commands.add_parser("check", help="check the gradient of a Problem", epilog=EPILOG)
    check.add_argument(
        "target",
        metavar="TARGET",
        help="file.py:name or package.module:name, a fastgrad.Problem or a function that returns one",
    )
    which = check.add_mutually_exclusive_group()
    which.add_argument("--sample", type=int, metavar="N", help="check N coordinates drawn at random")
    which.add_argument("--fraction", type=float, metavar="F", help="check this share of the coordinates")
    which.add_argument("--all", action="store_true", help="check every coordinate, however long it takes")
    check.add_argument("--json", action="store_true", help="print the report as JSON")
    for name, settings in FLAGS.items():
        flag = f"--{'jobs' if name == 'n_jobs' else name.replace('_', '-')}"
        check.add_argument(flag, dest=name, help=explained(name).replace("%", "%%"), **settings)
    check.set_defaults(run=_check)


def _add_demo(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    demo = commands.add_parser("demo", help="see it work: the classic lesson, then a network on digits")
    demo.add_argument("name", nargs="?", choices=DEMOS, help="one of them only")
    demo.add_argument("--jobs", type=int, default=-1, metavar="N", help="workers (default -1: all cores)")
    demo.set_defaults(run=_demo)


def _add_bench(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    bench = commands.add_parser("bench", help="how fast it is on this machine, in under a minute")
    bench.add_argument("--jobs", type=int, default=-1, metavar="N", help="workers at most (default: all)")
    bench.add_argument("--json", action="store_true", help="print the result as JSON")
    bench.add_argument("--plot", metavar="FILE", help="draw it: svg, png, pdf (matplotlib)")
    bench.set_defaults(run=_bench)


def _check(options: argparse.Namespace) -> int:
    # With --json stdout carries the JSON alone: what the user's code prints goes to stderr.
    with contextlib.redirect_stdout(sys.stderr) if options.json else contextlib.nullcontext():
        report = _run_check(options)
    print(report.to_json() if options.json else report)
    return INTERRUPTED if report.stopped == STOPPED_BY_CTRL_C else EXIT_STATUS[report.verdict]


def _run_check(options: argparse.Namespace) -> Report:
    from fastgrad.checks import check
    from fastgrad.cli.targets import load_target

    chosen = {name: getattr(options, name) for name in FLAGS}
    return check(load_target(options.target), coordinates=_coordinates(options), **chosen)


def _coordinates(options: argparse.Namespace) -> Any:
    if options.all:
        return "all"
    chosen = [given for given in (options.sample, options.fraction) if given is not None]
    return chosen[0] if chosen else "auto"


def _demo(options: argparse.Namespace) -> int:
    import importlib

    results = []
    for name in [options.name] if options.name else DEMOS:
        module = importlib.import_module(f"fastgrad.cli.demos.{name}")
        results.append(bool(module.run(n_jobs=options.jobs)))
    return EXIT_STATUS[AGREE if all(results) else DISAGREE]


def _bench(options: argparse.Namespace) -> int:
    from fastgrad.cli.bench.measure import run_bench
    from fastgrad.cli.bench.plot import file_kind

    if options.plot:
        file_kind(options.plot)  # what cannot be drawn is refused before the measuring
    found = run_bench(options.jobs, say=_say)
    if options.plot:
        found.plot(options.plot)
    print(found.to_json() if options.json else found)
    return 0


def _say(text: str) -> None:
    if sys.stderr.isatty():
        print(f"fastgrad: {text}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())

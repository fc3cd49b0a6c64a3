"""The command line: fastgrad check TARGET, fastgrad demo [NAME], fastgrad bench."""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Sequence
from typing import Any

from fastgrad._version import __version__
from fastgrad.errors import InputError, WorkerError
from fastgrad.execution.budget import INTERRUPTED as STOPPED_BY_CTRL_C
from fastgrad.report.report import Report
from fastgrad.verdict.rule import AGREE, DISAGREE, UNDECIDED

EXIT_STATUS = {AGREE: 0, DISAGREE: 1, UNDECIDED: 3}
CANNOT_RUN = 2
INTERRUPTED = 130
"""128 + SIGINT, as shells have it."""

DEMOS = ("lesson", "digits")

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
    check.add_argument(
        "--confidence", type=float, metavar="P", help="of what is said of unchecked coordinates (0.999)"
    )
    check.add_argument(
        "--wrong-fraction",
        type=float,
        metavar="F",
        help="draw enough to find this share of wrong coordinates",
    )
    check.add_argument("--draw", default="uniform", help="uniform, or importance: large entries more often")
    check.add_argument("--probes", type=int, metavar="K", help="random directions that must be clean (20)")
    check.add_argument("--budget", type=float, metavar="SECONDS", help="report what is known by then")
    check.add_argument("--max-evaluations", type=int, metavar="N", help="evaluations of the cost at most")
    check.add_argument("--checkpoint", metavar="FILE", help="keep what was evaluated, and go on from it")
    check.add_argument("--seed", type=int, default=0, help="of the random draw (default 0)")
    check.add_argument("--jobs", type=int, default=-1, metavar="N", help="workers (default -1: all cores)")
    check.add_argument("--method", default="central", help="forward, central, central4, central6 or complex")
    check.add_argument("--engine", default="auto", help="auto, python, compiled, batched or network")
    check.add_argument(
        "--perturb", default="parameters", help="parameters, or for a Network also nodes or auto"
    )
    check.add_argument("--vectorized", action="store_true", help="the cost takes (k, n) and returns (k,)")
    check.add_argument("--tolerance", type=float, help="a fixed relative tolerance instead of the bounds")
    check.add_argument("--json", action="store_true", help="print the report as JSON")
    check.add_argument(
        "--progress",
        action=argparse.BooleanOptionalAction,
        help="a progress bar on stderr (default: on a terminal only)",
    )
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

    return check(
        load_target(options.target),
        coordinates=_coordinates(options),
        confidence=options.confidence,
        wrong_fraction=options.wrong_fraction,
        draw=options.draw,
        probes=options.probes,
        budget=options.budget,
        max_evaluations=options.max_evaluations,
        checkpoint=options.checkpoint,
        seed=options.seed,
        method=options.method,
        engine=options.engine,
        perturb=options.perturb,
        vectorized=options.vectorized,
        n_jobs=options.jobs,
        tolerance=options.tolerance,
        progress=options.progress,
    )


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

"""The command line: fastgrad check TARGET, watch TARGET, trace TARGET, demo, bench, explain [CODE ...].

`entry` calls main, which parses the arguments, runs the command and returns the exit status. `fastgrad check`
hands its options on to fastgrad.checks.check and prints the report. Commands import what they run when they
run it, so that `fastgrad --help` is quick.

argparse parses: flags are added to it in a loop over a table, and it comes with Python. typer reads flags
from a signature, in which every option would stand again. click is a dependency without a gain.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NoReturn

from fastgrad._version import __version__
from fastgrad.cli.printing import NotPrintedError, check_folder, complain, print_to
from fastgrad.cli.signals import INTERRUPTED, interruptible
from fastgrad.cli.tracebacks import said_of
from fastgrad.execution.budget import INTERRUPTED as STOPPED_BY_CTRL_C
from fastgrad.options import Options, explained
from fastgrad.printable import printable
from fastgrad.problem.problem import Problem
from fastgrad.report.report import Report
from fastgrad.verdict.rule import AGREE, DISAGREE, UNDECIDED

EXIT_STATUS = {AGREE: 0, DISAGREE: 1, UNDECIDED: 3}
"""Of `fastgrad check`, by the report's verdict."""

CANNOT_RUN = 2
"""The exit status where nothing could be checked, or what was found could not be printed. argparse uses it
for wrong arguments."""

DEMOS = ("lesson", "digits")
"""The modules of fastgrad.cli.demos, in the order in which they are run."""

FLAGS: dict[str, dict[str, Any]] = {
    "confidence": {"type": float, "metavar": "P"},
    "wrong_fraction": {"type": float, "metavar": "F"},
    "draw": {"default": "uniform"},
    "probes": {"type": int, "metavar": "K"},
    "budget": {"type": float, "metavar": "SECONDS"},
    "max_evaluations": {"type": int, "metavar": "N"},
    "checkpoint": {"metavar": "FILE"},
    "seed": {"type": int, "default": 0},
    "n_jobs": {"type": int, "default": -1, "metavar": "N", "help": "workers (default -1: all cores)"},
    "method": {"default": "central"},
    "engine": {"default": "auto"},
    "perturb": {"default": "parameters"},
    "vectorized": {"action": "store_true"},
    "resolution": {"type": float, "default": 1e-2, "metavar": "R"},
    "kinks": {"default": "undecided"},
    "tolerance": {"type": float},
    "progress": {"action": argparse.BooleanOptionalAction},
}
"""The options of a check that are flags of `fastgrad check`, and how argparse is to read each; those of
`fastgrad watch` are the same but for the checkpoint. All cores are used unless --jobs says otherwise: a
command has the machine to itself, where a function may be one of many."""

EPILOG = "exit status: 0 agree, 1 disagree, 3 undecided, 2 cannot run or print, 130 interrupted"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status.

    Whatever the user's functions raise is explained here, SystemExit too: a check that did not come to an end
    has a status of its own.

    Parameters
    ----------
    arguments : after the name of the program; None for those of this process

    Examples
    --------
    >>> main(["check", "nowhere.py:problem"])
    2
    """
    err = sys.stderr  # now: the user's code may put another in its place, or close it
    options = _parser().parse_args(arguments)
    if options.run in (_check, _watch):
        import fastgrad.checks  # noqa: F401 - now: in the middle of an import Ctrl-C may be lost

    with interruptible() as interrupts:
        options.interrupts = interrupts
        try:
            return int(options.run(options))
        except KeyboardInterrupt:
            said, status = "fastgrad: interrupted", INTERRUPTED
        except NotPrintedError as error:
            said, status = f"fastgrad: {error}", CANNOT_RUN
        except BaseException as error:
            said, status = said_of(error, users=options.run in (_check, _trace, _watch)), CANNOT_RUN
        if (
            interrupts.since is not None
        ):  # a module may turn an interruption of its import into an ImportError
            said, status = "fastgrad: interrupted", INTERRUPTED
        complain(said, err)
        return status


class _Parser(argparse.ArgumentParser):
    """A parser whose messages can be printed, and that says so where its help cannot."""

    def error(self, message: str) -> NoReturn:
        """Print what is wrong with the arguments, which may quote anything, and leave."""
        super().error(printable(message))

    def print_help(self, file: Any = None) -> None:
        """Print the help, or leave with the status for what cannot be printed."""
        try:
            print_to(self.format_help().rstrip("\n"), file or sys.stdout)
        except NotPrintedError:
            self.exit(CANNOT_RUN)


def _parser() -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = _Parser(
        prog="fastgrad", description="Check a gradient by finite differences.", epilog=EPILOG
    )
    parser.add_argument("--version", action="version", version=f"fastgrad {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_check(commands)
    _add_watch(commands)
    _add_trace(commands)
    _add_demo(commands)
    _add_bench(commands)
    _add_explain(commands)
    return parser


def _add_check(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    check = commands.add_parser("check", help="check the gradient of a Problem", epilog=EPILOG)
    _add_options(check, FLAGS)
    check.add_argument("--json", action="store_true", help="print the report as JSON")
    check.add_argument("--html", metavar="FILE", help="write the report as a page with pictures, too")
    check.add_argument(
        "--scheduler",
        metavar="ADDRESS",
        help="evaluate on the workers of the dask scheduler there, as tcp://HOST:8786; all of them, whatever "
        "--jobs says",
    )
    check.set_defaults(run=_check)


def _add_watch(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    watch = commands.add_parser(
        "watch",
        help="check it again whenever its file, or a module beside it, is saved",
        epilog="exit status: 130 when Ctrl-C ends it, 2 cannot run or print",
    )
    _add_options(watch, [name for name in FLAGS if name != "checkpoint"])
    watch.add_argument("--full", action="store_true", help="print each report in full")
    watch.add_argument("--clear", action="store_true", help="on a terminal, clear it before each check")
    # Values of another version of the cost are of no use, and a cluster has modules that are out of date.
    watch.set_defaults(run=_watch, checkpoint=None, scheduler=None)


def _add_options(command: argparse.ArgumentParser, names: Iterable[str]) -> None:
    command.add_argument(
        "target",
        metavar="TARGET",
        help="file.py:name or package.module:name, a fastgrad.Problem or a function that returns one",
    )
    which = command.add_mutually_exclusive_group()
    which.add_argument("--sample", type=int, metavar="N", help="check N coordinates drawn at random")
    which.add_argument("--fraction", type=float, metavar="F", help="check this share of the coordinates")
    which.add_argument("--all", action="store_true", help="check every coordinate, however long it takes")
    for name in names:
        flag = f"--{'jobs' if name == 'n_jobs' else name.replace('_', '-')}"
        settings = {"help": explained(name).replace("%", "%%"), **FLAGS[name]}
        command.add_argument(flag, dest=name, **settings)


def _add_trace(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    trace = commands.add_parser("trace", help="show what a plain NumPy cost does, as fastgrad records it")
    trace.add_argument("target", metavar="TARGET", help="as for check")
    trace.set_defaults(run=_trace)


def _add_demo(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    demo = commands.add_parser("demo", help="see it work: the classic lesson, then a network on digits")
    demo.add_argument("name", nargs="?", choices=DEMOS, help="one of them only")
    _add_jobs(demo)
    demo.set_defaults(run=_demo)


def _add_bench(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    bench = commands.add_parser("bench", help="how fast it is on this machine, in under a minute")
    _add_jobs(bench, "workers at most")
    bench.add_argument("--json", action="store_true", help="print the result as JSON")
    bench.add_argument("--plot", metavar="FILE", help="draw it: svg, png, pdf (matplotlib)")
    bench.set_defaults(run=_bench)


def _add_explain(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    explain = commands.add_parser("explain", help="what the code of an error or of a reason means: FG104")
    explain.add_argument("codes", nargs="*", metavar="CODE", help="such as FG104; none: list them all")
    explain.set_defaults(run=_explain)


def _add_jobs(command: argparse.ArgumentParser, what: str = "workers") -> None:
    command.add_argument("--jobs", type=int, default=-1, metavar="N", help=f"{what} (default -1: all cores)")


def _check(options: argparse.Namespace) -> int:
    out, err = sys.stdout, sys.stderr  # now: the user's code may put others in their places
    if options.html:
        check_folder(options.html)  # before the check, which may take an hour
    # With --json stdout carries the JSON alone: what the user's code prints goes to stderr.
    with contextlib.redirect_stdout(sys.stderr) if options.json else contextlib.nullcontext():
        report = _run_check(options)
    text = report.to_json() if options.json else str(report)
    status = INTERRUPTED if report.stopped == STOPPED_BY_CTRL_C else EXIT_STATUS[report.verdict]
    failed = INTERRUPTED if status == INTERRUPTED else CANNOT_RUN
    try:
        print_to(text, out)
    except NotPrintedError as error:
        complain(f"fastgrad: of the report, {error}. It is:\n{text}", err)
        status = failed
    if options.html:
        try:
            report.to_html(options.html, title=options.target)
        except OSError as error:
            complain(f"fastgrad: cannot write {options.html}: {error.strerror or error}", err)
            status = failed
    return status


def _watch(options: argparse.Namespace) -> int:
    from fastgrad.cli.watch.session import watch

    Options.of({"coordinates": _coordinates(options), **_chosen(options)})  # no save would mend a flag
    check = functools.partial(_run_check, options)
    return watch(options.target, check, options.interrupts, full=options.full, clear=options.clear)


def _run_check(options: argparse.Namespace, load: Callable[[str], Problem] | None = None) -> Report:
    from fastgrad.checks import check
    from fastgrad.cli.scheduler import connected
    from fastgrad.cli.targets import load_target

    problem = (load or load_target)(options.target)
    options.interrupts.raise_if_lost()
    with connected(options.scheduler) as backend:
        return check(problem, coordinates=_coordinates(options), backend=backend, **_chosen(options))


def _chosen(options: argparse.Namespace) -> dict[str, Any]:
    return {name: getattr(options, name) for name in FLAGS}


def _trace(options: argparse.Namespace) -> int:
    from fastgrad.cli.targets import load_target
    from fastgrad.engines.traced.recording import tape_of

    tape = tape_of(load_target(options.target))
    print_to("\n".join(map(printable, tape.lines())), sys.stdout)
    return 0


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
    from fastgrad.cli.bench.plot import check_drawable
    from fastgrad.cli.bench.status import status_line

    if options.plot:
        check_drawable(options.plot)  # before the measuring, which takes a minute
    with status_line() as say:
        found = run_bench(options.jobs, say=say)
    print_to(found.to_json() if options.json else str(found), sys.stdout)
    if options.plot:
        found.plot(options.plot)
    return 0


def _explain(options: argparse.Namespace) -> int:
    from fastgrad.cli.explain import rendered, text_of_codes

    print_to(rendered(text_of_codes(options.codes), sys.stdout), sys.stdout)
    return 0

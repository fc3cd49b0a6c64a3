"""The lines of the user's cost in which wrong blocks are used, where the cost can be recorded.

`Report.code_lines` asks for them. A tape that the check made is read; else the cost is recorded now, by one
call of it.
"""

from __future__ import annotations

import linecache
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fastgrad.arrays import Bools
from fastgrad.engines.alternatives import Alternatives
from fastgrad.engines.choose import is_networks_own, is_numba_function
from fastgrad.engines.protocol import Engine
from fastgrad.engines.python import PythonEngine
from fastgrad.engines.traced.declined import Declined, Place
from fastgrad.engines.traced.tape import Operation, Tape
from fastgrad.execution.progress import in_words
from fastgrad.printable import printable, shortened
from fastgrad.report.revisit import GONE, CannotRevisitError, Ended, Revisit

LINES = 3
"""Lines of a block at most: those in which it is used first."""

LONGEST_LINE = 200
"""Characters of a line that are shown."""

SECONDS = 0.5
"""What an evaluation of a cost may take that is recorded for this."""

NETWORKS = str(Path(__file__).parents[1] / "networks")
"""Where the layers of fastgrad's own networks are: no lines of the user's."""


@dataclass(frozen=True)
class CodeLine:
    """A line of the cost that uses a wrong block. All texts can be printed as they are."""

    block: str
    file: str
    """The file's name, without its folder."""
    line: int
    source: str
    """The text of the line, without the space before it; empty where it cannot be read."""
    operations: tuple[str, ...]
    """What the line does to the block, such as "matmul"; "getitem" is a slice."""


@dataclass(frozen=True)
class CodeLines:
    """The lines, block by block, and why there are none."""

    lines: tuple[CodeLine, ...] = ()
    sentence: str = ""
    """Empty where there are lines, or nothing is wrong."""


def code_lines(revisit: Revisit | None, most: int | None = None) -> CodeLines:
    """The lines in which the wrong blocks of a check are used first, in the order of the blocks.

    Parameters
    ----------
    revisit : what can still be asked of the check; None for nothing
    most : blocks at most, those with the worst coordinates; None for all that are wrong
    """
    if revisit is None:
        return CodeLines(sentence=GONE)
    try:
        ended = revisit.ended
        if not ended.comparison.wrong.any():
            return CodeLines()
        with revisit.called():
            tape = _tape(ended)
        return _lines_of_blocks(tape, ended, most)
    except CannotRevisitError as error:
        return CodeLines(sentence=str(error))


def _tape(ended: Ended) -> Tape:
    """The tape of the check, or one that is made now."""
    known = getattr(ended.engine, "tape", None)
    if isinstance(known, Tape):
        return known
    _require_recordable(ended.engine, ended)
    from fastgrad.engines.traced.recording import recorded_tape  # recording is loaded where it is needed

    spec = ended.spec
    try:
        return recorded_tape(PythonEngine(spec.problem.cost, spec.parameters, spec.problem.args))
    except Declined as declined:
        raise CannotRevisitError(f"the cost cannot be recorded: {printable(str(declined))}") from None


def _require_recordable(engine: Engine, ended: Ended) -> None:
    """Refuse costs of which it is known before that no line of theirs can be told."""
    problem = ended.spec.problem
    if is_networks_own(problem.cost, problem.structure, "cost"):
        raise CannotRevisitError("the cost is that of a fastgrad.Network, and has no lines of the user's")
    if ended.spec.options.vectorized:
        raise CannotRevisitError("a cost that takes a batch is not recorded")
    if isinstance(problem.structure, Alternatives):
        raise CannotRevisitError("a cost of another library's arrays is not recorded")
    if is_numba_function(problem.cost):
        raise CannotRevisitError("a cost that Numba compiled is not recorded")
    if ended.seconds > SECONDS and not engine.knows_layers:
        raise CannotRevisitError(
            f"the cost takes {in_words(ended.seconds)}: it was not called again to be recorded"
        )


def _lines_of_blocks(tape: Tape, ended: Ended, most: int | None) -> CodeLines:
    from fastgrad.engines.traced.uses import first_uses

    parameters, indices = ended.spec.parameters, ended.arrays.indices
    wrong = indices[ended.comparison.wrong]
    lines: list[CodeLine] = []
    severity = ended.comparison.severity[ended.comparison.wrong]
    found = list(parameters.segments(wrong))
    worst = sorted(found, key=lambda one: -float(np.max(severity[one[1]])))[:most]
    for number, where in sorted(worst, key=lambda one: one[0]):
        block = parameters.blocks[number]
        entries: Bools = np.zeros(block.size, dtype=bool)
        entries[wrong[where] - block.start] = True
        entries = entries.reshape(tape.base[tape.inputs[number]].shape)
        lines += _lines(block.shown, first_uses(tape, tape.inputs[number], entries))
    return CodeLines(tuple(lines), "" if lines else "no line of the cost is known to use a wrong block")


def _lines(block: str, uses: list[Operation]) -> list[CodeLine]:
    """One for each line of the user's code, with all that it does to a block."""
    by_place: dict[Place, dict[str, None]] = {}
    for operation in uses:
        if operation.place.file and not operation.place.file.startswith(NETWORKS):
            by_place.setdefault(operation.place, {})[operation.function.__name__] = None
    return [
        CodeLine(block, printable(place.name), place.line, source_of(place), tuple(map(printable, names)))
        for place, names in list(by_place.items())[:LINES]
    ]


def source_of(place: Place) -> str:
    """The text of a line, printable and without the space before it; empty where it cannot be read."""
    return shortened(linecache.getline(place.file, place.line).strip(), LONGEST_LINE)

"""What changed between two reports, in sentences: what was mended, what broke.

A pure function; screen.py prints what it returns.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np

from fastgrad.cli.watch.blocks import KINDS, change_of
from fastgrad.cli.watch.sides import Pair, Side, paired, sides_of
from fastgrad.printable import GAP
from fastgrad.report.data import ReportData
from fastgrad.report.findings import Finding, Findings
from fastgrad.verdict.rule import AGREE

MOST = 8
"""Blocks of one kind of change that are named."""

MOST_COORDINATES = 3
"""Coordinates of one kind of change that are named."""

MUCH = 2.0
"""By what factor an error must have changed to be spoken of."""

LONGEST_START = 90
"""Characters of a diagnosis that are said of it."""

COARSER = 10.0
"""By what factor the resolution of two checks that agree must differ to be spoken of."""


NOTHING_CHANGED = ("nothing changed",)
"""What is said of two reports that say the same."""


def changes(before: ReportData, now: ReportData) -> tuple[str, ...]:
    """What changed from one report to the next: a line on verdict and blocks, then what else there is to say.

    Parameters
    ----------
    before, now : ReportData, of the same target before and after a save

    Returns
    -------
    tuple of str
        "nothing changed" alone where that is so. Names are as they are printed.

    Examples
    --------
    >>> import fastgrad
    >>> cost, x = lambda p: p["a"] ** 2, {"a": 3.0}
    >>> wrong = fastgrad.check_gradient(cost, lambda p: {"a": p["a"]}, x)
    >>> right = fastgrad.check_gradient(cost, lambda p: {"a": 2 * p["a"]}, x)
    >>> changes(wrong, right)[0]
    'DISAGREE -> AGREE, mended a (1 wrong -> 0)'
    >>> changes(right, right)
    ('nothing changed',)
    """
    pairs = paired(sides_of(before), sides_of(now))
    first = [*_verdict(before, now), *_blocks(pairs)]
    others = [
        *_wrong_now(pairs, now),
        *_right_now(pairs, before),
        *_still_wrong(pairs, before, now),
        *_other_coordinates(pairs),
        *_resolution(before, now),
        *_cost(before, now),
        *_diagnosis(before, now),
    ]
    return (", ".join(first), *others) if first else tuple(others) or NOTHING_CHANGED


def _verdict(before: ReportData, now: ReportData) -> Iterator[str]:
    if before.verdict != now.verdict:
        yield f"{before.verdict.upper()} -> {now.verdict.upper()}"


def _blocks(pairs: Iterable[Pair]) -> Iterator[str]:
    """One part for each kind of change, with the blocks of that kind."""
    found: dict[str, list[str]] = {kind: [] for kind in KINDS}
    for pair in pairs:
        change = change_of(*pair)
        if change is not None:
            found[change.kind].append(change.said)
    for kind, said in found.items():
        if said:
            yield f"{kind} {_listed(said, MOST)}".lstrip()


def _wrong_now(pairs: Iterable[Pair], now: ReportData) -> Iterator[str]:
    """The worst coordinates that were not wrong before."""
    new = _flat(pairs, lambda old, new: np.setdiff1d(new.wrong, old.wrong), of=1)
    yield from _named("wrong now:", now.wrong, new, _with_values)


def _right_now(pairs: Iterable[Pair], before: ReportData) -> Iterator[str]:
    """Coordinates that were wrong, are right, and are in blocks where others are still wrong."""

    def mended(old: Side, new: Side) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
        if not len(new.wrong):
            return new.wrong
        seen = np.intersect1d(old.wrong, new.checked)
        return np.setdiff1d(seen, np.union1d(new.wrong, new.undecided))

    yield from _named("right now:", before.wrong, _flat(pairs, mended, of=0), lambda found: found.label)


def _still_wrong(pairs: Iterable[Pair], before: ReportData, now: ReportData) -> Iterator[str]:
    """Whether the worst coordinate, if it was wrong before, is wrong by much more or less."""
    if not now.wrong:
        return
    worst = now.wrong[0]
    for old, new in pairs:
        if old is None or new is None or old.row.shape != new.row.shape or new.row.name != worst.block:
            continue
        place = np.flatnonzero(before.wrong.flat_indices == worst.flat_index - new.start + old.start)
        if not len(place):
            continue
        was, is_ = before.wrong[int(place[0])].absolute_error, worst.absolute_error
        if repr(was) != repr(is_) and not was / MUCH < is_ < was * MUCH:  # two NaN print alike
            yield f"wrong as before: {worst.label}, off by {is_:.2g} (was {was:.2g})"


def _other_coordinates(pairs: Iterable[Pair]) -> Iterator[str]:
    """How many coordinates two samples have in common, where they differ."""
    alike = [(a, b) for a, b in pairs if a is not None and b is not None and a.row.shape == b.row.shape]
    if any(not np.array_equal(a.checked, b.checked) for a, b in alike):
        common = sum(len(np.intersect1d(a.checked, b.checked)) for a, b in alike)
        count = sum(len(b.checked) for _, b in alike)
        yield f"not the same coordinates were checked: {common:,} of these {count:,} were before"


def _resolution(before: ReportData, now: ReportData) -> Iterator[str]:
    was, is_ = before.resolution, now.resolution
    if before.verdict == now.verdict == AGREE and was > 0 and is_ > 0:
        if is_ >= COARSER * was:
            yield f"seen to be right to {is_:.0e} only (was {was:.0e})"
        elif is_ <= was / COARSER:
            yield f"seen to be right to {is_:.0e} (was {was:.0e})"


def _cost(before: ReportData, now: ReportData) -> Iterator[str]:
    was, is_ = f"{before.cost:.9g}", f"{now.cost:.9g}"
    if was != is_:
        yield f"the cost is {is_} (was {was})"


def _diagnosis(before: ReportData, now: ReportData) -> Iterator[str]:
    """Likely mistakes that went or came; one of which only numbers changed is the same."""
    was, is_ = ({_without_numbers(s): s for s in report.diagnosis} for report in (before, now))
    yield from (f"no longer likely: {_start_of(said)}" for key, said in was.items() if key not in is_)
    yield from (f"likely now: {_start_of(said)}" for key, said in is_.items() if key not in was)


def _start_of(sentence: str) -> str:
    """As much of a diagnosis as tells it from others: the report has all of it."""
    start = re.split(r"; |\. ", sentence)[0]
    return start if len(start) <= LONGEST_START else start[: LONGEST_START - len(GAP)] + GAP


def _without_numbers(sentence: str) -> str:
    return re.sub(r"[-+]?\d[\d.,]*(e[-+]?\d+)?", "#", sentence)


def _flat(pairs: Iterable[Pair], pick: Callable[[Side, Side], np.ndarray], of: int) -> np.ndarray:
    """The flat indices, in the report before (of=0) or now (1), of what is picked of blocks alike."""
    found = [np.zeros(0, dtype=np.intp)]
    for old, new in pairs:
        if old is not None and new is not None and old.row.shape == new.row.shape:
            found.append(pick(old, new) + (old, new)[of].start)
    return np.concatenate(found)


def _named(
    what: str, findings: Findings, picked: np.ndarray, name: Callable[[Finding], str]
) -> Iterator[str]:
    """A sentence that names the first of the findings that are picked, worst first."""
    places = np.flatnonzero(np.isin(findings.flat_indices, picked))
    if len(places):
        said = [name(findings[int(k)]) for k in places[:MOST_COORDINATES]]
        yield f"{what} {_listed(said, MOST_COORDINATES, len(places))}"


def _with_values(found: Finding) -> str:
    return f"{found.label} (claimed {found.claimed:.6g}, numeric {found.numeric:.6g})"


def _listed(said: Sequence[str], most: int, count: int | None = None) -> str:
    more = (len(said) if count is None else count) - most
    return ", ".join(said[:most]) + (f" and {more:,} more" if more > 0 else "")

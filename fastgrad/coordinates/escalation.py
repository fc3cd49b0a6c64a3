"""Which coordinates go on to the next stage: each is measured as far as it takes to decide it, no further.

After each stage (stages.py) the verdict says which of the user's coordinates are still open; the moved
coordinates that these depend on go on to the next. Where many of a block are open before the ladder a sample
of them goes first, and all that show a kink or another derivative at another step: if nothing that the sample
finds changes any of their verdicts, the others stay as they are, and the report says so.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from fastgrad.arrays import Bools, IndexArray
from fastgrad.coordinates.stages import Stages
from fastgrad.coordinates.table import CONFIRMED, FINER, LADDERED, OWN, SAMPLED_FIRST, CoordinateTable
from fastgrad.differences.ladder import LEVELS
from fastgrad.index_sets import distinct, union, without
from fastgrad.verdict.rule import Comparison

Stage = Callable[[CoordinateTable, IndexArray], None]


def refine(
    stages: Stages,
    measured: CoordinateTable,
    judge: Callable[[], Comparison],
    needed: Callable[[IndexArray], IndexArray],
    groups: IndexArray,
    seed: int,
    thorough: bool = False,
    only: slice | IndexArray | None = None,
) -> None:
    """Take what is open through the stages, until each coordinate is decided or nothing is left to try.

    Parameters
    ----------
    stages : Stages
    measured : what the screen found; updated in place
    judge : the verdict on the user's coordinates, from `measured` as it stands
    needed : the positions in `measured` that some of the user's coordinates depend on
    groups : (user's coordinates,) the number of the block of each
    seed : of the samples that go first
    thorough : whether every coordinate gets a bound of its own, where the block's would do to judge a claim
    only : positions of the user's coordinates that are new, where the others went through all stages before
    """
    left, new = np.zeros(len(groups), dtype=bool), np.ones(len(groups), dtype=bool)
    if only is not None:
        new[:] = False
        new[only] = True
    before_now = measured.left_alone
    if thorough:
        _run(stages, stages.all_own, OWN, measured, np.arange(len(measured.numeric)))
    steps: tuple[tuple[Stage, int], ...] = (
        (stages.own, OWN),
        (stages.finer, FINER),
        (stages.ladder, LADDERED),
        (stages.confirm, CONFIRMED),
    )
    for stage, level in steps:
        comparison = judge()
        only_wrong = level in (FINER, CONFIRMED)
        is_open = comparison.wrong if only_wrong else comparison.wrong | comparison.undecided
        is_open = is_open & new  # a new array: the comparison's own is not to be written to
        if not is_open.any():
            if only_wrong and (comparison.undecided & new).any():
                continue
            return
        is_open = is_open & ~_was_cut(measured, needed, len(groups))
        if level > FINER:
            is_open = is_open & ~(comparison.wrong & _is_vouched(measured, needed, len(groups)))
        measured.suspect[needed(np.flatnonzero(comparison.wrong & new))] = True
        at = np.flatnonzero(is_open & ~np.isinf(comparison.severity))  # a claimed NaN needs no measuring
        left[at] = False
        first = at
        if level > FINER:
            alone = _is_special(at, measured, needed)
            first = union(_sample_of(at[~alone], groups, seed), at[alone])
        before = _status(comparison, first)
        del comparison  # large, and another is made
        _run(stages, stage, level, measured, needed(first))
        rest = without(at, first)
        if len(rest) == 0:
            continue
        changed = distinct(groups[first][_status(judge(), first) != before])
        again = rest[np.isin(groups[rest], changed)]
        _run(stages, stage, level, measured, needed(again))
        left[without(rest, again)] = True
        measured.left_alone = before_now + int(left.sum())


EVALUATIONS = {OWN: 6, FINER: 4, LADDERED: 2 * LEVELS, CONFIRMED: 2 * LEVELS}
"""What a stage asks for at each coordinate, where nothing is tried on other scales."""


def _run(stages: Stages, stage: Stage, level: int, measured: CoordinateTable, at: IndexArray) -> None:
    at = at[(measured.level[at] < level) & ~measured.cut[at]]
    room = _room(stages, level, bool(measured.suspect[at].any()))
    if len(at) > room:
        at = at[np.argsort(~measured.suspect[at], kind="stable")]
        measured.cut[at[int(room) :]] = True
        measured.version += 1
        at = at[: int(room)]
    if len(at):
        stage(measured, at)
        measured.version += 1
    if stages.room(1) < 1:  # it may have been stopped on the way
        measured.cut[at] = True
        measured.version += 1


def _room(stages: Stages, level: int, suspects: bool) -> float:
    """For how many coordinates a stage has budget, if one that looks wrong is to go through all after it."""
    later = sum(count for stage, count in EVALUATIONS.items() if stage > level) * suspects
    alone = stages.room(EVALUATIONS[level])
    return alone if alone < 1 else max(1.0, (stages.room(1) - later) / EVALUATIONS[level])


def _sample_of(at: IndexArray, groups: IndexArray, seed: int) -> IndexArray:
    rng = np.random.default_rng(seed)
    chosen = []
    for group in distinct(groups[at]):
        members = at[groups[at] == group]
        few = len(members) <= 2 * SAMPLED_FIRST
        chosen.append(members if few else rng.choice(members, SAMPLED_FIRST, replace=False))
    return np.sort(np.concatenate(chosen)) if chosen else at


def _is_special(
    at: IndexArray, measured: CoordinateTable, needed: Callable[[IndexArray], IndexArray]
) -> Bools:
    """Which of the user's coordinates depend on a moved one that is special, where one moves for each."""
    moved = needed(at)
    return measured.special[moved] if len(moved) == len(at) else np.zeros(len(at), dtype=bool)


def _was_cut(measured: CoordinateTable, needed: Callable[[IndexArray], IndexArray], count: int) -> Bools:
    """For which of the user's coordinates there was no budget at an earlier stage."""
    if not measured.cut.any():
        return np.zeros(count, dtype=bool)
    moved = needed(np.arange(count))
    return measured.cut[moved] if len(moved) == count else np.zeros(count, dtype=bool)


def _is_vouched(measured: CoordinateTable, needed: Callable[[IndexArray], IndexArray], count: int) -> Bools:
    """Which of the user's coordinates a probe singled out, where their values show nothing odd."""
    plain = measured.vouched & ~measured.special
    if not plain.any():
        return np.zeros(count, dtype=bool)
    moved = needed(np.arange(count))
    return plain[moved] if len(moved) == count else np.zeros(count, dtype=bool)


def _status(comparison: Comparison, at: IndexArray) -> npt.NDArray[np.int8]:
    return (2 * comparison.wrong[at] + comparison.undecided[at]).astype(np.int8)

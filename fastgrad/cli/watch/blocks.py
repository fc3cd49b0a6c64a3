"""What changed of one block between two reports, as a kind and a few words, for changes.py."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fastgrad.cli.watch.sides import Side

MENDED = "mended"
FEWER = "fewer wrong in"
BROKE = "broke"
MORE = "more wrong in"
OTHERS = "others wrong in"
DECIDED = "decided"
LESS_UNDECIDED = "fewer undecided in"
UNDECIDED = "undecided now"
MORE_UNDECIDED = "more undecided in"
NOT_SEEN = "not checked again"
RENAMED = "renamed"
RESHAPED = "other shape:"
NEW = "new"
GONE = "gone"

KINDS = (
    MENDED,
    FEWER,
    DECIDED,
    LESS_UNDECIDED,
    BROKE,
    MORE,
    OTHERS,
    UNDECIDED,
    MORE_UNDECIDED,
    NOT_SEEN,
    RENAMED,
    RESHAPED,
    NEW,
    GONE,
)
"""All kinds of change, in the order in which they are said."""


@dataclass(frozen=True)
class Change:
    """What changed of a block."""

    kind: str
    said: str


def change_of(old: Side | None, new: Side | None) -> Change | None:
    """What changed of a block; None where nothing did.

    Parameters
    ----------
    old, new : the block in the reports before and now; None where it is not in one of them
    """
    if old is None or new is None:
        there, kind = (old, GONE) if old is not None else (new, NEW)
        return None if there is None else Change(kind, f"{there.shown}{_with(there)}")
    if old.row.shape != new.row.shape:
        shapes = f"{old.row.shape} -> {new.row.shape}"
        return Change(RESHAPED, f"{new.shown} ({shapes}; {_counts(old, new)})")
    kind = _kind(old, new)
    name = new.shown if old.row.name == new.row.name else f"{old.shown} -> {new.shown}"
    if kind:
        return Change(kind, f"{name} ({_counts(old, new)}{_limits(old, new)})")
    return Change(RENAMED, name) if name != new.shown else None


def _kind(old: Side, new: Side) -> str:
    """The kind of change of a block of the same shape; empty where nothing changed."""
    was, is_ = len(old.wrong), len(new.wrong)
    if was and not is_:
        return _kind_without_wrong(old, new)
    if is_ != was:
        return BROKE if not was else FEWER if is_ < was else MORE
    if not np.array_equal(old.wrong, new.wrong):
        return OTHERS
    was, is_ = len(old.undecided), len(new.undecided)
    if is_ < was:
        return LESS_UNDECIDED if is_ else DECIDED
    return "" if is_ == was else MORE_UNDECIDED if was else UNDECIDED


def _kind_without_wrong(old: Side, new: Side) -> str:
    """The kind where nothing is wrong any more: mended is what was looked at again, and is right."""
    again = np.intersect1d(old.wrong, new.checked)
    if not len(again):
        return NOT_SEEN
    all_right = len(again) == len(old.wrong) and not len(np.intersect1d(old.wrong, new.undecided))
    return MENDED if all_right else FEWER


def _counts(old: Side, new: Side) -> str:
    """How many were and are wrong, and undecided if that changed: "40 wrong -> 0", "0 -> 3 wrong"."""
    wrong, undecided = (len(old.wrong), len(new.wrong)), (len(old.undecided), len(new.undecided))
    said = [_count("wrong", *wrong)] if any(wrong) else []
    if undecided[0] != undecided[1]:
        said.append(_count("undecided", *undecided))
    return ", ".join(said) or "none wrong"


def _count(what: str, was: int, is_: int) -> str:
    if was == is_:
        return f"{is_:,} {what}"
    return f"{was:,} {what} -> {is_:,}" if was else f"0 -> {is_:,} {what}"


def _limits(old: Side, new: Side) -> str:
    """How many of what was wrong were not looked at again, and of what is wrong were not looked at before."""
    missed = len(np.setdiff1d(old.wrong, new.checked))
    unseen = len(np.setdiff1d(new.wrong, old.checked))
    return (f"; {missed:,} of the former were not checked again" if missed else "") + (
        f"; {unseen:,} were not checked before" if unseen else ""
    )


def _with(side: Side) -> str:
    counts = [(len(side.wrong), "wrong"), (len(side.undecided), "undecided")]
    said = ", ".join(f"{count:,} {what}" for count, what in counts if count)
    return f" ({said})" if said else ""

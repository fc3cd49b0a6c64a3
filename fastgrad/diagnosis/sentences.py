"""From the explanations of blocks to diagnoses: one for all blocks with the same mistake.

`diagnose` calls `sentences`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from fastgrad.diagnosis.evidence import Diagnosis, Evidence, Explanation
from fastgrad.diagnosis.factor_names import UNNAMED_FACTOR
from fastgrad.diagnosis.partial import compare
from fastgrad.diagnosis.penalties import L2_EXTRA, L2_MISSING, ON_BIASES, OR_A_PROJECTION
from fastgrad.diagnosis.places import joined

Found = list[tuple[Evidence, Explanation]]
"""The wrong blocks, in the user's order, and the explanation of each."""

NAMED_BLOCKS = 8
"""The most blocks that a sentence names one by one."""

SENTENCES_OF_UNEXPLAINED = 3
"""The most blocks without an explanation that get a sentence each. If there are more, they share one."""

ROUND_NUMBER = 1e-6
"""The largest relative distance of a norm to a number of two digits to which it may have been clipped."""

NEAR_ONE = 1e-2
"""A factor this near to 1 is not taken for the slope of a loss."""

SAME_FACTOR = ". The factor is the same in all blocks that are wrong: look at the scale of the loss first"
OF_THE_OUTPUT = (
    "; or is it the gradient of the output, not of the loss? All blocks then lack the slope of the loss, one "
    "number"
)
LOCAL = ". All other blocks agree: the mistake is in what is done for this block alone"


@dataclass
class Group:
    """Blocks with the same mistake, and the explanation with what all of them show of its numbers."""

    members: list[Evidence]
    explanation: Explanation

    @property
    def kind(self) -> str:
        """The kind of mistake."""
        return self.explanation.kind


def sentences(found: Found, blocks: Sequence[Evidence]) -> list[Diagnosis]:
    """The diagnoses, in the order of the first block of each.

    Parameters
    ----------
    found : Found
    blocks : the evidence of every block, in the user's order
    """
    unnamed = [b for b, e in found if e.kind == "unexplained"]
    if len(unnamed) > SENTENCES_OF_UNEXPLAINED:
        shared = _in_common(unnamed)
        found = [(b, shared if e.kind == "unexplained" else e) for b, e in found]
    return [_diagnosis(group, blocks) for group in _groups(found)]


def _groups(found: Found) -> list[Group]:
    groups: list[Group] = []
    alike: dict[tuple[str, str], list[Group]] = {}
    for block, e in found:
        candidates = alike.setdefault((e.kind, e.text), [])
        group = next((g for g in candidates if e.agrees(g.explanation)), None)
        if group is None:
            groups.append(Group([block], e))
            candidates.append(groups[-1])
        else:
            group.members.append(block)
            group.explanation = group.explanation.both(e)
    return groups


def _in_common(blocks: Sequence[Evidence]) -> Explanation:
    """The description that many unexplained blocks share."""
    compared = [c for b in blocks if (c := compare(b)) is not None]
    text = "wrong in no way that has a name"
    if compared:
        (low, high), (least, most) = [(min(v), max(v)) for v in list(zip(*compared, strict=True))[:2]]
        text += (
            f": cosines from {low:.3f} to {high:.3f}, |claimed| / |numeric| from {least:.3g} to {most:.3g}"
        )
    return Explanation("unexplained", text)


def _diagnosis(group: Group, blocks: Sequence[Evidence]) -> Diagnosis:
    names = [b.name for b in group.members]
    listed = (
        names
        if len(names) <= NAMED_BLOCKS
        else [*names[: NAMED_BLOCKS - 1], f"{len(names) - NAMED_BLOCKS + 1} more"]
    )
    e = _on_biases(group, blocks)
    return Diagnosis(e.kind, tuple(names), f"{joined(listed)}: {e.words()}{_about_all(group, blocks)}")


def _about_all(group: Group, blocks: Sequence[Evidence]) -> str:
    """What follows if these are all the blocks that are wrong; empty if they are not."""
    checked = [b for b in blocks if len(b.inside)]
    count = len(group.members)
    if count < sum(bool(b.wrong.any()) for b in checked):
        return ""
    if group.kind in ("factor", "sign"):
        remark = _clipped_norm(group, checked) or _of_the_output(group, checked)
        return SAME_FACTOR + remark if count > 1 else remark
    others = [b for b in checked if b is not group.members[0]]
    if group.kind == "unexplained" and count == 1 and others and not any(b.undecided.any() for b in others):
        return LOCAL
    return ""


def _clipped_norm(group: Group, blocks: Sequence[Evidence]) -> str:
    """A remark if the norm of the whole claimed gradient is a round number: it may have been clipped."""
    if len(group.members) < 2 or not (
        all(b.whole for b in blocks) and 0 < group.explanation.numbers[0].value < 1
    ):
        return ""
    norm = float(np.linalg.norm([np.linalg.norm(b.claimed) for b in blocks]))
    if not abs(norm - float(f"{norm:.1e}")) <= ROUND_NUMBER * norm:
        return ""
    return f"; or is the gradient clipped by its norm? It is {norm:.2g}"


def _of_the_output(group: Group, blocks: Sequence[Evidence]) -> str:
    """A remark if all blocks have one factor without a name: it may be the slope of the loss."""
    if len(group.members) < len(blocks) or UNNAMED_FACTOR not in group.explanation.detail:
        return ""
    if abs(group.explanation.numbers[0].value - 1) < NEAR_ONE:
        return ""
    return OF_THE_OUTPUT


def _on_biases(group: Group, blocks: Sequence[Evidence]) -> Explanation:
    """The explanation, with another text for an L2 term if only biases are wrong and some weights right."""
    e = group.explanation
    if e.detail == OR_A_PROJECTION and len(group.members) > 1:
        e = replace(e, detail="")
    if e.text not in (L2_MISSING, L2_EXTRA) or any(len(b.shape) > 1 for b in group.members):
        return e
    if not any(len(b.shape) > 1 and len(b.inside) and not b.wrong.any() for b in blocks):
        return e
    return replace(e, text=ON_BIASES[e.text])

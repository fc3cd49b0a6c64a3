"""Detectors of the mistakes in gradients by complex numbers: another convention, a part that was dropped.

Notation: z = a + ib, L the loss, d_a = dL/da, d_b = dL/db. The entries of a block are those of a and of b in
turns. A claim in some convention is the number f (d_a + s i d_b), with s = 1 or -1 and f = 1 or 1/2.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fastgrad.arrays import Floats
from fastgrad.diagnosis.evidence import Evidence, Explanation


@dataclass(frozen=True)
class Convention:
    """f (d_a + s i d_b), and what it is called."""

    s: int
    f: float
    words: str


CONVENTIONS = (
    Convention(1, 1.0, "dL/da + i dL/db, which torch gives"),
    Convention(-1, 1.0, "dL/da - i dL/db, which jax.grad and autograd give"),
    Convention(1, 0.5, "dL/dz* = (dL/da + i dL/db) / 2, the conjugate Wirtinger derivative"),
    Convention(-1, 0.5, "dL/dz = (dL/da - i dL/db) / 2, the Wirtinger derivative"),
)


def another_convention(block: Evidence) -> Explanation | None:
    """The claim is right in another convention than the one that it is taken for."""
    if not _is_complex(block) or not block.explicable:
        return None
    own = CONVENTIONS[1] if block.form is not None and block.form.is_conjugate else CONVENTIONS[0]
    facts, signs = block.facts, _signs(block)
    for one in CONVENTIONS:
        H = facts.g / one.f * (signs if one.s != own.s else 1.0)
        if one is not own and facts.explains(H) and facts.visible(H - facts.g):
            return Explanation(
                "convention", f"it matches {one.words}; what is checked is {own.words}: {_advice(one, own)}"
            )
    return None


def real_only(block: Evidence) -> Explanation | None:
    """All derivatives by imaginary parts are claimed to be zero, and only these are wrong."""
    if not _is_complex(block) or not block.explicable:
        return None
    imaginary = block.inside % 2 == 1
    if block.claimed[imaginary].any() or block.wrong[~imaginary].any():
        return None
    return Explanation(
        "real only",
        "the imaginary part is 0 in every entry, the numeric one up to {peak}: is the gradient cast to real "
        "numbers on its way, by .real, astype(float) or a buffer of floats?",
        peak=float(np.abs(block.numeric[imaginary & block.known]).max()),
    )


def _is_complex(block: Evidence) -> bool:
    return block.form is not None and block.form.is_complex


def _signs(block: Evidence) -> Floats:
    """1 for real parts, -1 for imaginary ones, of the entries with known derivatives."""
    return np.where(block.inside[block.known] % 2 == 1, -1.0, 1.0)


def _advice(one: Convention, own: Convention) -> str:
    """How the one becomes the other."""
    factor = "2 * " * (one.f != own.f)
    return f"return {factor}np.conj(...) of it" if one.s != own.s else f"return {factor}it"

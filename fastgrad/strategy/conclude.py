"""What clean directions prove, and what is to be said where they prove nothing.

Nothing is evaluated here. `strategy.sampled` hands in its search when that has ended. What the random draws
prove is in `strategy.prove`.
"""

from __future__ import annotations

from dataclasses import dataclass

from fastgrad.directions.certificate import Certificate, CertifiedBlock
from fastgrad.directions.probes import finite_rms
from fastgrad.directions.search import Search
from fastgrad.specification import Specification
from fastgrad.verdict.rule import NEGLIGIBLE

BLIND = (
    "random directions prove nothing here: differences could not tell the slope along them (a "
    "kink at the parameters, or the end of a domain?)"
)
NO_ROOM = "the budget had no room for the probes that were asked for"
NO_SINGLE_ONE = "something is wrong that no single coordinate accounts for"
NO_BUDGET_TO_SEARCH = "there was no budget to search for where"


@dataclass(frozen=True)
class Conclusion:
    """What came of random directions."""

    certificate: Certificate | None = None
    notes: tuple[str, ...] = ()
    doubt: str = ""
    """Why the verdict cannot be "agree"."""
    doubt_reference: str = ""
    """Where that doubt is explained, such as "FG506" for `fastgrad explain FG506`."""


def conclude(spec: Specification, search: Search | None, full: list[str], budget_ended: bool) -> Conclusion:
    """What the probes of a search prove.

    Parameters
    ----------
    spec : Specification
    search : when it has ended; None where there was no budget to set it up
    full : the names, as they are printed, of blocks that are wrong in so many places that no single
        coordinates were searched for
    budget_ended : whether nothing more could be evaluated
    """
    asked_for = bool(spec.options.probes)
    if search is None:
        return Conclusion(doubt=NO_ROOM, doubt_reference="FG506") if asked_for else Conclusion()
    if search.certified:
        excluded = len(search.without) + search.localiser.singled_out
        if excluded == spec.parameters.size:
            return Conclusion()
        return Conclusion(_certificate(search, excluded), _notes_beside(search, full))
    if not search.localiser.region.size:
        return Conclusion()
    return _without_certificate(search, asked_for, budget_ended)


def _certificate(search: Search, excluded: int) -> Certificate:
    certifier, engine = search.certifier, search.certifier.prober.engine
    numbers = [r.block for r in search.localiser.region.rectangles]
    rms = {k: finite_rms(engine.tangent.gradient[k]) for k in numbers}
    least = NEGLIGIBLE * max(engine.sizes[k] * rms[k] for k in numbers)  # below is only rounding: no scale
    blocks = [
        CertifiedBlock(
            engine.parameters.blocks[k].name,
            engine.sizes[k],
            rms[k] if engine.sizes[k] * rms[k] > least else 0.0,
            engine.parameters.blocks[k].shown,
        )
        for k in numbers
    ]
    return Certificate.of(certifier.clean, blocks, excluded, certifier.runs)


def _notes_beside(search: Search, full: list[str]) -> tuple[str, ...]:
    """What a certificate does not say."""
    notes = []
    if full:
        notes.append(
            f"{', '.join(full)}: wrong in so many places that no single ones were searched for; the "
            "wrong ones of the subset are listed"
        )
    if search.localiser.forgiving and not search.localiser.found:
        notes.append(
            "random directions show small differences everywhere, each below what counts as an error (a "
            "claim rounded to float32?)"
        )
    return tuple(notes)


def _without_certificate(search: Search, asked_for: bool, budget_ended: bool) -> Conclusion:
    """Why there is no certificate: a doubt where one was asked for or a probe failed, else a note."""
    certifier = search.certifier
    if certifier.blind:
        return Conclusion(doubt=BLIND, doubt_reference="FG512") if asked_for else Conclusion(notes=(BLIND,))
    if search.localiser.lost or certifier.failed is not None:
        failed = certifier.failed or search.last_failed
        assert failed is not None
        why = NO_BUDGET_TO_SEARCH if search.stopped or budget_ended else NO_SINGLE_ONE
        return Conclusion(
            doubt=f"along the random direction of seed {failed.direction.seed} the slope of the cost and the "
            f"claimed gradient differ by {abs(failed.r):.3g}, known to {failed.bound:.2g}: {why}",
            doubt_reference="FG511",
        )
    made, of = len(certifier.clean), certifier.probes
    if asked_for:
        return Conclusion(
            doubt=f"only {made} of {of} probes were made within the budget", doubt_reference="FG506"
        )
    note = f"{made} of {of} probes were made within the budget, all clean: no certificate"
    return Conclusion(notes=(note,))

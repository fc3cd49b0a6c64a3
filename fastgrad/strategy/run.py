"""Choosing coordinates, and measuring them within the budget.

`checks` calls `choose` first, for the engine depends on which coordinates are checked. Then it calls
`measure_choice`, which measures them and returns an `Outcome`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from fastgrad.arrays import IndexArray
from fastgrad.coordinates.measurement import Coordinates
from fastgrad.directions.search import EVALUATIONS_OF_A_PROBE
from fastgrad.execution.progress import in_words
from fastgrad.execution.run import Run
from fastgrad.index_sets import union
from fastgrad.options import is_auto
from fastgrad.problem.claim import ClaimedGradient
from fastgrad.sampling.selection import Selection, choose_coordinates, draw_blocks, representatives
from fastgrad.specification import Specification
from fastgrad.strategy.decide import LEAST, Decision, coordinates_to_calibrate, decide, within_budget
from fastgrad.strategy.forecast import CONFIRMING, EACH_OF_FEW, Forecast, forecast
from fastgrad.strategy.outcome import Outcome

SAID_FROM = 60.0
"""Seconds from which the prediction is said before a check begins."""

OF_WRONG = 3.0
"""How much longer a gradient takes that is wrong everywhere: 1.0 to 2.9 times as long, of smooth costs and of
some with kinks, of 5 to 1,000 coordinates."""

MORE = 16
"""How many times as many coordinates are kept ready as a budget is predicted to have room for."""


@dataclass(frozen=True, eq=False)
class Choice:
    """Which coordinates a check is about, before the engine is chosen."""

    for_engine: IndexArray
    """Those that the engine is chosen for; of very many some."""
    count: int
    indices: IndexArray | None = None
    """Those that the options name; None where the strategy decides."""
    selection: Selection | None = None


def choose(spec: Specification, claim: ClaimedGradient | None) -> Choice:
    """The coordinates that the options name, drawn once; or all, for the strategy to choose from.

    Parameters
    ----------
    spec : Specification
    claim : the claimed gradient, whose extremes and zeros are picked on purpose; None where there is none

    Raises
    ------
    InputError
        For coordinates that cannot be: more than there are, or out of range.
    """
    options, parameters = spec.options, spec.parameters
    if is_auto(options.coordinates) and claim is not None and options.tolerance is None:
        return Choice(representatives(parameters.size), parameters.size)
    leaves = None if claim is None else claim.leaves
    indices, selection = choose_coordinates(
        options.coordinates, parameters, options.seed, leaves, options.draw
    )
    everything = len(indices) == parameters.size
    chosen_for = representatives(parameters.size) if everything else indices
    return Choice(chosen_for, len(indices), indices, selection)


def measure_choice(coordinates: Coordinates, choice: Choice) -> Outcome:
    """Check the chosen coordinates, or what the strategy decides on, within the budget.

    Parameters
    ----------
    coordinates : Coordinates, of which nothing is known yet; what is measured is in it afterwards
    choice : Choice
    """
    outcome = _within_budget(coordinates, choice)
    coordinates.settle()
    return outcome


def _within_budget(coordinates: Coordinates, choice: Choice) -> Outcome:
    spec, engines, run = coordinates.spec, coordinates.engines, coordinates.run
    price = forecast(spec, engines, run, choice.count, choice.for_engine)
    if choice.indices is not None and choice.selection is not None:
        return _as_asked(coordinates, choice.indices, choice.selection, price)
    numbers = run.checkpoint.remember(
        f"decision{_setting(coordinates)}",
        lambda: decide(spec.parameters, spec.options, price, run.budget).as_list,
    )
    decision = Decision.from_list(numbers)
    if not decision.everything:
        _announce_sample(price, decision, coordinates)
        from fastgrad.strategy.sampled import SampledCheck  # the search is loaded where it is needed

        return SampledCheck(coordinates, decision, price).measure()
    parameters = spec.parameters
    indices, selection = choose_coordinates("all", parameters, spec.options.seed)
    return _as_asked(coordinates, indices, selection, price)


def _setting(coordinates: Coordinates) -> str:
    """What decisions depend on, and a check that goes on may have another of: the engine and the budget."""
    return f" for {coordinates.engines.engine.name}{coordinates.run.budget.limits}"


def _as_asked(
    coordinates: Coordinates, indices: IndexArray, selection: Selection, price: Forecast
) -> Outcome:
    """Check the coordinates that were asked for, or as many of them as there is budget for."""
    spec, run, claim = coordinates.spec, coordinates.run, coordinates.claim
    probing = claim is not None and bool(spec.options.probes)  # which may lead to any block
    blocks = len(spec.parameters.blocks) if probing else int((np.array(selection.per_block) > 0).sum())
    asked, setting = len(indices), _setting(coordinates)
    room = run.checkpoint.remember(f"room{setting}", lambda: within_budget(asked, blocks, price, run.budget))
    _announce(price, room, asked, blocks, coordinates)
    planned, rest = 0, np.empty(0, dtype=np.intp)
    if room < asked:
        planned = asked
        rng = np.random.default_rng(spec.options.seed)
        most = max(MORE * room, int(min(run.budget.left(price.each), asked)))
        order = indices[rng.choice(asked, min(asked, most), replace=False)]
        indices, rest = np.sort(order[:room]), order[room:]
    if claim is not None and not probing:
        claim.narrow(union(indices, rest))
    around = union(indices, _some_of_each_block(spec)) if probing else indices
    left = run.budget.left(price.each)
    calibrated = run.checkpoint.remember(
        f"looks{setting}", lambda: coordinates_to_calibrate(blocks, left, price)
    )
    with run.progress.stage("measuring noise", None):
        coordinates.calibrate(around, calibrated)
    with run.progress.stage("checking gradient", len(indices)):
        coordinates.measure(indices, live=True)
        handed = union(indices, _use_up(coordinates, rest))
    if planned and selection.drawn is None:
        selection = replace(selection, drawn=handed)
    run.charge("coordinates")
    if not probing:
        return Outcome(selection, planned)
    from fastgrad.strategy.sampled import SampledCheck

    probes = Decision(False, (), spec.options.probes or 0)
    return SampledCheck(coordinates, probes, price).probe(selection, planned)


def _some_of_each_block(spec: Specification) -> IndexArray:
    counts = [min(LEAST, b.size) for b in spec.parameters.blocks]
    return draw_blocks(counts, spec.parameters, spec.options.seed)[0]


def _use_up(coordinates: Coordinates, rest: IndexArray) -> IndexArray:
    """Measure more coordinates, in the order they come, as long as there is budget; which they were."""
    done, budget = 0, coordinates.run.budget
    while done < len(rest) and not budget.is_over():
        left = budget.left(coordinates.engines.in_reals.seconds_each)
        count = int((left - CONFIRMING if left > 2 * CONFIRMING else left) / EACH_OF_FEW)
        if count < 1:
            break
        coordinates.measure(np.sort(rest[done : done + count]))
        done += count
    return rest[:done]


def _announce_sample(price: Forecast, decision: Decision, coordinates: Coordinates) -> None:
    """Say how long a sample will take, where that is long."""
    run, drawn, blocks = coordinates.run, sum(decision.counts), len(decision.counts)
    along = price.of_direction * EVALUATIONS_OF_A_PROBE * decision.probes
    evaluations = round(price.evaluations(drawn, blocks) + along)
    said = _in_words(price, evaluations, run, uses_up=run.budget.limited)
    if said:
        run.progress.say(
            f"a sample of {drawn:,} coordinates and {decision.probes} random directions will take about "
            f"{said}"
        )


def _announce(price: Forecast, count: int, asked: int, blocks: int, coordinates: Coordinates) -> None:
    """Say how long it will take, where that is long."""
    run, options = coordinates.run, coordinates.spec.options
    said = _in_words(price, price.evaluations(count, blocks), run, uses_up=count < asked)
    if not said:
        return
    limit = "" if run.budget.limited else "; budget= and max_evaluations= end it earlier"
    shorter = "" if is_auto(options.coordinates) else ', coordinates="auto" takes a sample and probes'
    run.progress.say(f"{count:,} coordinates will take about {said}{limit}{shorter}")


def _in_words(price: Forecast, evaluations: int, run: Run, uses_up: bool) -> str:
    """How long so many evaluations take, with the factors of that; empty where it is not long.

    Where a budget has no room for all of them, it is what the budget has room for.

    Parameters
    ----------
    price : Forecast
    evaluations : how many a right gradient takes
    run : Run
    uses_up : whether what is left of a budget is used up by more coordinates
    """
    left = run.budget.left(price.each)
    made = left if uses_up else min(evaluations, left)
    seconds = price.seconds(made)
    if seconds < SAID_FROM:
        return ""
    longer = "" if uses_up else f", up to {OF_WRONG:g} times that if the gradient is wrong in many places"
    return f"{in_words(seconds)} ({made:,.0f} evaluations of {in_words(price.each)} each{longer})"

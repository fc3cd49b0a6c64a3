"""What the options ask for, or the strategy decides on, is done, within the budget."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from fastgrad.arrays import IndexArray
from fastgrad.coordinates.measurement import Measurement
from fastgrad.execution.progress import Progress
from fastgrad.index_sets import union
from fastgrad.options import Options, is_auto
from fastgrad.problem.claim import ClaimedGradient
from fastgrad.problem.parameters import Parameters
from fastgrad.sampling.selection import Selection, choose_coordinates, count_coordinates, draw_blocks, spread
from fastgrad.strategy.decide import LEAST, Decision, decide, looks, within_budget
from fastgrad.strategy.forecast import EACH, Forecast, forecast, in_words
from fastgrad.strategy.outcome import Outcome
from fastgrad.strategy.sampled import Pursuit

SAID_FROM = 60.0
"""Seconds from which the prediction is said before a check begins."""

MORE = 16
"""How many times as many coordinates are kept ready as a budget is predicted to have room for."""


def carry_out(m: Measurement, claim: ClaimedGradient | None, tally: Progress) -> Outcome:
    """Check what the options ask for, within the budget.

    Parameters
    ----------
    m : Measurement
    claim : the gradient under test; None for a numerical gradient
    tally : what the user is told
    """
    options, parameters = m.options, m.parameters
    count = count_coordinates(options.coordinates, parameters)
    price = forecast(m, count, m.some)
    if not _is_left_to_us(m, claim):
        return _as_asked(m, claim, price, tally)
    can_probe = claim is not None and options.tolerance is None
    numbers = m.keeper.remember(
        f"decision{_limits(m)}", lambda: decide(parameters, options, price, m.budget, can_probe).as_list
    )
    decision = Decision.from_list(numbers)
    if decision.everything:
        return _as_asked(m, claim, price, tally)
    assert claim is not None
    return Pursuit(m, claim, decision, tally).run()


def _limits(m: Measurement) -> str:
    """The budget, which what is decided depends on: a check that goes on with more decides anew."""
    return f" {m.budget.seconds} s, {m.budget.evaluations} evaluations" if m.budget.limited else ""


def _is_left_to_us(m: Measurement, claim: ClaimedGradient | None) -> bool:
    return claim is not None and is_auto(m.options.coordinates) and m.options.tolerance is None


def _wanted(m: Measurement, claim: ClaimedGradient | None) -> tuple[IndexArray, Selection]:
    """The coordinates that the options name, everything for those they leave to fastgrad."""
    options, g = m.options, None if claim is None else claim.leaves
    return choose_coordinates(options.coordinates, m.parameters, options.seed, g, options.draw)


def _as_asked(m: Measurement, claim: ClaimedGradient | None, price: Forecast, tally: Progress) -> Outcome:
    """Check the coordinates that were asked for, or as many of them as there is budget for."""
    indices, coverage = _wanted(m, claim)
    probing = claim is not None and bool(m.options.probes)  # which may lead to any block
    blocks = len(m.parameters.blocks) if probing else int((np.array(coverage.per_block) > 0).sum())
    limits, asked = _limits(m), len(indices)
    room = m.keeper.remember(f"room{limits}", lambda: within_budget(asked, blocks, price, m.budget))
    _announce(price.seconds(price.evaluations(room, blocks)), room, price, tally, m)
    done = Outcome(coverage)
    rest = np.empty(0, dtype=np.intp)
    if room < len(indices):
        done.planned = len(indices)
        rng = np.random.default_rng(m.options.seed)
        count = min(len(indices), MORE * room)
        order = indices[rng.choice(len(indices), count, replace=False)]
        indices, rest = np.sort(order[:room]), order[room:]
    if claim is not None and not probing:
        claim.narrow(union(indices, rest))
    around = union(indices, _some_of_each_block(m)) if probing else indices
    left = m.budget.left(price.each)
    m.look_around(around, m.keeper.remember(f"looks{limits}", lambda: looks(blocks, left)))
    with tally.stage("checking gradient", len(indices)):
        m.measure(indices, claim, tally=tally)
        handed = union(indices, _use_up(m, claim, rest))
    if done.planned and coverage.drawn is None:
        done.coverage = replace(coverage, drawn=handed)
    done.spent = {"in all": m.evaluations}
    if claim is not None and m.options.probes:
        decision = Decision(False, (), m.options.probes)
        done = Pursuit(m, claim, decision, tally, done).probe_and_search()
    return done


def _some_of_each_block(m: Measurement) -> IndexArray:
    counts = [min(LEAST, b.size) for b in m.parameters.blocks]
    return draw_blocks(counts, m.parameters, m.options.seed)[0]


def _use_up(m: Measurement, claim: ClaimedGradient | None, rest: IndexArray) -> IndexArray:
    """Measure more coordinates, in the order they come, as long as there is budget; which they were."""
    done = 0
    while done < len(rest) and not m.budget.is_over():
        count = int(m.budget.left(m.sample.seconds_each) / EACH)
        if count < 1:
            break
        m.measure(np.sort(rest[done : done + count]), claim)
        done += count
    return rest[:done]


def _announce(seconds: float, count: int, price: Forecast, tally: Progress, m: Measurement) -> None:
    if seconds < SAID_FROM or m.options.progress is False:
        return
    limit = "" if m.budget.limited else "; budget= and max_evaluations= end it earlier"
    shorter = "" if is_auto(m.options.coordinates) else ', coordinates="auto" takes a sample and probes'
    tally.say(
        f"{count:,} coordinates will take about {in_words(seconds)} ({EACH:g} evaluations of "
        f"{in_words(price.each)} each){limit}{shorter}"
    )


def coordinates_for_engine(options: Options, parameters: Parameters) -> IndexArray:
    """The coordinates that the engine is chosen for: those named, else all, or of very many some."""
    if isinstance(options.coordinates, str | float):
        return spread(parameters.size)
    return choose_coordinates(options.coordinates, parameters, options.seed)[0]

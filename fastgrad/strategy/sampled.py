"""What is done where not every coordinate can be visited: random directions, a subset, a search.

`strategy.run` makes a `SampledCheck`. It measures through `Coordinates`, probes through a `Search`, and hands
what came of both to `conclude`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from fastgrad.arrays import IndexArray
from fastgrad.coordinates.measurement import Coordinates
from fastgrad.directions.probes import SET_UP, Prober
from fastgrad.directions.search import (
    EVALUATIONS_OF_A_PROBE,
    Certifier,
    Localiser,
    Ruled,
    Search,
)
from fastgrad.engines.choose import is_networks_own
from fastgrad.engines.directional import DirectionalEngine, Tangent
from fastgrad.execution.budget import INTERRUPTED
from fastgrad.execution.evaluator import Evaluator
from fastgrad.execution.workers import choose_workers
from fastgrad.index_sets import between, distinct, holds, union, without
from fastgrad.problem.claim import ClaimedGradient
from fastgrad.problem.parameters import Parameters
from fastgrad.problem.regions import Region
from fastgrad.sampling.selection import Selection, draw_blocks, draw_important, share_out
from fastgrad.sampling.within_block import among_others
from fastgrad.strategy.conclude import conclude
from fastgrad.strategy.decide import LEAST, Decision, by_sample, counts_that_prove
from fastgrad.strategy.forecast import CONFIRMING, Forecast
from fastgrad.strategy.outcome import Outcome

DENSE_SHARE = 0.05
"""A block of which a larger share is wrong is not searched for single coordinates: the sample shows it."""

SEVERAL = 4
"""Wrong coordinates of a block below which none of it is called dense."""

WORTH_TOGETHER = 0.5
"""Seconds of a probe from which several are asked for at once, one for each worker process. Threads would
each need a copy of the parameters: they make one probe after the other."""


class SampledCheck:
    """Random directions, a subset of each block, and a search where a direction is not clean.

    Parameters
    ----------
    coordinates : Coordinates, with a claimed gradient
    decision : Decision, with the number of probes, and how many coordinates of each block are drawn
    price : of an evaluation
    """

    def __init__(self, coordinates: Coordinates, decision: Decision, price: Forecast) -> None:
        assert coordinates.claim is not None
        self.coordinates, self.decision, self.price = coordinates, decision, price
        self.spec, self.run = coordinates.spec, coordinates.run
        self.claim: ClaimedGradient = coordinates.claim
        self.parameters = coordinates.spec.parameters
        self.stopped_blocks: dict[int, int] = {}
        """Of each block of which no more is drawn, in which batch one was found wrong."""
        self.search: Search | None = None
        self.left_out = np.empty(0, dtype=np.intp)
        """Coordinates that use up the budget, and were not decided before its end."""
        self.subset = np.empty(0, dtype=np.intp)
        """The coordinates that were drawn at first."""

    def measure(self) -> Outcome:
        """Directions first, then the subset, then the search for what a direction showed."""
        indices, selection = self._draw()
        self.subset = indices
        with self.run.progress.stage("measuring noise and steps", None):
            self.coordinates.calibrate(indices, self.decision.calibrated)
            if self.decision.probes:
                self._set_up_search()
        self.run.charge("set-up")
        if self.search is not None:
            with self.run.progress.stage("random probes", None):
                self.search.until_failure()
        self.run.charge("certificate")
        self._measure_subset(indices, selection)
        self.run.charge("subset")
        return self.probe(selection)

    def probe(self, selection: Selection, planned: int = 0) -> Outcome:
        """Probe, search where a probe fails, and say what that proves.

        Parameters
        ----------
        selection : of the coordinates that are measured already
        planned : how many were to be, where the budget had no room for all of them
        """
        if self.decision.probes:
            if self.search is None:
                self._set_up_search()
                self.run.charge("set-up")
            self._search()
        ended = bool(self.run.budget.stopped)  # before all probes and the search, if there are any
        if self.decision.counts:
            selection = self._use_up(selection)
            self.run.charge("subset")
        if self.search is not None:
            self.search.certifier.prober.engine.finish()
        found = conclude(self.spec, self.search, self._full_blocks(), ended)
        stopped = tuple(sorted(self.stopped_blocks.items()))
        planned = planned or self._least()
        return Outcome(
            selection,
            planned,
            stopped,
            found.certificate,
            found.notes,
            found.doubt,
            found.doubt_reference,
            left_out=self.left_out,
            used_up=not planned and self.run.budget.stopped not in ("", INTERRUPTED),
        )

    def _least(self) -> int:
        """How many coordinates a sample must have to agree, where a budget had no room for them; else 0."""
        if self.stopped_blocks or not (self.decision.counts and self.run.budget.limited):
            return 0
        least = min(LEAST, self.parameters.size)
        if by_sample(self.spec.options):
            least = sum(counts_that_prove([b.size for b in self.parameters.blocks], self.spec.options))
            whole = holds(self.coordinates.known.indices, self.subset).all()
            return (
                0
                if whole and max(sum(self.decision.counts), self._checked_of_each().sum()) >= least
                else least
            )
        return least if len(self.coordinates.known.indices) < least else 0

    def _draw(self) -> tuple[IndexArray, Selection]:
        options, counts = self.spec.options, list(self.decision.counts)
        if options.draw == "importance":
            return draw_important(sum(counts), self.parameters, options.seed, self.claim.leaves)
        return draw_blocks(counts, self.parameters, options.seed, self.claim.leaves)

    def _measure_subset(self, indices: IndexArray, selection: Selection) -> None:
        """Measure the subset in batches that double; a block in which any is wrong gets no more."""
        budget, asked = self.run.budget, by_sample(self.spec.options)
        with self.run.progress.stage("checking a subset", len(indices)):
            for number, batch in enumerate(
                _batches(indices, selection, self.parameters, self.spec.options.seed)
            ):
                some = batch[~np.isin(self.parameters.block_numbers(batch), list(self.stopped_blocks))]
                if number == 0 or (len(some) and not budget.is_over()):
                    self._measure(some, number)
                elif not asked:
                    self.left_out = union(self.left_out, some)

    def _measure(self, some: IndexArray, batch: int) -> None:
        """Measure some coordinates, and leave out what the end of the budget leaves undecided.

        Of a sample that was asked for nothing is left out.
        """
        self.coordinates.measure(some, live=True)
        self._stop_wrong_blocks(batch)
        if not by_sample(self.spec.options) and self.run.budget.limited:
            self.coordinates.leave_out(some)
            self.left_out = union(self.left_out, without(some, self.coordinates.known.indices))

    def _stop_wrong_blocks(self, batch: int) -> None:
        known = self.coordinates.known
        comparison = known.judge()
        self.run.progress.tell(
            int((~comparison.wrong & ~comparison.undecided).sum()),
            int(comparison.wrong.sum()),
            int(comparison.undecided.sum()),
        )
        for number in distinct(self.parameters.block_numbers(known.indices[comparison.wrong])):
            self.stopped_blocks.setdefault(int(number), batch)

    def _use_up(self, selection: Selection) -> Selection:
        """Draw more of each block that was not found wrong, as long as there is budget for them."""
        budget, known = self.run.budget, self.coordinates.known
        while budget.limited and not budget.is_over():
            count, checked = self._affordable(), self._checked_of_each()
            room = [
                0 if k in self.stopped_blocks else b.size - int(checked[k])
                for k, b in enumerate(self.parameters.blocks)
            ]
            if count < 1 or sum(room) == 0:
                break
            rng = np.random.default_rng([self.spec.options.seed, 4, len(known.indices)])
            counts = share_out(min(count, sum(room)), room, rng).tolist()
            more = _others(counts, known.indices, self.parameters, rng)
            if selection.how == "random" and selection.drawn is not None:
                selection = replace(selection, drawn=union(selection.drawn, more))
            self._measure(more, max(self.stopped_blocks.values(), default=0) + 1)
            if len(self.left_out):
                break
        return selection

    def _affordable(self) -> int:
        """How many more coordinates there is budget for, at what those of the subset took."""
        left = self.run.budget.left(self.coordinates.engines.in_reals.seconds_each)
        left -= min(CONFIRMING, left / 2)
        each = self.run.purposes.get("subset", 0) / max(1, len(self.coordinates.known.indices))
        return min(self.price.measured_by(left), int(left / max(each, 1)))

    def _set_up_search(self) -> None:
        """Measure noise and step along directions, if there is budget for it."""
        coordinates, run, region = self.coordinates, self.run, Region.whole(self.parameters)
        engine = self._directional_engine()
        evaluate = Evaluator(engine, coordinates.engines.seconds, run)
        sigma = [s for s in coordinates.noise.values() if np.isfinite(s)]
        prober = Prober(
            engine, evaluate, max(sigma, default=0.0), coordinates.engines.cost, self.spec.options.seed
        )
        if not self._allowed(EVALUATIONS_OF_A_PROBE * SET_UP):
            return
        prober.set_up(region)
        if engine.workers == "processes" and EVALUATIONS_OF_A_PROBE * evaluate.seconds_each > WORTH_TOGETHER:
            prober.workers = choose_workers(engine, run.n_jobs, run.backend).count
        certifier = Certifier(prober, self._allowed, self.decision.probes)
        certifier.clean_from = evaluate.evaluations
        self.search = Search(certifier, Localiser(prober, self._judge, self._allowed, region))

    def _directional_engine(self) -> DirectionalEngine:
        engines, problem = self.coordinates.engines, self.spec.problem
        own = is_networks_own(problem.cost, problem.structure, "cost")  # and so keeps no state
        safe = own or engines.engine.workers != "processes"
        engine = DirectionalEngine(
            problem.cost, self.parameters, problem.args, Tangent(engines.cost, self.claim.leaves),
            self.spec.options.vectorized, "threads" if safe else "processes",
        )  # fmt: skip
        engine.epsilon = engines.in_reals.engine.epsilon
        engine.borrow(engines.in_reals.engine)
        return engine

    def _allowed(self, evaluations: int) -> bool:
        """Whether there is budget for so many more evaluations."""
        budget = self.run.budget
        if budget.is_over():
            return False
        return budget.left(self.coordinates.engines.in_reals.seconds_each) >= evaluations

    def _judge(self, index: int) -> Ruled:
        """What differences of its own say of one coordinate."""
        self.coordinates.measure(np.array([index], dtype=np.intp), vouched=True)
        known = self.coordinates.known
        k = int(np.searchsorted(known.indices, index))
        if k >= len(known.indices) or known.indices[k] != index:  # out of budget
            return Ruled(False, 0.0, float("inf"))
        comparison, found = known.judge(), known.estimates()
        assert known.claim is not None
        error = float(found.numeric[k] - known.claim.values[k])
        return Ruled(bool(comparison.wrong[k]), error, float(found.error_bound[k]))

    def _search(self) -> None:
        """Look for what is wrong outside of what the subset found."""
        search = self.search
        if search is None:
            return
        known = self.coordinates.known
        comparison = known.judge()
        not_clean = known.indices[comparison.wrong | comparison.undecided]
        if len(not_clean):
            dense = self._dense_blocks()
            blocks = [k for k in range(len(self.parameters.blocks)) if k not in dense]
            search.start_over(Region.whole(self.parameters, blocks), not_clean)
        with self.run.progress.stage("searching", None):
            before = search.evaluations
            search.run()
        self.run.charge("certificate", search.evaluations - max(before, search.certifier.clean_from))
        self.run.charge("localisation")
        for number in search.localiser.dense:
            self._sample_more(number)
        self.run.charge("subset")

    def _dense_blocks(self) -> list[int]:
        """Blocks of which so much is wrong that the subset shows it."""
        known = self.coordinates.known
        wrong = known.judge().wrong
        numbers, many = self.parameters.block_numbers(known.indices), len(self.parameters.blocks)
        counts, hits = (np.bincount(which, minlength=many) for which in (numbers, numbers[wrong]))
        return [int(k) for k in np.flatnonzero((hits >= SEVERAL) & (hits > DENSE_SHARE * counts))]

    def _full_blocks(self) -> list[str]:
        """The printed names of blocks, not all of them measured, that are wrong in many places."""
        blocks, checked = self.parameters.blocks, self._checked_of_each()
        searched = [] if self.search is None else self.search.localiser.dense
        dense = sorted({*searched, *self._dense_blocks()})
        return [blocks[k].shown for k in dense if checked[k] < blocks[k].size]

    def _sample_more(self, number: int) -> None:
        """Measure more of a block in which the search found wrong coordinates everywhere."""
        free = np.array([b.size for b in self.parameters.blocks]) - self._checked_of_each()
        counts = [min(LEAST, int(n)) if k == number else 0 for k, n in enumerate(free)]
        rng = np.random.default_rng([self.spec.options.seed, 5, number])
        more = _others(counts, self.coordinates.known.indices, self.parameters, rng)
        if len(more) and self._allowed(2 * len(more)):
            self.coordinates.measure(more)

    def _checked_of_each(self) -> IndexArray:
        """(blocks,) how many coordinates of each block are measured."""
        numbers = self.parameters.block_numbers(self.coordinates.known.indices)
        return np.bincount(numbers, minlength=len(self.parameters.blocks))


def _others(
    counts: Sequence[int], known: IndexArray, parameters: Parameters, rng: np.random.Generator
) -> IndexArray:
    """So many coordinates of each block at random, none of those that are known."""
    chosen = [np.empty(0, dtype=np.intp)]
    for block, count in zip(parameters.blocks, counts, strict=True):
        if not count:
            continue
        taken = between(known, block.start, block.start + block.size) - block.start
        ranks = np.sort(rng.choice(block.size - len(taken), count, replace=False))
        chosen.append(block.start + among_others(ranks, taken))
    return np.concatenate(chosen).astype(np.intp)


def _batches(
    indices: IndexArray, selection: Selection, parameters: Parameters, seed: int
) -> Iterator[IndexArray]:
    """The picked coordinates and LEAST of each block at first, then as many again, and so on."""
    drawn = distinct(selection.drawn) if selection.drawn is not None else indices
    order = np.random.default_rng([seed, 3]).permutation(len(drawn))
    numbers = parameters.block_numbers(drawn)
    rank = np.empty(len(drawn), dtype=np.intp)  # of each draw among those of its block
    for number in distinct(numbers):
        mine = order[numbers[order] == number]
        rank[mine] = np.arange(len(mine))
    start, stop = 0, LEAST
    first = without(indices, drawn)
    while start <= int(rank.max(initial=-1)):
        batch = drawn[(rank >= start) & (rank < stop)]
        yield union(first, batch) if start == 0 else batch
        start, stop = stop, 2 * stop
    if start == 0 and len(first):
        yield first

"""Probes, subset and search: what is done where not every coordinate can be visited."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from fastgrad.arrays import IndexArray
from fastgrad.coordinates.measurement import Measurement
from fastgrad.directions.certificate import Certificate
from fastgrad.directions.probes import SET_UP, Prober
from fastgrad.directions.search import Ruled, Search
from fastgrad.engines.directional import DirectionalEngine
from fastgrad.execution.evaluator import Evaluator
from fastgrad.execution.progress import Progress
from fastgrad.execution.workers import choose_workers
from fastgrad.index_sets import between, distinct, union, without
from fastgrad.problem.claim import ClaimedGradient
from fastgrad.problem.parameters import Parameters
from fastgrad.problem.regions import Region
from fastgrad.sampling.selection import Selection, draw_blocks, draw_important, share_out
from fastgrad.sampling.within_block import among_others
from fastgrad.strategy.decide import LEAST, Decision
from fastgrad.strategy.forecast import EACH
from fastgrad.strategy.outcome import Outcome

DENSE_SHARE = 0.05
"""A block of which a larger share is wrong is not searched for single coordinates: the sample shows it."""

SEVERAL = 4
"""Wrong coordinates of a block below which none of it is called dense."""

WORTH_TOGETHER = 0.5
"""Seconds of a probe from which several are asked for at once, one for each worker process. Threads would
each need a copy of the parameters: they make one probe after the other."""


class Pursuit:
    """Probes, subset, search."""

    def __init__(
        self,
        m: Measurement,
        claim: ClaimedGradient,
        decision: Decision,
        tally: Progress,
        done: Outcome | None = None,
    ) -> None:
        self.m, self.claim, self.decision, self.tally = m, claim, decision, tally
        self.parameters = m.parameters
        self.done = done
        self.looks: dict[int, int] = {}  # block -> after which look it was stopped
        self.search: Search | None = None

    def run(self) -> Outcome:
        """All three."""
        indices, coverage = self._draw()
        self.done = Outcome(coverage)
        self.m.look_around(indices, self.decision.looks)
        self._spend("set-up")
        if self.decision.probes:
            self._set_up_search(Region.whole(self.parameters))
            self._spend("set-up")
            if self.search is not None:
                with self.tally.stage("random probes", None):
                    self.search.until_failure()
        self._spend("certificate")
        self._measure_subset(indices, coverage)
        self._spend("subset")
        return self.probe_and_search()

    def _use_up(self) -> None:
        """Draw more of each block that was not found wrong, as long as there is budget for them."""
        m = self.m
        while m.budget.limited and not m.budget.is_over():
            count = int(m.budget.left(m.sample.seconds_each) / EACH)
            known = self._checked_of_each()
            room = [
                0 if k in self.looks else b.size - int(known[k]) for k, b in enumerate(self.parameters.blocks)
            ]
            if count < 1 or sum(room) == 0:
                return
            rng = np.random.default_rng([m.options.seed, 4, len(m.known.indices)])
            counts = share_out(min(count, sum(room)), room, rng).tolist()
            more = _others(counts, m.known.indices, self.parameters, rng)
            self._also_drawn(more)
            m.measure(more, self.claim)
            self._stop_wrong_blocks(max(self.looks.values(), default=0) + 1)

    def _also_drawn(self, more: IndexArray) -> None:
        assert self.done is not None
        coverage = self.done.coverage
        if coverage.how == "random" and coverage.drawn is not None:
            self.done.coverage = replace(coverage, drawn=union(coverage.drawn, more))

    def probe_and_search(self) -> Outcome:
        """Probe, search where a probe fails, and say what that proves."""
        assert self.done is not None
        if not self.done.spent:
            self._spend("in all")
        if self.decision.probes:
            if self.search is None:
                self._set_up_search(Region.whole(self.parameters))
                self._spend("set-up")
            self._search()
        if self.decision.counts:
            self._use_up()
            self._spend("subset")
        self._conclude()
        return self.done

    def _draw(self) -> tuple[IndexArray, Selection]:
        options, counts = self.m.options, list(self.decision.counts)
        if options.draw == "importance":
            return draw_important(sum(counts), self.parameters, options.seed, self.claim.leaves)
        return draw_blocks(counts, self.parameters, options.seed, self.claim.leaves)

    def _measure_subset(self, indices: IndexArray, coverage: Selection) -> None:
        """Measure the subset in batches that double; a block in which any is wrong gets no more."""
        with self.tally.stage("checking a subset", len(indices)):
            for look, batch in enumerate(_batches(indices, coverage, self.parameters, self.m.options.seed)):
                some = batch[~np.isin(self.parameters.block_numbers(batch), list(self.looks))]
                if look == 0 or (len(some) and not self.m.budget.is_over()):
                    self.m.measure(some, self.claim, tally=self.tally)
                    self._stop_wrong_blocks(look)

    def _stop_wrong_blocks(self, look: int) -> None:
        view = self.m.known
        comparison = view.judge()
        self.tally.tell(
            int((~comparison.wrong & ~comparison.undecided).sum()),
            int(comparison.wrong.sum()),
            int(comparison.undecided.sum()),
        )
        for number in distinct(self.parameters.block_numbers(view.indices[comparison.wrong])):
            self.looks.setdefault(int(number), look)

    def _set_up_search(self, part: Region) -> None:
        m = self.m
        safe = m.engine.workers != "processes" or m.problem.structure is not None
        engine = DirectionalEngine(
            m.problem.cost, self.parameters, m.problem.args, self.claim.leaves, m.cost,
            m.options.vectorized, "threads" if safe else "processes",
        )  # fmt: skip
        engine.epsilon = m.in_reals.epsilon
        engine.borrow(m.in_reals)
        how = (m.options.n_jobs, m.options.backend, m.budget, m.keeper)
        sample = Evaluator(engine, m.start.seconds, *how)
        m.others.append(sample)
        sigma = [s for s in m.noise.values() if np.isfinite(s)] if m.survey is not None else []
        prober = Prober(engine, sample, max(sigma, default=0.0), m.cost, m.options.seed)
        if not self._allowed(6 * SET_UP):
            return
        prober.set_up(part)
        if engine.workers == "processes" and 6 * sample.seconds_each > WORTH_TOGETHER:
            prober.workers = choose_workers(engine, m.options.n_jobs, m.options.backend).count
        none = np.empty(0, dtype=np.intp)
        self.search = Search(prober, self._judge, part, none, self._allowed, self.decision.probes)
        self.search.clean_from = sample.evaluations

    def _allowed(self, evaluations: int) -> bool:
        budget = self.m.budget
        if budget.is_over():
            return False
        return budget.left(self.m.sample.seconds_each) >= evaluations

    def _judge(self, index: int) -> Ruled:
        at = np.array([index], dtype=np.intp)
        self.m.measure(at, self.claim, vouched=True)
        view = self.m.known
        k = int(np.searchsorted(view.indices, index))
        if k >= len(view.indices) or view.indices[k] != index:  # out of budget
            return Ruled(False, 0.0, float("inf"))
        comparison, found = view.judge(), view.estimates()
        assert view.claim is not None
        error = float(found.numeric[k] - view.claim.values[k])
        return Ruled(bool(comparison.wrong[k]), error, float(found.error_bound[k]))

    def _search(self) -> None:
        """Look for what is wrong outside of what the subset found."""
        search = self.search
        if search is None:
            return
        known = self._not_clean()
        if len(known):
            search.without, search.failed = known, None
            search.begin_again()
            blocks = [k for k in range(len(self.parameters.blocks)) if k not in self._dense_blocks()]
            search.part = Region.whole(self.parameters, blocks)
        with self.tally.stage("searching", None):
            before = search.prober.sample.evaluations
            search.run()
        closing = search.prober.sample.evaluations - max(before, search.clean_from)
        self._spend("certificate", closing)
        self._spend("localisation")
        for number in search.dense:
            self._sample_more(number)
        self._spend("subset")

    def _not_clean(self) -> IndexArray:
        if self.m.view is None:
            return np.empty(0, dtype=np.intp)
        comparison = self.m.known.judge()
        return self.m.known.indices[comparison.wrong | comparison.undecided]

    def _dense_blocks(self) -> list[int]:
        """Blocks of which so much is wrong that the subset shows it."""
        view = self.m.known
        wrong = view.judge().wrong
        numbers, many = self.parameters.block_numbers(view.indices), len(self.parameters.blocks)
        counts, hits = (np.bincount(which, minlength=many) for which in (numbers, numbers[wrong]))
        return [int(k) for k in np.flatnonzero((hits >= SEVERAL) & (hits > DENSE_SHARE * counts))]

    def _sample_more(self, number: int) -> None:
        """More of a block in which the search found wrong coordinates everywhere."""
        free = np.array([b.size for b in self.parameters.blocks]) - self._checked_of_each()
        counts = [min(LEAST, int(n)) if k == number else 0 for k, n in enumerate(free)]
        rng = np.random.default_rng([self.m.options.seed, 5, number])
        more = _others(counts, self.m.known.indices, self.parameters, rng)
        if len(more) and self._allowed(2 * len(more)):
            self.m.measure(more, self.claim)

    def _conclude(self) -> None:
        """What all of it proves."""
        assert self.done is not None
        search, certificate = self.search, None
        excluded = 0 if search is None else len(search.without) + len(search.found) + len(search.cleared)
        if search is not None and search.certified and excluded < self.parameters.size:
            certificate = Certificate.of(search.prober, search.clean, search.part, excluded, search.runs)
            self.done.notes += self._what_was_left(search)
        elif search is not None and search.part.size and not search.certified:
            self._explain_failure(search)
        elif self.m.options.probes and search is None:
            self.done.doubt = "the budget had no room for the probes that were asked for"
        self.done.coverage = replace(
            self.done.coverage, certificate=certificate, looks=tuple(sorted(self.looks.items()))
        )

    def _what_was_left(self, search: Search) -> list[str]:
        blocks, per_block = self.parameters.blocks, self._checked_of_each()
        dense = sorted({*search.dense, *self._dense_blocks()})
        names = [blocks[k].name for k in dense if per_block[k] < blocks[k].size]
        notes = []
        if names:
            notes.append(
                f"{', '.join(names)}: wrong in so many places that no single ones were searched for; the "
                "wrong ones of the subset are listed"
            )
        notes += [
            f"{self._label(part)}: the search ended here, for most of these coordinates are wrong"
            for part in search.ended_in
        ]
        if search.forgiving and not search.found:
            notes.append(
                "random directions show small differences everywhere, each below what counts as an error (a "
                "claim rounded to float32?)"
            )
        return notes

    def _label(self, part: Region) -> str:
        """A part of one block in the user's terms."""
        r = part.rectangles[0]
        (top, bottom), (left, right) = r.rows, r.columns
        rows = f"{top}:{bottom}, " if bottom - top > 1 else f"{top}, "
        block = self.parameters.blocks[r.block]
        return f"{block.name}[{rows if len(block.shape) > 1 else ''}{left}:{right}]"

    def _checked_of_each(self) -> IndexArray:
        numbers = self.parameters.block_numbers(self.m.known.indices)
        return np.bincount(numbers, minlength=len(self.parameters.blocks))

    def _explain_failure(self, search: Search) -> None:
        assert self.done is not None
        if search.blind:
            said = (
                "random directions prove nothing here: differences could not tell the slope along them (a "
                "kink at the parameters, or the end of a domain?)"
            )
            if self.m.options.probes:
                self.done.doubt = said
            else:
                self.done.notes.append(said)
        elif search.lost or search.failed is not None:
            failed = search.failed or search.last_failed
            assert failed is not None
            self.done.doubt = (
                f"along the random direction of seed {failed.direction.seed} the slope of the cost and the "
                f"claimed gradient differ by {abs(failed.r):.3g}, known to {failed.bound:.2g}: something is "
                "wrong that no single coordinate accounts for"
            )
            if search.stopped or self.m.budget.stopped:
                self.done.doubt = self.done.doubt.replace(
                    "something is wrong that no single coordinate accounts for",
                    "there was no budget to search for where",
                )
        elif self.m.options.probes:
            self.done.doubt = (
                f"only {len(search.clean)} of {search.probes} probes were made within the budget"
            )
        else:
            self.done.notes.append(
                f"{len(search.clean)} of {search.probes} probes were made within the budget, all clean: no "
                "certificate"
            )

    def _spend(self, what: str, count: int | None = None) -> None:
        """Put down what was evaluated since last time, or so much of it."""
        assert self.done is not None
        spent = self.done.spent
        since = self.m.evaluations - sum(spent.values())
        spent[what] = spent.get(what, 0) + (since if count is None else count)


def _others(counts: Sequence[int], known: IndexArray, parameters: Parameters, rng: Any) -> IndexArray:
    """So many coordinates of each block at random, none of those that are known."""
    chosen = []
    for block, count in zip(parameters.blocks, counts, strict=True):
        taken = between(known, block.start, block.start + block.size) - block.start
        ranks = np.sort(rng.choice(block.size - len(taken), count, replace=False))
        chosen.append(block.start + among_others(ranks, taken))
    return np.concatenate(chosen).astype(np.intp)


def _batches(
    indices: IndexArray, coverage: Selection, parameters: Parameters, seed: int
) -> Iterator[IndexArray]:
    """The picked coordinates and LEAST of each block at first, then as many again, and so on."""
    drawn = distinct(coverage.drawn) if coverage.drawn is not None else indices
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

"""The search: what is wrong is found, what is right is not accused, and it ends."""

from __future__ import annotations

import numpy as np
import pytest

import fastgrad
from fastgrad.directions.certificate import certified_size
from fastgrad.directions.probes import Prober
from fastgrad.directions.search import (
    FORGIVING,
    FRUITLESS,
    LARGEST_LISTING,
    Certifier,
    Localiser,
    Ruled,
    Search,
)
from fastgrad.engines.directional import DirectionalEngine, Tangent
from fastgrad.execution.evaluator import Evaluator
from fastgrad.execution.run import Run
from fastgrad.problem.parameters import Parameters
from fastgrad.problem.regions import Region

SHAPES = {"W": (50, 40), "b": (40,), "V": (40, 10)}
"""2,440 coordinates."""


def quadratic(p):
    """Half the sum of squares of all blocks."""
    return 0.5 * sum(float(np.vdot(block, block)) for block in p.values())


def parameters_of(seed=0, shapes=None, dtype=np.float64):
    """Normal blocks."""
    rng = np.random.default_rng(seed)
    return {name: rng.normal(size=shape).astype(dtype) for name, shape in (shapes or SHAPES).items()}


def with_errors(params, errors):
    """The gradient of the quadratic with errors, by flat index: what is claimed too much."""
    parameters = Parameters(params)
    claim = {name: block.copy() for name, block in params.items()}
    for i, e in errors.items():
        block = parameters.block_of(i)
        claim[block.name].reshape(-1)[i - block.start] += e
    return claim


def at_random(params, count, seed, size=0.01):
    """So many errors at random places, of random signs and about that size."""
    rng = np.random.default_rng([seed, count])
    places = rng.choice(Parameters(params).size, count, replace=False)
    sizes = size * rng.choice([-1.0, 1.0], count) * rng.lognormal(sigma=0.5, size=count)
    return dict(zip(places.tolist(), sizes.tolist(), strict=True))


def search_of(errors, seed=0, probes=20, allowed=None, tau=1e-6, n_jobs=1, shapes=None):
    """A search in the quadratic, with a judge that knows: an error counts from tau on."""
    params = parameters_of(seed, shapes)
    claim = with_errors(params, errors(params) if callable(errors) else errors)
    parameters = Parameters(params)
    leaves = parameters.match(claim, "claim")
    engine = DirectionalEngine(
        quadratic, parameters, (), Tangent(quadratic(params), leaves), workers="threads"
    )
    engine.baseline()
    evaluate = Evaluator(engine, 1.0 if n_jobs > 1 else 1e-5, Run(n_jobs=n_jobs))
    prober = Prober(engine, evaluate, 0.0, engine.tangent.cost, seed)
    whole = Region.whole(parameters)
    prober.set_up(whole)
    asked = []

    def judge(index):
        asked.append(index)
        error = float(parameters.take(parameters.leaves, np.array([index]))[0])
        error -= float(parameters.take(leaves, np.array([index]))[0])
        return Ruled(abs(error) > tau, error, 1e-9)

    allowed = allowed or (lambda count: True)
    search = Search(Certifier(prober, allowed, probes), Localiser(prober, judge, allowed, whole))
    search.asked = asked
    return search


def run(search):
    """The search when it has ended, and the evaluations beyond its clean probes."""
    before = search.evaluations
    search.run()
    closing = search.evaluations - search.certifier.clean_from if search.certified else 0
    return search, search.evaluations - before - closing


class TestSearch:
    @pytest.mark.parametrize("seed", range(3))
    @pytest.mark.parametrize(("count", "most"), [(0, 0), (1, 60), (2, 90), (5, 220), (20, 900)])
    def test_finds_a_few(self, count, most, seed):
        """Wrong coordinates at random places are all found, no other is accused, in few evaluations."""
        search = search_of(lambda params: at_random(params, count, seed), seed)
        planted = set(at_random(parameters_of(seed), count, seed))
        search, evaluations = run(search)
        assert set(search.localiser.found) == planted
        assert search.certified
        assert evaluations <= most
        assert not search.localiser.dense
        assert len(search.asked) == len(set(search.asked)) <= 2 * count + 2
        other = planted ^ {5}  # the twin: another set of places gives another answer
        twin, _ = run(search_of(dict.fromkeys(sorted(other), 0.01), seed))
        assert set(twin.localiser.found) == other

    @pytest.mark.parametrize("seed", range(3))
    @pytest.mark.parametrize("pairs", [1, 5])
    def test_pairs_that_cancel(self, pairs, seed):
        """Pairs d, -d are found, though one direction in a few does not see them."""
        rng = np.random.default_rng([seed, pairs])
        places = rng.choice(2440, 2 * pairs, replace=False).tolist()
        errors = dict(zip(places, [0.01, -0.01] * pairs, strict=True))
        search, evaluations = run(search_of(errors, seed))
        assert set(search.localiser.found) == set(places)
        assert search.certified
        assert evaluations <= 120 * pairs

    @pytest.mark.parametrize("seed", range(2))
    @pytest.mark.parametrize("what", ["row", "column", "bias"])
    def test_a_row_or_a_column(self, what, seed):
        """A whole row, column or bias of forty or fifty is found, coordinate by coordinate, or given up."""
        places = {"row": range(280, 320), "column": range(7, 2000, 40), "bias": range(2000, 2040)}[what]
        errors = {i: 0.01 * (1 + 0.1 * (i % 7)) for i in places}
        search, evaluations = run(search_of(errors, seed))
        assert set(search.localiser.found) <= set(places)
        assert evaluations <= 2500
        whole = set(search.localiser.found) == set(places)
        block = {"row": 0, "column": 0, "bias": 1}[what]
        assert whole or search.localiser.dense == [block]
        assert search.certified  # of the rest

    @pytest.mark.parametrize("seed", range(3))
    def test_a_wrong_block_is_given_up(self, seed):
        """A block that is wrong everywhere is given up early, and only that; the rest is certified."""
        rng = np.random.default_rng(seed)
        errors = {i: 0.01 * rng.normal() for i in range(2000)}
        search, evaluations = run(search_of(errors, seed))
        assert search.localiser.dense == [0]
        assert evaluations <= 600
        assert set(search.localiser.found) <= set(errors)
        assert len(search.localiser.found) < LARGEST_LISTING
        assert search.certified
        assert [r.block for r in search.localiser.region.rectangles] == [1, 2]

    def test_all_is_wrong(self):
        """Where every block is wrong nothing is left to certify, and it ends soon."""
        rng = np.random.default_rng(0)
        search, evaluations = run(search_of({i: 0.01 * rng.normal() for i in range(2440)}))
        assert not search.certified
        assert evaluations <= 1500

    @pytest.mark.parametrize("seed", range(3))
    def test_errors_too_small_to_count(self, seed):
        """What probes see but the judge clears is no accusation, keeps still, and the search ends."""
        params = parameters_of(seed)
        errors = at_random(params, 5, seed, size=1e-4)
        search, evaluations = run(search_of(errors, seed, tau=1e-2))
        assert not search.localiser.found
        assert set(search.localiser.cleared) >= set(errors)
        assert search.certified
        assert evaluations <= 400
        twin, _ = run(search_of(errors, seed, tau=1e-6))
        assert set(twin.localiser.found) == set(errors)

    def test_small_errors_beside_large_ones(self):
        """Large errors do not hide small ones: errors of three orders are found together."""
        errors = {10: 1.0, 700: -1e-2, 2010: 1e-3, 2300: 0.3}
        search, _ = run(search_of(errors))
        assert set(search.localiser.found) == set(errors)
        assert search.certified

    def test_known_coordinates_stand_still(self):
        """Coordinates that are known already are not looked for."""
        search = search_of({10: 0.1, 20: 0.1})
        search.without = np.array([10])
        run(search)
        assert search.localiser.found == [20]
        assert search.asked == [20]

    def test_tiny_errors_are_found_or_not_certified(self):
        """An error of a few bounds is found, or what is certified is no less than it."""
        probe = search_of({})
        prober = probe.certifier.prober
        bound = prober.measure([prober.fresh(probe.localiser.region)])[0].bound
        for seed in range(5):
            for times in (2, 6, 30):
                search, _ = run(search_of({77: times * bound}, seed, tau=bound))
                says_less = search.certified and certified_size(search.certifier.clean, 1.0) >= times * bound
                assert search.localiser.found == [77] or not search.certified or says_less

    @pytest.mark.parametrize("count", [1, 20])
    def test_ends_within_what_is_allowed(self, count):
        """When evaluations run out it stops, and has made no more than it was allowed."""
        for limit in (6, 50, 130, 200):
            search = search_of(lambda params: at_random(params, count, 0))
            start = search.evaluations
            search.certifier.allowed = search.localiser.allowed = lambda more, s=search, a=start, n=limit: (
                s.evaluations - a + more <= n
            )
            _, made = run(search)
            assert search.evaluations - start <= limit + 60  # a probe may take a ladder
            assert search.stopped or search.certified
            assert made <= limit + 60
        assert search_of({}).certifier.allowed(10**9)

    def test_no_single_coordinate_is_to_blame(self):
        """Where the judge finds nothing, ever, the search ends, and does not certify what it saw."""
        search = search_of({10: 0.1, 300: 0.1})
        search.localiser.judge = lambda index: Ruled(False, 0.0, float("inf"))
        run(search)
        assert not search.localiser.found
        assert set(search.localiser.cleared) >= {10, 300}

    @pytest.mark.parametrize("count", [0, 1, 5])
    def test_workers_do_not_change_what_is_found(self, count):
        """Two workers, and probes asked for together, give what one by one gives."""
        one, _ = run(search_of(lambda params: at_random(params, count, 1), 1))
        two = search_of(lambda params: at_random(params, count, 1), 1, n_jobs=2)
        two.certifier.prober.workers = 2
        run(two)
        assert one.localiser.found == two.localiser.found
        clean = [[(s.direction.seed, s.r) for s in search.certifier.clean] for search in (one, two)]
        assert clean[0] == clean[1]
        assert len(two.certifier.clean) == 20

    def test_limits(self):
        """The numbers that end a search are those it is tested with."""
        assert (LARGEST_LISTING, FORGIVING, FRUITLESS) == (64, 8, 3)


def tanh_cost(p, X, Y):
    """Half the squared error of a small tanh network, over the batch."""
    return 0.5 * float(np.sum((np.tanh(X @ p["W"] + p["b"]) @ p["V"] - Y) ** 2)) / len(X)


def tanh_gradient(p, X, Y):
    """Its gradient."""
    a = np.tanh(X @ p["W"] + p["b"])
    d = (a @ p["V"] - Y) / len(X)
    dz = (d @ p["V"].T) * (1 - a * a)
    return {"W": X.T @ dz, "b": dz.sum(axis=0), "V": a.T @ d}


def network(seed=0):
    """The network of 2,440 parameters, a batch and the right gradient."""
    rng = np.random.default_rng(seed)
    params = {name: block / 5 for name, block in parameters_of(seed).items()}
    args = (rng.normal(size=(8, 50)), rng.normal(size=(8, 10)))
    return params, args, tanh_gradient(params, *args)


def checked(claim, params, args, **options):
    """A check of a few coordinates, with 20 probes."""
    options = {"coordinates": 6, "probes": 20, "progress": False, **options}
    return fastgrad.check_gradient(tanh_cost, claim, params, args=args, **options)


def places_of(report):
    """The flat indices of what is wrong."""
    return {w.flat_index for w in report.wrong}


class TestPublic:
    @pytest.mark.parametrize("coordinates", [6, "auto"])
    def test_names_what_is_wrong(self, coordinates):
        """A check with probes names the wrong coordinates, and says what it spent on which."""
        params, args, g = network()
        g["W"][3, 4] *= 1.01
        g["V"][20, 5] += 1e-4
        planted = {3 * 40 + 4, 2040 + 205}
        report = checked(g, params, args, coordinates=coordinates, confidence=0.99)
        assert places_of(report) == planted
        assert {w.label for w in report.wrong} == {"W[3, 4]", "V[20, 5]"}
        assert report.verdict == "disagree"
        assert report.coverage.certificate.probes == 20
        assert report.coverage.certificate.excluded >= 2 or coordinates == "auto"
        assert sum(report.spent.values()) == report.evaluations
        assert 0 < report.spent["localisation"] <= 200
        assert report.spent["certificate"] >= 120

    def test_right_gradient(self):
        """The twin: of the right gradient nothing is accused, and nothing is spent on a search."""
        params, args, g = network()
        report = checked(g, params, args)
        assert report.verdict == "agree"
        assert report.spent["localisation"] == 0
        assert report.coverage.certificate.miss == 2.0**-20
        assert max(report.coverage.certificate.relative) < 1e-5

    def test_claims_rounded_to_float32(self):
        """Claims that went through float32 are neither accused nor searched forever."""
        params, args, g = network()
        rounded = {name: block.astype(np.float32).astype(np.float64) for name, block in g.items()}
        report = checked(rounded, params, args, coordinates="auto", wrong_fraction=0.5)
        assert not len(report.wrong)
        assert report.spent["localisation"] <= 1500
        rounded["W"][3, 4] *= 1.01
        report = checked(rounded, params, args, coordinates="auto", wrong_fraction=0.5)
        assert places_of(report) == {3 * 40 + 4}

    def test_a_claimed_nan(self):
        """A NaN in the claim does not keep the search from what else is wrong."""
        params, args, g = network()
        g["V"][0, 0] = np.nan
        some = np.concatenate([[0, 2000], np.arange(2040, 2070)])  # of each block
        report = checked(g, params, args, coordinates=some)
        assert places_of(report) == {2040}
        g["W"][3, 4] *= 1.01
        g["V"][39, 9] *= 1.01
        report = checked(g, params, args, coordinates=some)
        assert places_of(report) == {2040, 3 * 40 + 4, 2439}

    def test_workers(self):
        """Two workers report what one does."""
        params, args, g = network()
        g["W"][3, 4] *= 1.01
        one, two = (checked(g, params, args, n_jobs=n) for n in (1, 2))
        assert places_of(one) == places_of(two) == {3 * 40 + 4}
        assert one.spent == two.spent
        assert one.coverage.certificate == two.coverage.certificate
        other = checked(g, params, args, seed=1)
        assert other.coverage.certificate != one.coverage.certificate

    def test_no_budget_for_a_search(self):
        """Where evaluations run out during the search the verdict is not "agree", and the report says why."""
        params, args, g = network()
        g["W"][3, 4] *= 1.01
        enough = checked(g, params, args)
        report = checked(g, params, args, max_evaluations=enough.evaluations - 140)
        assert report.verdict != "agree"
        assert report.doubt or len(report.wrong)
        assert report.evaluations <= enough.evaluations - 140

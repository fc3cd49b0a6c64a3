"""Subsets, probes and searches through the public functions: what is said of what was not checked holds."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

import fastgrad
from fastgrad.coordinates import engines
from fastgrad.sampling.confidence_limits import least_count
from fastgrad.strategy import decide
from fastgrad.strategy import run as run_module


def weighted(p):
    """A sum over two blocks, quick to evaluate."""
    return float(np.sum(p["W"] ** 2) + np.sum(np.sin(p["b"])))


def weighted_gradient(p):
    """Its gradient."""
    return {"W": 2 * p["W"], "b": np.cos(p["b"])}


def parameters(seed=0, rows=60, columns=50):
    """Parameters with a matrix and a small block."""
    rng = np.random.default_rng(seed)
    return {"W": 1 + rng.random((rows, columns)), "b": rng.normal(size=20)}


class TestSubsets:
    @pytest.mark.parametrize(("asked", "count"), [(0.1, 302), (500, 500), (3, 3), (1.0, 3020)])
    def test_so_many_or_such_a_share(self, asked, count):
        """A number or a share of the coordinates is drawn, and the report says what follows."""
        p = parameters()
        report = fastgrad.check_gradient(weighted, weighted_gradient, p, coordinates=asked)
        assert (report.verdict, report.coverage.checked) == ("agree", count)
        assert all(row.checked for row in report.blocks)
        if count < 3020:
            guarantee = report.coverage.guarantee
            assert f"sample: {guarantee.sentence}" in str(report)
            said = json.loads(report.to_json())["coverage"]["guarantee"]
            assert said["sentence"] == guarantee.sentence
            assert 0 < said["blocks"]["W"] <= 1
            assert said["confidence"] == 0.999

    def test_a_promise(self):
        """wrong_fraction and confidence draw enough to exclude such a share in any block."""
        p = parameters()
        options = {"wrong_fraction": 0.02, "confidence": 0.99}
        report = fastgrad.check_gradient(weighted, weighted_gradient, p, **options)
        assert report.blocks[0].checked >= least_count(3000, 0.995, 0.02)
        assert report.blocks[1].checked == 20
        assert report.coverage.guarantee.confidence == 0.99
        assert report.coverage.guarantee.fraction <= 0.02

    def test_by_importance(self):
        """Draws by the size of the claim say how much of its sum may be wrong."""
        p = parameters()
        report = fastgrad.check_gradient(weighted, weighted_gradient, p, coordinates=400, draw="importance")
        assert report.coverage.how == "importance"
        said = json.loads(report.to_json())["coverage"]["guarantee"]
        assert said["wrong_fraction_at_most"] is None
        assert 0 < said["wrong_mass_at_most"] < 0.05
        assert "claimed gradient" in report.coverage.sentence

    def test_large_entries_are_found_by_importance(self):
        """A wrong entry that is most of the gradient is drawn."""
        p = parameters()
        p["W"][7, 7] = 5e4
        claim = weighted_gradient(p)
        claim["W"][7, 7] *= 1.01
        report = fastgrad.check_gradient(weighted, claim, p, coordinates=50, draw="importance")
        assert [f.label for f in report.wrong] == ["W[7, 7]"]


class TestPromisesBySimulation:
    """Many checks of a quick cost, each with another seed and other wrong coordinates."""

    RUNS = 60

    def test_a_share_just_above_is_found(self):
        """A wrong share just above wrong_fraction in one block is found as often as promised."""
        share, confidence, found = 0.05, 0.9, 0
        p = parameters(rows=40, columns=20)
        for seed in range(self.RUNS):
            claim = weighted_gradient(p)
            wrong = np.random.default_rng([seed, 9]).choice(800, 41, replace=False)
            claim["W"].reshape(-1)[wrong] *= 1.01
            report = fastgrad.check_gradient(
                weighted, claim, p, seed=seed, wrong_fraction=share, confidence=confidence
            )
            assert {f.flat_index for f in report.wrong} <= {int(w) for w in wrong}
            found += report.verdict == "disagree"
        assert found >= confidence * self.RUNS - 3 * np.sqrt(self.RUNS * confidence * (1 - confidence))

    def test_the_limit_covers_the_truth(self):
        """The share of wrong coordinates is above the report's limit as seldom as promised."""
        confidence, missed = 0.9, 0
        p = parameters(rows=40, columns=20)
        for seed in range(self.RUNS):
            rng = np.random.default_rng([seed, 10])
            count = int(rng.integers(0, 200))
            claim = weighted_gradient(p)
            claim["W"].reshape(-1)[rng.choice(800, count, replace=False)] *= 1.01
            report = fastgrad.check_gradient(
                weighted, claim, p, seed=seed, coordinates=120, confidence=confidence
            )
            block = next(b for b in report.coverage.guarantee.blocks if b.name == "W")
            missed += block.fraction * 800 < count - 1e-9
        assert missed <= (1 - confidence) * self.RUNS + 3 * np.sqrt(self.RUNS * confidence * (1 - confidence))


class TestProbesAndSearch:
    def test_one_wrong_among_many(self):
        """Probes lead to a single wrong coordinate of many that nobody sampled."""
        x = np.random.default_rng(0).normal(size=50_000)
        g = np.cos(x)
        g[31_007] *= 0.9
        report = fastgrad.check_gradient(
            lambda x: float(np.sum(np.sin(x))), g, x, probes=20, wrong_fraction=0.05
        )
        assert [f.label for f in report.wrong] == ["params[31007]"]
        assert report.evaluations < 3000
        assert report.spent["localisation"] > 0
        assert sum(report.spent.values()) == report.evaluations

    def test_a_certificate(self):
        """Clean probes are a certificate, in the text and the JSON, with the chance to miss."""
        x = np.random.default_rng(0).normal(size=20_000)
        report = fastgrad.check_gradient(
            lambda x: float(np.sum(np.sin(x))), np.cos, x, probes=20, wrong_fraction=0.05
        )
        certificate = json.loads(report.to_json())["coverage"]["certificate"]
        assert report.verdict == "agree"
        assert (certificate["probes"], certificate["miss"]) == (20, 2.0**-20)
        assert f"certificate: {certificate['sentence']}" in str(report)

    def test_auto_takes_the_strategy_where_it_is_long(self, monkeypatch):
        """coordinates="auto" probes and samples where all of it would take longer than anybody waits."""
        monkeypatch.setattr(decide, "PATIENCE", 0.0)
        monkeypatch.setattr(decide, "SOON", 0.0)
        x = np.random.default_rng(0).normal(size=30_000)
        report = fastgrad.check_gradient(lambda x: float(np.sum(np.sin(x))), np.cos, x)
        assert report.verdict == "agree"
        assert report.coverage.checked < 1000
        assert report.coverage.certificate.probes == 20

    def test_no_room_for_probes(self):
        """Probes that were asked for and for which the budget had no room are a doubt."""
        x = np.random.default_rng(0).normal(size=40)
        report = fastgrad.check_gradient(
            lambda x: float(np.sum(np.sin(x))),
            np.cos(x),
            x,
            coordinates="all",
            probes=20,
            max_evaluations=170,
        )
        assert report.verdict == "undecided"
        assert "probes" in report.doubt


def sines(x):
    """A smooth cost."""
    return float(np.sum(np.sin(x)))


def waves_with_kinks(x):
    """A cost with kinks, none of them close."""
    return float(np.sum(np.maximum(np.sin(3 * x) - 0.2, 0)) + 0.5 * np.sum(x * x))


GRADIENTS = {sines: np.cos, waves_with_kinks: lambda x: (np.sin(3 * x) > 0.2) * 3 * np.cos(3 * x) + x}


def evaluations_said(text):
    """How many evaluations are announced."""
    return float(re.search(r"\(([\d,]+) evaluations of ", text)[1].replace(",", ""))


def seconds_said(text):
    """How many seconds are announced."""
    number, unit = re.search(r"will take about ([\d.e+]+) (\w+)", text).groups()
    return float(number) * {"s": 1, "min": 60, "h": 3600}[unit]


class TestPrediction:
    @pytest.fixture
    def long(self, monkeypatch):
        """Every check looks long."""
        monkeypatch.setattr(run_module, "SAID_FROM", 0.0)

    @pytest.mark.parametrize("progress", [None, True])
    def test_said_before(self, long, capsys, progress):
        """A check that takes long says so on stderr before it begins, and how to shorten it."""
        x = np.linspace(0, 1, 30)
        fastgrad.check_gradient(
            lambda x: float(np.sum(np.sin(x))), np.cos, x, coordinates="all", progress=progress
        )
        said = capsys.readouterr().err
        assert said.startswith("fastgrad: 30 coordinates will take about ")
        assert "up to 3 times that if the gradient is wrong in many places" in said
        assert "budget= and max_evaluations= end it earlier" in said
        assert 'coordinates="auto" takes a sample and probes' in said

    @pytest.mark.parametrize("n", [1, 2, 5, 30, 33, 200])
    @pytest.mark.parametrize("method", ["forward", "central", "central4", "central6"])
    @pytest.mark.parametrize("cost", [sines, waves_with_kinks])
    def test_is_what_happens(self, long, capsys, n, method, cost):
        """What is said is within a factor of two of what a right gradient takes, for any method."""
        made = []

        def counted(x):
            made.append(1)
            return cost(x)

        x = np.random.default_rng(n).normal(size=n)
        fastgrad.check_gradient(counted, GRADIENTS[cost](x), x, method=method, engine="python")
        evaluations = evaluations_said(capsys.readouterr().err)
        assert evaluations / 2 <= len(made) <= 2 * evaluations

    @pytest.mark.parametrize("limit", [300, 1000])
    @pytest.mark.parametrize("asked", ["auto", "all"])
    def test_no_more_than_the_budget(self, long, capsys, asked, limit):
        """Where a budget has no room for all, what is said is what it has room for."""
        x = np.random.default_rng(0).normal(size=2000)
        report = fastgrad.check_gradient(sines, np.cos(x), x, coordinates=asked, max_evaluations=limit)
        evaluations = evaluations_said(capsys.readouterr().err)
        assert evaluations <= limit
        assert report.evaluations / 2 <= evaluations <= 2 * report.evaluations

    def test_seconds_are_those_of_the_factors(self, long, capsys, clock):
        """The time that is said is that of so many evaluations, and no longer than the budget in seconds."""

        def slow(x):
            clock.now += 4.0
            return sines(x)

        for budget, at_most in ((None, 1e9), (200.0, 200.0)):
            x = np.linspace(0.1, 1, 60)
            began = clock.now
            fastgrad.check_gradient(slow, np.cos(x), x, coordinates="all", budget=budget)
            took, said = clock.now - began, capsys.readouterr().err
            seconds = seconds_said(said)
            assert seconds == pytest.approx(4.0 * evaluations_said(said), rel=0.05)
            assert took / 2 <= seconds <= 2 * took
            assert took <= 1.05 * at_most

    def test_not_where_nobody_wants_it(self, long, capsys):
        """With progress=False nothing is said."""
        x = np.linspace(0, 1, 30)
        fastgrad.check_gradient(lambda x: float(np.sum(np.sin(x))), np.cos, x, progress=False)
        assert capsys.readouterr().err == ""

    def test_not_of_what_is_short(self, capsys):
        """A check that takes no time says nothing."""
        x = np.linspace(0, 1, 30)
        fastgrad.check_gradient(lambda x: float(np.sum(np.sin(x))), np.cos, x)
        assert capsys.readouterr().err == ""


class TestDrawnOnce:
    """Coordinates that are drawn at random are drawn once, before the engine is chosen."""

    @pytest.mark.parametrize("asked", [40, 0.02, [5, 7, 900]])
    def test_the_engine_is_chosen_for_what_is_checked(self, monkeypatch, asked):
        """The engine is chosen for the very coordinates that are measured, picked ones among them."""
        net = fastgrad.Network([fastgrad.Dense(60, 50)], fastgrad.HalfSquaredError())
        X = np.random.default_rng(0).normal(size=(4, 60))
        problem = net.problem(net.initial_parameters(0), X, np.zeros((4, 50)))
        chosen_for, drawn = [], []
        choose_engine, choose = engines.choose_engine, run_module.choose_coordinates
        monkeypatch.setattr(
            engines, "choose_engine", lambda *a: chosen_for.append(a[-1]) or choose_engine(*a)
        )
        monkeypatch.setattr(run_module, "choose_coordinates", lambda *a: drawn.append(a) or choose(*a))
        report = fastgrad.check(problem, coordinates=asked, perturb="auto")
        assert len(chosen_for) == len(drawn) == 1
        np.testing.assert_array_equal(chosen_for[0], report.indices)

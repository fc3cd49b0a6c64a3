"""A check that was killed goes on from its file: the same report, and nothing evaluated twice."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import numba
import numpy as np
import pytest
from problems import layered_problem, waves_batch, waves_loop
from subprocesses import started, wait_for_line, wait_until

import fastgrad
from fastgrad.errors import InputError
from fastgrad.execution import checkpoint_file, chunks
from fastgrad.execution import evaluate as evaluate_module
from fastgrad.execution.checkpoint import Checkpoint
from fastgrad.execution.identity import identity
from fastgrad.execution.resumption import COMPARED
from fastgrad.problem.problem import Problem
from fastgrad.specification import Specification
from fastgrad.strategy import forecast

KILLS = int(os.environ.get("FASTGRAD_TEST_KILLS", "12"))
"""Random SIGKILLs of the test that sends them; 100 take a minute and a half."""

jitted_waves = numba.njit(waves_loop)
X = np.random.default_rng(3).normal(size=300)
MANY = np.random.default_rng(4).normal(size=4000)


class Killed(BaseException):
    """What stands for the end of a process."""


class Counted:
    """A cost that counts its calls, and ends the check at one of them."""

    def __init__(self, function):
        self.function = function
        self.calls = 0
        self.last = None

    def __call__(self, x):
        """The cost."""
        self.calls += 1
        if self.last is not None and self.calls > self.last:
            raise Killed
        return self.function(x)

    def __getstate__(self):
        """What is counted is no part of the cost."""
        return {"function": self.function}


def sines(x):
    """A smooth cost, not to be followed with complex numbers."""
    return float(np.sum(np.sin(x)))


def bends(x):
    """A cost with kinks."""
    return float(np.sum(np.abs(x - 0.1)) + np.sum(x**2))


def spoiled(g, *at):
    """A gradient that is wrong at some coordinates."""
    g = g.copy()
    g[list(at)] += 0.1
    return g


def network():
    """A small network with relu, and one wrong entry of its gradient."""
    net = fastgrad.Network(
        [fastgrad.Dense(6, 5), fastgrad.ReLU(), fastgrad.Dense(5, 3)], fastgrad.SoftmaxCrossEntropy()
    )
    rng = np.random.default_rng(0)
    return net.problem(net.initial_parameters(), rng.normal(size=(9, 6)), rng.integers(0, 3, 9))


PLAINLY = {"coordinates": "all", "engine": "python"}
"""Options for costs whose calls are counted, or of which two checks are compared that each begin anew: by a
slow clock they would be recorded."""

CASES = {
    "smooth": (lambda: Problem(Counted(sines), np.cos(X), X), PLAINLY),
    "wrong": (lambda: Problem(Counted(sines), spoiled(np.cos(X), 7, 150), X), PLAINLY),
    "kinks": (
        lambda: Problem(Counted(bends), spoiled(np.sign(X - 0.1) + 2 * X, 9), X),
        PLAINLY,
    ),
    "subset, probes and search": (
        lambda: Problem(Counted(sines), spoiled(np.cos(MANY), 7, 2500), MANY),
        {"probes": 20, "wrong_fraction": 0.2, "engine": "python"},
    ),
    "two workers": (
        lambda: Problem(sines, spoiled(np.cos(X), 7), X),
        PLAINLY | {"n_jobs": 2, "backend": "threading"},
    ),
    "a batch": (
        lambda: Problem(waves_batch, spoiled(np.cos(X), 7), X),
        {"coordinates": "all", "vectorized": True},
    ),
    "Numba": (lambda: Problem(jitted_waves, spoiled(np.cos(X), 7), X), {"coordinates": "all"}),
    "Network": (network, {"coordinates": "all"}),
    "Network, nodes": (network, {"coordinates": "all", "perturb": "nodes"}),
    "blocks": (layered_problem, PLAINLY),
    "budget": (lambda: Problem(Counted(sines), np.cos(X), X), {"max_evaluations": 500, "engine": "python"}),
}


def undisturbed_part(document):
    """A report as data, without what a run says that went on from a file, and for how long it took."""
    del document["seconds"]
    if document.pop("reused"):
        assert " came from the checkpoint " in document["notes"].pop(0)
        again = document["spent"].pop("comparing with the checkpoint")
        assert again <= COMPARED
        document["evaluations"] -= again
    return document


def said(report):
    """The same, and without the number of workers, who may find all done."""
    document = undisturbed_part(json.loads(report.to_json()))
    del document["n_jobs"]
    return document


class Stores:
    """Counts what is stored in checkpoints, and ends the check at one of the chunks."""

    def __init__(self, monkeypatch):
        self.chunks = self.values = 0
        self.last = None
        keep = Checkpoint.store

        def store(keeper, key, start, values):
            if self.last is not None and self.chunks >= self.last:
                raise Killed
            keep(keeper, key, start, values)
            self.chunks += 1
            self.values += values.size

        monkeypatch.setattr(Checkpoint, "store", store)

    def reset(self, last=None):
        """Count from zero, and end at the chunk after `last`."""
        self.chunks = self.values = 0
        self.last = last


@pytest.fixture
def stores(monkeypatch):
    """What is stored; chunks are short, so that small checks have many."""
    monkeypatch.setattr(chunks, "SHORTEST_CHUNK", {"threads": 1e-4, "processes": 1e-4})
    monkeypatch.setattr(chunks, "PILOT_SECONDS", {"threads": 1e-4, "processes": 1e-4})
    monkeypatch.setattr(evaluate_module, "WORTH_STARTING", {"threads": 0.0, "processes": 0.0})
    monkeypatch.setattr(forecast, "TIMED_AGAIN", 0)  # a hiccup of the machine would be timed, and count
    return Stores(monkeypatch)


@pytest.mark.parametrize("case", CASES)
def test_the_same_report_wherever_it_was_killed(case, stores, tmp_path):
    """Ended after any chunk, a check goes on to the very report of a run that nobody disturbed."""
    make, options = CASES[case]
    whole = said(fastgrad.check(make(), **options, checkpoint=tmp_path / "whole"))
    stored, chunks = stores.values, stores.chunks
    assert said(fastgrad.check(make(), **options)) == whole  # a checkpoint changes nothing
    for last in np.unique(np.linspace(0, chunks - 1, 12).astype(int)):
        path = tmp_path / f"after_{last}"
        stores.reset(int(last))
        # What was timed may differ: perhaps there are fewer chunks this time, and none is left to end it.
        with contextlib.suppress(Killed):
            fastgrad.check(make(), **options, checkpoint=path)
        kept = stores.values
        stores.reset()
        assert said(fastgrad.check(make(), **options, checkpoint=path)) == whole
        assert kept + stores.values == stored, "a finished chunk was evaluated again"


@pytest.mark.parametrize("case", [c for c in CASES if isinstance(CASES[c][0]().cost, Counted)])
def test_killed_again_and_again(case, stores, tmp_path):
    """However often it is killed within an evaluation, no finished chunk is evaluated again."""
    make, options = CASES[case]
    problem = make()
    whole = said(fastgrad.check(problem, **options, checkpoint=tmp_path / "whole"))
    undisturbed, stored = problem.cost.calls, stores.values
    outside = undisturbed - stored  # the plain checks, and the witnesses
    rng = random.Random(0)
    attempts = 0
    stores.reset()
    while True:
        attempts += 1
        before = stores.values
        problem = make()
        problem.cost.last = rng.randrange(2, undisturbed // 3)
        try:
            report = fastgrad.check(problem, **options, checkpoint=tmp_path / "run")
        except Killed:
            continue
        again = report.spent.get("comparing with the checkpoint", 0)
        assert problem.cost.calls == outside + again + stores.values - before
        break
    assert said(report) == whole
    assert stores.values == stored
    assert attempts > 3


def declined(x):
    """A cost that cannot be recorded."""
    return float(np.sum(np.sin(x))) + 0.0


@pytest.mark.parametrize(
    ("cost", "worth", "faster", "engine"),
    [
        (sines, True, 1e9, "traced"),
        (sines, True, 0.0, "python"),
        (sines, False, 1e9, "python"),
        (declined, True, 1e9, "python"),
    ],
)
def test_the_engine_is_remembered(cost, worth, faster, engine, stores, tmp_path, monkeypatch):
    """Whatever the clock says, a check goes on with the engine of its first run, to the same report."""

    def clock(worth, faster):
        monkeypatch.setattr("fastgrad.coordinates.engines.is_worth_recording", lambda seconds, count: worth)
        monkeypatch.setattr("fastgrad.engines.traced.choose.FASTER", faster)

    def report(path):
        return fastgrad.check_gradient(cost, np.cos(X), X, coordinates="all", checkpoint=tmp_path / path)

    clock(worth, faster)
    whole = said(report("whole"))
    assert whole["engine"] == engine
    stores.reset(1)
    with pytest.raises(Killed):
        report("run")
    clock(not worth, 1e9 - faster)
    stores.reset()
    again = report("run")
    assert (said(again), again.reused > 0) == (whole, True)


def test_more_budget_may_record(tmp_path, monkeypatch):
    """A check that goes on with more to spend records a cost that was not worth it before."""
    monkeypatch.setattr("fastgrad.coordinates.engines.is_worth_recording", lambda seconds, count: count > 100)
    monkeypatch.setattr("fastgrad.engines.traced.choose.FASTER", 1e9)
    given = {"cost": sines, "gradient": np.cos(X), "params": X, "checkpoint": tmp_path / "run"}
    engines = [fastgrad.check_gradient(**given, max_evaluations=limit).engine for limit in (60, None, 60)]
    assert engines == ["python", "traced", "python"]


def test_timing_again_is_not_forgotten(stores, tmp_path, monkeypatch):
    """A check that was timed at some coordinates first counts these when it goes on, too."""
    monkeypatch.setattr(forecast, "RETIMED_FROM", 0.0)
    monkeypatch.setattr(forecast, "TIMED_AGAIN", 3)
    make, options = CASES["wrong"]
    whole = said(fastgrad.check(make(), **options, checkpoint=tmp_path / "whole"))
    assert said(fastgrad.check(make(), **options, checkpoint=tmp_path / "whole")) == whole


def test_a_finished_check_is_read_from_its_file(stores, tmp_path):
    """Run once more, a finished check takes every value from the file."""
    make, options = CASES["wrong"]
    first = fastgrad.check(make(), **options, checkpoint=tmp_path / "run")
    stores.reset()
    again = make()
    second = fastgrad.check(again, **options, checkpoint=tmp_path / "run")
    assert (said(first), stores.values, again.cost.calls) == (said(second), 0, 2 + COMPARED)
    assert second.seconds > first.seconds  # all runs together


def test_more_budget_goes_on(stores, tmp_path):
    """A check that a budget ended goes on with other workers and no budget, to the whole report."""
    make, options = CASES["smooth"]
    short = fastgrad.check(make(), **options, max_evaluations=300, checkpoint=tmp_path / "run")
    assert short.verdict == "undecided"
    stores.reset()
    problem = make()
    longer = fastgrad.check(problem, **options, n_jobs=2, backend="threading", checkpoint=tmp_path / "run")
    assert longer.verdict == "agree"


PROGRAM = """
    import sys, time
    import numpy as np
    import fastgrad
    from problems import waves_batch
    from fastgrad.problem.problem import Problem

    kind, path, out = sys.argv[1:]
    rng = np.random.default_rng(0)

    def slow(x):
        until = time.perf_counter() + 5e-4
        while time.perf_counter() < until:
            pass
        return float(np.sum(np.sin(x)))

    x = rng.normal(size=400 if kind == "all" else 3000)
    g = np.cos(x)
    g[[5, 77]] += 0.1
    options = {"coordinates": "all"} if kind == "all" else {"probes": 20, "wrong_fraction": 0.1}
    print("begun", flush=True)
    report = fastgrad.check_gradient(slow, g, x, checkpoint=path, engine="python", **options)
    open(out, "w").write(report.to_json())
"""


def test_random_kills(tmp_path):
    """Killed at random moments, by the signal nobody can catch, a check ends with the undisturbed report."""
    program = tmp_path / "program.py"
    program.write_text(textwrap.dedent(PROGRAM))
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[1]), *sys.path])}
    rng, kills = random.Random(), 0

    def start(kind, path):
        command = [sys.executable, str(program), kind, str(path), str(tmp_path / "out.json")]
        return started(command, env=environment)

    def outcome():
        return undisturbed_part(json.loads((tmp_path / "out.json").read_text()))

    whole = {}
    for kind in ("all", "subset"):
        with start(kind, tmp_path / f"whole_{kind}") as undisturbed:
            _, error = undisturbed.communicate()
        assert undisturbed.returncode == 0, error
        whole[kind] = outcome()
    rounds = 0
    while kills < KILLS:
        kind, rounds = ("all", "subset")[rounds % 2], rounds + 1
        path = tmp_path / f"run_{rounds}"
        patience = 0.1
        while True:
            with start(kind, path) as run:
                wait_for_line(run, b"begun\n")
                try:
                    status = run.wait(timeout=rng.uniform(0.0, patience))
                except subprocess.TimeoutExpired:
                    run.send_signal(signal.SIGKILL)
                    status = run.wait()
                    kills += 1
                    patience *= (
                        1.15  # on a busy machine the way to the first evaluation alone may take longer
                    )
            if status == 0:
                break
            assert status == -signal.SIGKILL
        assert outcome() == whole[kind]


class TestRefusals:
    @pytest.fixture
    def left(self, tmp_path):
        """A file of a check that was done."""
        path = tmp_path / "run"
        fastgrad.check_gradient(sines, np.cos(X), X, checkpoint=path)
        return path

    @pytest.mark.parametrize(
        ("word", "changed"),
        [
            ("parameters", {"params": np.nextafter(X, 9)}),
            ("gradient", {"gradient": spoiled(np.cos(X), 4)}),
            ("data", {"args": (np.ones(3),)}),
            ("cost", {"cost": lambda x: sines(x)}),
            ("options", {"method": "central4"}),
            ("options", {"seed": 1}),
            ("options", {"coordinates": 50}),
        ],
    )
    def test_another_problem(self, left, word, changed):
        """A file of another problem is refused with the word for what differs, and stays as it was."""
        before = left.read_bytes()
        problem = {"cost": sines, "gradient": np.cos(X), "params": X} | changed
        if "args" in changed:
            problem["cost"] = _with_data
        with pytest.raises(InputError, match=word):
            fastgrad.check_gradient(**problem, checkpoint=left)
        assert left.read_bytes() == before

    def test_other_data(self, tmp_path):
        """Other numbers in args are another problem."""
        path = tmp_path / "run"
        fastgrad.check_gradient(_with_data, np.cos(X), X, args=(np.ones(3),), checkpoint=path)
        with pytest.raises(InputError, match="data"):
            fastgrad.check_gradient(_with_data, np.cos(X), X, args=(np.zeros(3),), checkpoint=path)

    def test_another_version(self, left, monkeypatch):
        """A file of another version of fastgrad is refused."""
        monkeypatch.setattr("fastgrad.execution.identity.__version__", "99.0")
        with pytest.raises(InputError, match=r"99\.0"):
            fastgrad.check_gradient(sines, np.cos(X), X, checkpoint=left)

    def test_damage(self, left):
        """A damaged file is refused, and the message says what to do."""
        data = bytearray(left.read_bytes())
        for at in range(4096, len(data), 64):
            data[at] ^= 0xFF
        left.write_bytes(data)
        with pytest.raises(InputError, match="damaged: delete it and start again"):
            fastgrad.check_gradient(sines, np.cos(X), X, checkpoint=left)

    def test_a_file_of_something_else(self, tmp_path):
        """A file that is no checkpoint is refused, and not written to."""
        path = tmp_path / "thesis.txt"
        path.write_text("dear to me " * 100)
        with pytest.raises(InputError, match="checkpoint"):
            fastgrad.check_gradient(sines, np.cos(X), X, checkpoint=path)
        assert path.read_text() == "dear to me " * 100


def _with_data(x, data):
    return sines(x)


def test_two_processes_on_one_file(tmp_path):
    """The second of two runs on one file is refused, and the first ends as if alone."""
    program = tmp_path / "program.py"
    program.write_text(textwrap.dedent(PROGRAM))
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[1]), *sys.path])}
    path = tmp_path / "run"

    def start(out):
        command = [sys.executable, str(program), "all", str(path), str(tmp_path / out)]
        return started(command, env=environment, text=True)

    log = Path(f"{path}-wal")  # there when the first has its lock
    with start("first.json") as first:
        wait_until(log.exists, first)
        first.send_signal(signal.SIGSTOP)  # so that it cannot end before the second comes
        with start("second.json") as second:
            _, error = second.communicate()
        first.send_signal(signal.SIGCONT)
        _, first_error = first.communicate()
    assert second.returncode == 1
    assert checkpoint_file.IN_USE in error
    assert first.returncode == 0, first_error
    assert json.loads((tmp_path / "first.json").read_text())["verdict"] == "disagree"


def test_identity():
    """What may change between two runs of one check is not part of its identity; what it depends on is."""
    problem = Problem(sines, None, X)

    def of(**options):
        return identity(Specification.of(problem, options), None)

    free = {"n_jobs": 2, "backend": "threading", "progress": False, "budget": 3.0, "max_evaluations": 99}
    assert of(**free, checkpoint="elsewhere") == of()
    for option in ({"seed": 1}, {"method": "forward"}, {"coordinates": 5}, {"tolerance": 0.1}, {"probes": 3}):
        assert of(**option)["options"] != of()["options"]
    named = of(coordinates=np.arange(5))["options"]
    assert named == of(coordinates=np.arange(5))["options"] != of(coordinates=np.arange(6))["options"]

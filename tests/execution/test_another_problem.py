"""A checkpoint never speaks for another cost, and a legitimate check goes on from it, whatever its cost is.

For each kind of cost there is one that was changed, which must be refused, and the same one made once more.
"""

from __future__ import annotations

import copy
import functools
import json
import types

import numpy as np
import pytest
from changed_cost_cases import COSTS, OTHER, Callable, X, first_of, gradient, made, scaled
from contents_cases import Model
from stateful_cases import Network as Stateful
from stateful_cases import X as HOURS
from stateful_cases import Y as SCORES
from subprocesses import output_of_python

import fastgrad
from fastgrad.errors import InputError
from fastgrad.execution.checkpoint import Checkpoint
from fastgrad.execution.resumption import COMPARED
from fastgrad.problem.problem import Problem


class Killed(BaseException):
    """What stands for the end of a process."""


def run(cost, args, path, numerical, **options):
    """A check, or a numerical gradient."""
    options |= {"coordinates": "all", "checkpoint": path}
    if numerical:
        return fastgrad.numerical_gradient(cost, X, args=args, **options)
    return fastgrad.check_gradient(cost, gradient, X, args=args, **options)


def begun(cost, args, path, numerical, monkeypatch):
    """A file of a check that was killed after a few chunks."""
    keep, chunks = Checkpoint.store, []

    def store(keeper, key, start, values):
        if len(chunks) == 3:
            raise Killed
        chunks.append(values.size)
        keep(keeper, key, start, values)

    with monkeypatch.context() as patched:
        patched.setattr(Checkpoint, "store", store)
        with pytest.raises(Killed):
            run(cost, args, path, numerical)
    return sum(chunks)


@pytest.mark.parametrize("numerical", [False, True])
@pytest.mark.parametrize("what", COSTS)
class TestEachKind:
    def test_another_one_is_refused(self, what, numerical, monkeypatch, tmp_path):
        """The file of another cost is refused, stays as it was, and still serves the right one."""
        path, (one, two) = tmp_path / "run", OTHER.get(what, (1.0, 7.0))
        begun(*COSTS[what](one), path, numerical, monkeypatch)
        before = path.read_bytes()
        with pytest.raises(InputError, match=r"is of another (problem|cost): .* use another file"):
            run(*COSTS[what](two), path, numerical)
        assert path.read_bytes() == before
        assert run(*COSTS[what](one), path, numerical).reused > 0

    def test_the_same_one_goes_on(self, what, numerical, monkeypatch, tmp_path):
        """The same cost, made once more, goes on: each value is taken, and a few are compared."""
        path, (k, _) = tmp_path / "run", OTHER.get(what, (1.0, 7.0))
        whole = run(*COSTS[what](k), tmp_path / "whole", numerical)
        kept = begun(*COSTS[what](k), path, numerical, monkeypatch)
        found = run(*COSTS[what](k), path, numerical)
        assert found.reused == kept
        assert f"{kept:,} values came from the checkpoint {path}" in found.notes
        assert 0 < found.evaluations - whole.evaluations <= COMPARED
        if not numerical:
            assert np.array_equal(found.numeric, whole.numeric)


@pytest.mark.parametrize(
    ("one", "two"),
    [
        (gradient, lambda p: 2.0 * p),
        (functools.partial(lambda p, k: k * p, k=2.0), functools.partial(lambda p, k: k * p, k=3.0)),
    ],
)
def test_another_gradient(one, two, tmp_path):
    """A gradient of other code or values is another problem, as its values are."""
    path = tmp_path / "run"
    fastgrad.check_gradient(scaled(1.0), one, X, checkpoint=path)
    with pytest.raises(InputError, match="the gradient's code or a value that it uses differs"):
        fastgrad.check_gradient(scaled(1.0), two, X, checkpoint=path)


def test_the_issue(tmp_path):
    """The gradient of p @ p does not agree with 7 (p @ p) for there being a file of p @ p."""
    path = tmp_path / "f"
    assert fastgrad.check_gradient(lambda p: p @ p, lambda p: 2 * p, X, checkpoint=path).passed
    said = (
        f"{path}: this checkpoint is of another problem: the cost's code or a value that it uses differs "
        "(<lambda>()): use another file or delete it [FG913]"
    )
    with pytest.raises(InputError) as caught:
        fastgrad.check_gradient(lambda p: 7 * (p @ p), lambda p: 2 * p, X, checkpoint=path)
    assert str(caught.value) == said


def network(l2=0.01, hidden=fastgrad.Tanh):
    """A problem of a network, by its own structure."""
    net = fastgrad.Network(
        [fastgrad.Dense(4, 3), hidden(), fastgrad.Dense(3, 2)], fastgrad.SoftmaxCrossEntropy(), l2=l2
    )
    rng = np.random.default_rng(0)
    return net.problem(net.initial_parameters(), rng.normal(size=(5, 4)), rng.integers(0, 2, 5))


@pytest.mark.parametrize("perturb", ["parameters", "nodes"])
@pytest.mark.parametrize("other", [{"l2": 0.02}, {"hidden": fastgrad.Sigmoid}])
def test_networks(other, perturb, tmp_path):
    """A network of another layer or penalty is another problem; the same one goes on."""
    path = tmp_path / "run"
    options = {"checkpoint": path, "perturb": perturb, "coordinates": "all"}
    fastgrad.check(network(), **options)
    assert fastgrad.check(network(), **options).reused > 0
    theirs = network(**other)
    own = network()
    ours = Problem(own.cost, own.gradient, theirs.params, theirs.args, structure=theirs.structure)
    for problem in (theirs, ours):
        with pytest.raises(InputError, match="differs"):
            fastgrad.check(problem, **options)


def test_objects_that_keep_their_parameters(monkeypatch, tmp_path):
    """A check of Problem.from_object goes on, with the same problem or one made anew."""
    path = tmp_path / "run"
    problem = Problem.from_object(Stateful(), HOURS, SCORES)
    fastgrad.check(problem, checkpoint=path)
    for again in (problem, Problem.from_object(Stateful(), HOURS, SCORES)):
        assert fastgrad.check(again, checkpoint=path, n_jobs=2, backend="threading").reused > 0
    other = Stateful()
    other.W1 = other.W1 + 1e-3
    with pytest.raises(InputError, match="the parameters differ"):
        fastgrad.check(Problem.from_object(other, HOURS, SCORES), checkpoint=path)


@pytest.mark.usefixtures("many_short_chunks")
def test_worker_processes(monkeypatch, tmp_path):
    """A check goes on in worker processes, and what these have kept serves a check without any."""
    path, args = tmp_path / "run", (np.array([2.0]),)
    whole = run(first_of, args, tmp_path / "whole", False)
    kept = begun(first_of, args, path, False, monkeypatch)
    found = run(first_of, args, path, False, n_jobs=2, backend="loky")
    again = run(first_of, args, path, False)
    assert (found.n_jobs, found.reused) == (2, kept)
    assert again.reused > kept
    assert np.array_equal(found.numeric, whole.numeric)
    assert np.array_equal(again.numeric, whole.numeric)


@pytest.mark.parametrize("method", ["central", "complex"])
def test_vectorized(method, tmp_path):
    """A vectorized cost goes on, in real and in complex numbers; a mended one does not."""
    options = {"checkpoint": tmp_path / "run", "vectorized": True, "method": method, "coordinates": "all"}
    for _ in range(2):
        found = fastgrad.check_gradient(lambda p: np.sin(p).sum(axis=-1), np.cos, X, **options)
    assert found.reused > 0
    with pytest.raises(InputError, match="cost's code"):
        fastgrad.check_gradient(lambda p: np.sin(p).prod(axis=-1), np.cos, X, **options)


class TestWhatACheckChanges:
    def goes_on(self, cost, path, args=()):
        """Whether a check with a budget goes on twice in the same process with the very same cost."""
        runs = [run(cost, args, path, False, max_evaluations=limit) for limit in (150, 240, None)]
        return [found.reused > 0 for found in runs] == [False, True, True]

    def test_counters_and_caches(self, tmp_path):
        """What a cost writes itself, such as counters, caches and buffers, is no reason for refusal."""
        calls, log, cache, buffer = [0], [], {}, np.empty(20)

        def cost(p):
            calls[0] += 1
            log.append(float(p[0]))
            np.multiply(p, p, out=buffer)
            return cache.setdefault(p.tobytes(), float(buffer.sum()))

        assert self.goes_on(cost, tmp_path / "run")
        assert calls[0] > 60

    def test_a_cache_that_was_filled_before(self, tmp_path):
        """A cache that grows only near the parameters, for it knows the cost there, is no reason either."""
        cache = {}

        def cost(p):
            return cache.setdefault(p.tobytes(), float(p @ p))

        cost(X)
        assert self.goes_on(cost, tmp_path / "run")

    def test_globals_and_attributes(self, tmp_path):
        """Globals and attributes that a cost assigns to are no reason either."""
        cost = made(
            "calls = 0\ndef cost(p):\n    global calls\n    calls += 1\n    cost.last = p.sum()\n"
            "    return float(p @ p)"
        )
        assert self.goes_on(cost, tmp_path / "run")

        class Counted:
            calls = 0

            def __call__(self, p):
                self.calls += 1
                type(self).calls += 1
                return float(p @ p)

        assert self.goes_on(Counted(), tmp_path / "other")

    def test_objects_in_args(self, tmp_path):
        """An object in args that the cost sets its parameters in is no reason either."""

        def cost(p, model):
            model.w = p.copy()
            model.buffer[:] = p
            return float(model.w @ model.buffer)

        model = Model()
        model.buffer = np.empty(20)
        assert self.goes_on(cost, tmp_path / "run", (model,))

    def test_the_rest_counts(self, tmp_path):
        """Beside a counter, a value that the user changed is seen."""
        state = types.SimpleNamespace(calls=0, k=1.0)

        def cost(p):
            state.calls += 1
            return state.k * float(p @ p)

        assert self.goes_on(cost, tmp_path / "run")
        state.k = 7.0
        with pytest.raises(InputError, match=r"differs \(state\.k\)"):
            run(cost, (), tmp_path / "run", False)

    def test_what_hides_behind_a_counter(self, tmp_path):
        """What is in one list with a counter is not told apart; what the cost says is."""
        state = [0, 1.0]

        def cost(p):
            state[0] += 1
            return state[1] * float(p @ p)

        assert self.goes_on(cost, tmp_path / "run")
        state[1] = 7.0
        with pytest.raises(InputError, match="another cost: the cost at the parameters is"):
            run(cost, (), tmp_path / "run", False)


PROGRAM = """
import sys, threading
import numpy as np
import fastgrad
from fastgrad.execution.checkpoint import Checkpoint

NAMES = {"alpha", "beta", "gamma"}

class Model:
    def __init__(self):
        self.names, self.lock, self.calls = {"p", "q", "r"}, threading.Lock(), 0
    def loss(self, p, data):
        self.calls += 1
        with self.lock:
            return float(len(NAMES | self.names) * (p @ p) * data["k"])

model, chunks, keep = Model(), [], Checkpoint.store

def store(*given):
    chunks.append(keep(*given))
    if sys.argv[2] == "0" and len(chunks) == 4:
        sys.exit()

Checkpoint.store = store
report = fastgrad.check_gradient(
    lambda p, data: model.loss(p, data),
    lambda p, data: 12 * p,
    np.arange(40.0),
    args=({"k": 1.0, "names": {"s", "t", "u"}},),
    checkpoint=sys.argv[1],
)
print(report.verdict, report.reused)
"""


def test_in_another_process(tmp_path):
    """A script that is run again goes on, with sets, objects and locks in its cost, by any hash seed."""
    said = [output_of_python(PROGRAM, tmp_path / "run", k, PYTHONHASHSEED=str(k)).split() for k in range(3)]
    assert [words[:1] for words in said] == [[], ["agree"], ["agree"]]
    assert 0 < int(said[1][1]) < int(said[2][1])


def test_the_same_again_and_again(tmp_path):
    """A copy of a finished problem takes all its values from the file."""
    path, problem = tmp_path / "run", Problem(Callable(2.0), lambda p: 4 * p, X)
    first = fastgrad.check(problem, checkpoint=path)
    again = fastgrad.check(copy.deepcopy(problem), checkpoint=path)
    assert (first.reused, again.evaluations - first.evaluations) == (0, COMPARED)
    assert again.spent["comparing with the checkpoint"] == COMPARED
    assert sum(again.spent.values()) == again.evaluations
    assert json.loads(again.to_json())["reused"] == again.reused
    assert f"note: {again.reused} values came from the checkpoint {path}" in str(again)

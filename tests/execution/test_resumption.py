"""What is taken from a checkpoint is compared with the cost, and the file of another cost is refused."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest

from fastgrad.engines.python import PythonEngine
from fastgrad.errors import InputError
from fastgrad.execution import resumption
from fastgrad.execution.checkpoint import Checkpoint
from fastgrad.execution.job import KnownValues
from fastgrad.execution.resumption import COMPARED, Resumption
from fastgrad.execution.value_store import NoCheckpoint
from fastgrad.problem.parameters import Parameters

EPSILON = 2.0**-52
JITTER = 2.0**-20
X = np.array([1.0, 2.0, 3.0])
INDICES, OFFSETS = np.arange(3), np.tile([-0.25, 0.25], (3, 1))


def engine_of(cost):
    """The Python engine of a cost."""
    return PythonEngine(cost, Parameters(X))


def kept(path, cost, chunks=((0, 3),), passes=1, scale=1.0):
    """A file with some values of a cost, multiplied by a factor."""
    engine = engine_of(cost)
    with Checkpoint(path, {}) as store:
        Resumption().cost(store, engine.baseline(), JITTER, EPSILON)
        for k in range(passes):
            known = KnownValues.of(engine, INDICES, OFFSETS + k, store)
            for start, stop in chunks:
                values = engine.values(INDICES[start:stop], OFFSETS[start:stop] + k)
                known.store(slice(start, stop), scale * values)


def resumed(path, cost, passes=1, engine=None):
    """What a run takes from such a file."""
    engine = engine or engine_of(cost)
    with Checkpoint(path, {}) as store:
        found = Resumption()
        found.cost(store, engine.baseline(), JITTER, EPSILON)
        for k in range(passes):
            found.take(KnownValues.of(engine, INDICES, OFFSETS + k, store), engine, INDICES, OFFSETS + k)
        return found


def squares(x):
    """A cost."""
    return float(x @ x)


class TestCost:
    def test_another_number(self, path):
        """Where the cost at the parameters is another the message has both; the file stays as it was."""
        kept(path, squares)
        before = path.read_bytes()
        said = (
            f"{path}: this checkpoint is of another cost: the cost at the parameters is 28.0 and was 14.0 "
            "when it was kept: use another file or delete it"
        )
        with pytest.raises(InputError, match=rf"^{re.escape(said)} \[FG913\]$"):
            resumed(path, lambda x: 2.0 * squares(x))
        assert path.read_bytes() == before
        assert resumed(path, squares).taken == 6

    @pytest.mark.parametrize(("share", "fine"), [(2.0**-21, True), (2.0**-19, False), (-(2.0**-21), True)])
    def test_jitter(self, path, share, fine):
        """A cost that differs by its jitter is the same, and the first run's is taken; more is another."""
        kept(path, squares)
        engine = engine_of(lambda x: (1.0 + share) * squares(x))
        with Checkpoint(path, {}) as store:
            if fine:
                assert Resumption().cost(store, engine.baseline(), JITTER, EPSILON) == 14.0
            else:
                with pytest.raises(InputError, match="another cost"):
                    Resumption().cost(store, engine.baseline(), JITTER, EPSILON)

    def test_changes_are_noted(self):
        """What the first evaluations changed is noted at once: a killed run cannot do it at its end."""
        noted = []

        class Store(NoCheckpoint):
            def note_changes(self):
                noted.append(True)

        Resumption().cost(Store(), 1.0, JITTER, EPSILON)
        assert noted == [True]


class TestValues:
    @pytest.mark.parametrize("share", [1.0, 1e-3, 1e-8])
    def test_another_value(self, path, share):
        """Where the cost is the same at the parameters only, and not near them, the file is refused."""
        kept(path, squares)
        with pytest.raises(InputError, match=r"a value near the parameters is .* and was 15\.5625 when"):
            resumed(path, lambda x: 14.0 + (1.0 + share) * (squares(x) - 14.0))

    def test_rounding(self, path):
        """Values that are cut in another way may differ by rounding."""
        kept(path, squares, scale=1.0 + 2.0**-50)
        assert resumed(path, squares).compared == 1

    def test_another_order_of_sums(self, path):
        """Where the cost itself is rounded in another way, its values may differ by the jitter."""
        kept(path, squares)
        assert resumed(path, lambda x: (1.0 + 2.0**-30) * squares(x)).compared == 1
        with pytest.raises(InputError, match="a value near"):
            resumed(path, lambda x: 14.0 * (1 + 2.0**-30) + 1.1 * (squares(x) - 14.0))

    def test_batches(self, path):
        """Of an engine whose sums depend on how many are evaluated together more is allowed."""
        kept(path, squares, scale=1.0 + 2.0**-28)
        with pytest.raises(InputError, match="a value near"):
            resumed(path, squares)
        engine = engine_of(squares)
        engine.granularity = 4
        assert resumed(path, squares, engine=engine).compared == 1

    def test_the_value_that_tells_most(self, path):
        """The value that moved the cost most is compared: one coordinate may not move it at all."""
        kept(path, lambda x: float(x[2] ** 2))
        with pytest.raises(InputError, match=r"is 11\.5625 and was 10\.5625 when"):
            resumed(path, lambda x: float(x[2] ** 2 + (x[2] > 3.0)))

    def test_counts(self, path):
        """All values found are counted, of the first few passes one each is evaluated again, and no more."""
        kept(path, squares, passes=COMPARED + 3, chunks=((0, 1), (2, 3), (2, 3)))
        found = resumed(path, squares, passes=COMPARED + 3)
        assert (found.taken, found.compared) == (4 * (COMPARED + 3), COMPARED)

    def test_nothing_is_kept(self, path):
        """Passes of which the file has nothing are not counted, and not compared."""
        kept(path, squares, passes=2, chunks=())
        found = resumed(path, squares, passes=2)
        assert (found.taken, found.compared) == (0, 0)

    def test_outside_the_domain(self, path):
        """A value that is NaN in both is the same; a number instead of it is not."""
        nan = lambda x: 1.0 if (x == X).all() else math.nan  # noqa: E731
        kept(path, nan)
        assert resumed(path, nan).compared == 1
        with pytest.raises(InputError, match=r"is 1\.0 and was nan"):
            resumed(path, lambda x: 1.0)

    def test_complex(self, path):
        """Of a complex step the imaginary part, which is the derivative, is compared too."""
        engine = PythonEngine(lambda x: np.sum(x**2), Parameters(X), dtype=np.complex128)
        steps = np.full((3, 1), 1e-30j)
        with Checkpoint(path, {}) as store:
            Resumption().cost(store, engine.baseline(), JITTER, EPSILON)
            known = KnownValues.of(engine, INDICES, steps, store)
            known.store(slice(0, 3), engine.values(INDICES, steps))
        for factor in (1.0, 1.01):

            def cost(x, k=factor):
                return np.sum(x.real**2) + k * 2j * np.sum(x.real * x.imag)

            other = PythonEngine(cost, Parameters(X), dtype=np.complex128)
            with Checkpoint(path, {}) as store:
                found = Resumption()
                found.cost(store, other.baseline(), JITTER, EPSILON)
                known = KnownValues.of(other, INDICES, steps, store)
                if factor == 1.0:
                    found.take(known, other, INDICES, steps)
                    assert found.compared == 1
                else:
                    with pytest.raises(InputError, match="a value near"):
                        found.take(known, other, INDICES, steps)


@pytest.mark.parametrize(
    ("kept_value", "now", "expected"),
    [
        (1.0, 1.0, True),
        (0.0, -0.0, True),
        (1.0, 1.05, True),
        (1.0, 1.2, False),
        (math.inf, math.inf, True),
        (math.inf, -math.inf, False),
        (math.nan, math.nan, True),
        (math.nan, 1.0, False),
        (1.0, math.inf, False),
    ],
)
def test_near(kept_value, now, expected):
    """Two numbers are near by a share of their size; what is not finite is only near itself."""
    assert resumption._near(kept_value, now, 0.1) == expected
    assert resumption._near(now, kept_value, 0.1) == expected
    assert resumption._near(1.0, 1.2, 0.1, size=-3.0)

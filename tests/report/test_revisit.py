"""What a report holds on to, and for how long."""

from __future__ import annotations

import copy
import gc
import pickle
import threading
import weakref

import numpy as np
import pytest
from revisit_cases import REPORTS, X, claimed, exponentials, of

from fastgrad.report.revisit import GONE, CannotRevisitError

pytestmark = pytest.mark.usefixtures("clock")


class Cost:
    """A cost that can be watched."""

    def __call__(self, x):
        """The value."""
        return exponentials(x)


def test_let_go():
    """Once let go, a report keeps neither the cost nor its data, and says why nothing can be asked."""
    cost = Cost()
    watched = weakref.ref(cost)
    report = of(cost, engine="python")
    del cost
    gc.collect()
    assert watched() is not None
    report.revisit.let_go()
    gc.collect()
    assert watched() is None
    assert report.step_curves().sentence == report.code_lines().sentence == GONE
    with pytest.raises(CannotRevisitError, match="no longer at hand"):
        _ = report.revisit.ended


@pytest.mark.parametrize("copied", [lambda r: pickle.loads(pickle.dumps(r)), copy.copy, copy.deepcopy])
def test_a_copy_has_the_data_alone(copied):
    """A pickled or copied report has all that was found, and nothing of the user's functions."""
    report = of(lambda x: exponentials(x), lambda x: claimed(x))  # which cannot be pickled
    other = copied(report)
    assert other.revisit is None
    assert other.to_json() == report.to_json()
    assert report.revisit is not None


def test_not_in_text():
    """It is no part of the text, of JSON or of the repr."""
    report = of()
    assert "revisit" not in repr(report) + str(report) + report.to_json()


@pytest.mark.parametrize("name", REPORTS)
def test_the_private_copy_is_freed(name):
    """After the check, and after each look, no private copy of the parameters is kept."""
    report = REPORTS[name]()
    engine = report.revisit.ended.engine
    assert engine._working is None
    report.step_curves()
    assert engine._working is None


def test_rounding_is_no_change():
    """A cost that jitters by less than it did in the check is the one that was checked."""
    rng = np.random.default_rng(0)
    report = of(lambda x: exponentials(x) + 1e-10 * rng.normal(), engine="python")
    for _ in range(5):
        assert report.step_curves().curves


def test_values():
    """One parameter is moved by several offsets; what is subtracted is the same for all."""
    with of(engine="python").revisit.moved() as moved:
        found = moved.values(1, np.array([[0.0, 0.5], [0.25, -0.5]]))
    right = np.exp(X[1] + np.array([[0.0, 0.5], [0.25, -0.5]])) - np.exp(X[1])
    np.testing.assert_allclose(found - found[0, 0], right, rtol=1e-14)


def test_threads_take_turns():
    """Engines move the parameters in place: two threads do not ask at the same time."""
    report, found = of(engine="python"), []
    asker = threading.Thread(target=lambda: found.append(report.step_curves(1)))
    for context in (report.revisit.called, report.revisit.moved):
        with context():
            asker.start()
            asker.join(0.1)
            assert not found
        asker.join()
        assert len(found.pop().curves) == 1
        asker = threading.Thread(target=lambda: found.append(report.step_curves(1)))

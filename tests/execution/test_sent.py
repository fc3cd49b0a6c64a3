"""What a check has sent to a cluster: each array once, and nothing for longer than it is needed."""

from __future__ import annotations

import concurrent.futures
import threading

import numpy as np
import pytest
from problems import waves

from fastgrad.engines.python import PythonEngine
from fastgrad.execution.parcel import LARGE
from fastgrad.execution.sent import RECENT, Sent
from fastgrad.problem.parameters import Parameters

LONG = LARGE // 8


class Held:
    """A future of the client below."""

    def __init__(self, array):
        self.array, self.released = array, False

    def release(self):
        """Count as released."""
        self.released = True


class Client:
    """A client of a cluster that keeps what it is sent."""

    def __init__(self):
        self.futures = []

    def scatter(self, array, **options):
        """Keep an array."""
        assert options["broadcast"]
        self.futures.append(Held(array))
        return self.futures[-1]

    @property
    def large(self):
        """The futures of large arrays."""
        return [future for future in self.futures if future.array.nbytes >= LARGE]


def engine(*args, a=1.0):
    """An engine with data."""
    return PythonEngine(waves, Parameters(np.ones(3)), (a, *args))


@pytest.fixture
def client():
    """A client that was sent nothing yet."""
    return Client()


def test_once(client):
    """The same data of two engines is sent once, and the same engine too."""
    data, sent = np.arange(float(LONG)), Sent()
    first = sent.parcel(engine(data), client)
    second = sent.parcel(engine(data, a=2.0), client)
    third = sent.parcel(engine(data), client)
    assert first.arrays == second.arrays == third.arrays == client.large
    assert first.rest is third.rest
    assert first.rest is not second.rest


def test_what_changed_is_sent_again(client):
    """An array that was written to is another array."""
    data, sent = np.arange(float(LONG)), Sent()
    sent.parcel(engine(data), client)
    data[-1] += 1
    sent.parcel(engine(data), client)
    assert len(client.large) == 2


@pytest.mark.parametrize(
    "other", [lambda a: a.reshape(2, -1), lambda a: a.astype(">f8"), lambda a: a[::-1][::-1]]
)
def test_equal_bytes_or_numbers_are_not_enough(client, other):
    """Arrays of another shape or dtype are sent; a view that lies in memory as the first does is not."""
    data, sent = np.ones(LONG), Sent()
    sent.parcel(engine(data), client)
    sent.parcel(engine(other(data)), client)
    same = other(data).shape == data.shape and other(data).dtype == data.dtype
    assert len(client.large) == (1 if same else 2)


def test_rows_and_columns(client):
    """An array by columns is not one by rows: sums along it round differently."""
    data, sent = np.ones((LONG, 2)), Sent()
    sent.parcel(engine(data), client)
    sent.parcel(engine(np.asfortranarray(data)), client)
    assert len(client.large) == 2


def test_two_that_are_equal_stay_two(client):
    """Two buffers of zeros may be written to: an engine gets both."""
    parcel = Sent().parcel(engine(np.zeros(LONG), np.zeros(LONG)), client)
    assert len({id(future) for future in parcel.arrays}) == 2


def test_what_is_no_longer_used_is_freed(client):
    """Data that the last engines did without is freed, and that of the last ones is kept."""
    data, sent = np.arange(float(LONG)), Sent()
    sent.parcel(engine(np.zeros(LONG), data), client)
    for number in range(RECENT):
        sent.parcel(engine(data, a=float(number)), client)
    assert [future.released for future in client.large] == [True, False]


def test_at_the_end_all_is_freed(client):
    """`forget` frees everything, and so does another client."""
    sent = Sent()
    sent.parcel(engine(np.zeros(LONG)), client)
    sent.parcel(engine(np.zeros(LONG)), Client())
    assert all(future.released for future in client.futures)
    sent.forget()
    sent.parcel(engine(np.zeros(LONG)), client)
    assert len(client.large) == 2


def test_interrupted(client, monkeypatch):
    """What arrives after a Ctrl-C in the middle is freed at once."""
    begun, go_on = threading.Event(), threading.Event()

    def slowly(array, real=client.scatter, **options):
        begun.set()
        go_on.wait(30)
        return real(array, **options)

    def interrupted(coming, timeout=None):
        begun.wait(30)
        raise KeyboardInterrupt

    monkeypatch.setattr(client, "scatter", slowly)
    with monkeypatch.context() as patch:
        patch.setattr(concurrent.futures.Future, "result", interrupted)
        with pytest.raises(KeyboardInterrupt):
            Sent().parcel(engine(), client)
    go_on.set()
    for thread in [each for each in threading.enumerate() if each.name.startswith("ThreadPoolExecutor")]:
        thread.join(30)
    assert [future.released for future in client.futures] == [True]

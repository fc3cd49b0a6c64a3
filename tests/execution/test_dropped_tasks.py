"""The end of joblib's thread that hands out tasks is not said, where they were dropped; all else is."""

from __future__ import annotations

import threading

import pytest

from fastgrad.execution.dropped_tasks import DroppedQuietly


@pytest.fixture
def said(monkeypatch):
    """What threads ended by, as far as it was said."""
    heard = []
    monkeypatch.setattr(threading, "excepthook", lambda what: heard.append(what.exc_type))
    return heard


def add_call_item_to_queue(error):
    """As the method of joblib's is called."""
    raise error


def of_the_user(error):
    """As another function is called."""
    raise error


def end_by(error, function=add_call_item_to_queue):
    """Let a thread end by an error."""
    thread = threading.Thread(target=function, args=[error])
    thread.start()
    thread.join()


def test_only_that_error(said):
    """The KeyError of joblib's thread is not said inside; another error is, and all are afterwards."""
    before = threading.excepthook
    with DroppedQuietly():
        end_by(KeyError(3))
        assert said == []
        end_by(OSError())
        end_by(KeyError(3), of_the_user)
        assert said == [OSError, KeyError]
    assert threading.excepthook is before
    end_by(KeyError(3))
    assert said == [OSError, KeyError, KeyError]


def test_by_several_threads(said):
    """Of two checks at once, the first to end leaves the other what it needs, and the last restores all."""
    before, quietly = threading.excepthook, DroppedQuietly()
    with quietly:
        with quietly:
            pass
        end_by(KeyError(3))
    assert (said, threading.excepthook) == ([], before)


def test_a_hook_of_the_user(said):
    """A hook that is set meanwhile stays."""
    own = []
    with DroppedQuietly():
        threading.excepthook = own.append
    assert threading.excepthook == own.append

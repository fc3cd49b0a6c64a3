"""Waiting for a save."""

from __future__ import annotations

import builtins
import threading

import pytest
from subprocesses import LONGEST

from fastgrad.cli.watch import saves
from fastgrad.cli.watch.sources import Sources
from fastgrad.errors import InputError


@pytest.fixture
def sources(tmp_path):
    """The sources of a target."""
    (tmp_path / "target.py").write_text("X = 1")
    return Sources(tmp_path, tmp_path / "target.py")


@pytest.fixture
def looks(monkeypatch):
    """When something is said to have happened in the folders; each look at the files is one of these."""
    said = []

    def wakings(folders, stop):
        yield from (look() for look in said)
        raise AssertionError("nothing more happens")

    monkeypatch.setattr(saves, "_wakings", wakings)
    return said


class TestWaitForSave:
    def test_before_the_wait(self, sources, looks):
        """What was saved before the wait began ends it at once."""
        sources.target.write_text("X = 23")
        assert saves.wait_for_save(sources)

    def test_others_do_not_end_it(self, sources, looks):
        """A file that does not matter wakes, and the wait goes on."""
        looks += [
            lambda: (sources.root / "notes.txt").write_text("x"),
            lambda: (sources.root / "other.py").write_text("x"),
            lambda: sources.target.write_text("X = 23"),
            lambda: pytest.fail("it was saved before"),
        ]
        assert saves.wait_for_save(sources)

    def test_is_stopped(self, sources):
        """The event ends it, and it says that nothing was saved."""
        stop = threading.Event()
        stop.set()
        assert not saves.wait_for_save(sources, stop)

    def test_several_saves_are_one(self, sources, looks):
        """A file that was saved three times before a look, or two files, are one round."""

        def save():
            for k in range(3):
                sources.target.write_text(f"X = {k}{k}")

        looks.append(save)
        found = saves.rounds(sources)
        assert next(found) == ()
        assert next(found) == (sources.target,)
        sources.forget()
        assert sources.saved() == ()

    def test_really(self, sources):
        """watchfiles wakes for a save by another thread."""
        timer = threading.Timer(0.2, sources.target.write_text, ["X = 23"])
        timer.start()
        assert saves.wait_for_save(sources)

    def test_a_folder_that_is_gone(self, sources, monkeypatch):
        """Where nothing can be listened to, the files are looked at now and then."""
        monkeypatch.setattr(saves, "LOOK_EVERY", 0.001)

        class Gone(Sources):
            folders = (sources.root / "gone",)

        gone = Gone(sources.root, sources.target)
        sources.target.write_text("X = 23")
        timer = threading.Timer(0.05, sources.target.unlink)
        gone.forget()
        timer.start()
        assert saves.wait_for_save(gone)


class TestCalledAtASave:
    def test_called(self, sources):
        """A save inside calls the function, from another thread."""
        called = threading.Event()
        with saves.called_at_a_save(sources, called.set):
            sources.target.write_text("X = 23")
            assert called.wait(LONGEST)

    def test_not_called(self, sources):
        """Without a save it is not called, and no thread is left."""
        called = threading.Event()
        before = threading.active_count()
        with saves.called_at_a_save(sources, called.set):
            pass
        assert not called.is_set()
        assert threading.active_count() == before


def test_without_watchfiles(monkeypatch):
    """The message says what to install."""
    real = builtins.__import__

    def without(name, *rest):
        if name == "watchfiles":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(
        InputError, match=r"fastgrad watch needs watchfiles: pip install \"fastgrad\[watch\]\""
    ):
        saves.require_watchfiles()

"""The checkpoint file: what is found in it is right bit for bit, or it is refused in words."""

from __future__ import annotations

import contextlib
import math
import os
import re
import sqlite3
import stat
import struct
import threading
import time

import numpy as np
import pytest
from checkpoint_cases import (
    EVERYTHING,
    IDENTITY,
    INDICES,
    OFFSETS,
    bits,
    edited,
    in_another_process,
    killed_run,
    small_file,
    the_values,
    what_is_found,
)

import fastgrad
from fastgrad.errors import InputError
from fastgrad.execution import checkpoint, checkpoint_file
from fastgrad.execution.checkpoint import Checkpoint


class TestRoundTrip:
    @pytest.mark.parametrize("dtype", [np.float64, np.complex128])
    def test_bits(self, path, dtype):
        """Values come back bit for bit: NaN with its bits, infinities, -0.0, the smallest and the largest."""
        odd = np.array([[np.nan, np.inf], [-np.inf, -0.0], [5e-324, -1.7976931348623157e308], [0.1, 1 / 3]])
        odd[0, 0] = struct.unpack("<d", bytes.fromhex("efbeadde0000f8ff"))[0]  # a NaN with a payload
        if dtype == np.complex128:
            odd = odd[:, ::-1] + 0j
            odd.imag[:] = [[-0.0, np.nan], [np.inf, -np.inf], [2.5, -0.0], [5e-324, 0.0]]
        with Checkpoint(path, IDENTITY) as first:
            first.store("a pass:0", 3, odd)
        with Checkpoint(path, IDENTITY) as second:
            ((start, stop, values),) = second.finished("a pass:0", 7, 2, dtype)

        assert (start, stop, bits(values)) == (3, 7, bits(np.ascontiguousarray(odd)))

    def test_chunks_as_they_were_stored(self, path):
        """Chunks come in the order they were stored, overlapping or not, one of them twice."""
        with Checkpoint(path, IDENTITY) as first:
            for start, stop in ((4, 6), (0, 3), (2, 5), (0, 3)):
                first.store("a", start, the_values(start, stop))
            first.store("b", 0, the_values(0, 1))
        with Checkpoint(path, IDENTITY) as second:
            found = second.finished("a", 6, 2, np.float64)

        assert [chunk[:2] for chunk in found] == [(4, 6), (0, 3), (2, 5), (0, 3)]
        assert all(bits(values) == bits(the_values(start, stop)) for start, stop, values in found)

    @pytest.mark.parametrize("dtype", [np.float64, np.complex128])
    def test_strided_values(self, path, dtype):
        """Values need not be contiguous in memory."""
        values = the_values(0, 8, points=6, dtype=dtype)[::2, ::3]
        with Checkpoint(path, IDENTITY) as first:
            first.store("a", 0, values)
            ((_, _, found),) = first.finished("a", 4, 2, dtype)

        assert bits(found) == bits(values.copy())

    def test_empty_values(self, path):
        """A chunk of no coordinates or no points is no trouble."""
        with Checkpoint(path, IDENTITY) as first:
            first.store("a", 0, np.empty((0, 2)))
            first.store("b", 0, np.empty((3, 0)))
            assert first.finished("a", 6, 2, np.float64) == []
            ((start, stop, found),) = first.finished("b", 3, 0, np.float64)

        assert (start, stop, found.shape) == (0, 3, (3, 0))

    def test_long_values_are_split(self, path, monkeypatch):
        """A chunk too long for one row comes back as several, which are all of it."""
        monkeypatch.setattr(checkpoint, "LARGEST_BLOB", 40)  # two coordinates of two points, and a half
        with Checkpoint(path, IDENTITY) as first:
            first.store("a", 1, the_values(1, 6))
            found = first.finished("a", 6, 2, np.float64)

        assert [chunk[:2] for chunk in found] == [(1, 3), (3, 5), (5, 6)]
        assert bits(np.concatenate([values for _, _, values in found])) == bits(the_values(1, 6))

    def test_values_are_not_to_be_written_to(self, path):
        """What is found is read-only, so that nobody changes what others are given."""
        with Checkpoint(path, IDENTITY) as first:
            first.store("a", 0, the_values(0, 2))
            ((_, _, values),) = first.finished("a", 2, 2, np.float64)

        with pytest.raises(ValueError, match="read-only"):
            values[0, 0] = 1.0

    @pytest.mark.parametrize(
        ("start", "values", "got"),
        [
            (0, np.ones((2, 2), dtype=np.float32), "got float32 of shape (2, 2) from 0"),
            (0, np.ones(2), "got float64 of shape (2,) from 0"),
            (-1, np.ones((2, 2)), "got float64 of shape (2, 2) from -1"),
        ],
    )
    def test_other_values(self, path, start, values, got):
        """Values of another dtype or shape, or from nowhere, are refused."""
        with Checkpoint(path, IDENTITY) as first, pytest.raises(InputError) as caught:
            first.store("a", start, values)

        assert str(caught.value) == (
            "a checkpoint keeps values (k, S) of float64 or complex128 from a start of 0 or more; "
            f"{got} [FG914]"
        )


class TestResume:
    def test_finds_what_was_there(self, path):
        """A run that asks for the same in the same order finds its chunks, decisions and earlier seconds."""
        small_file(path)
        assert what_is_found(path) == EVERYTHING
        assert what_is_found(path) == EVERYTHING

    def test_seconds_add_up(self, path, clock):
        """Seconds are those of all earlier runs, not of this one."""
        for run, (expected, took) in enumerate([(0.0, 2.5), (2.5, 4.0), (6.5, 1.0)]):
            with Checkpoint(path, IDENTITY) as this:
                assert (run, this.seconds) == (run, expected)
                clock.now += took

    def test_an_empty_file_is_made_a_checkpoint(self, path):
        """A file without a byte, as tempfile makes it, may become a checkpoint."""
        path.touch()
        small_file(path)
        assert what_is_found(path) == EVERYTHING

    @pytest.mark.parametrize("stage", ["numbered", "in WAL mode"])
    def test_killed_while_it_was_made(self, path, stage):
        """A file that is ours and has no tables yet is made one."""
        edited(
            path,
            f"PRAGMA application_id={checkpoint_file.APPLICATION_ID}",
            f"PRAGMA user_version={checkpoint_file.FORMAT}",
        )
        if stage == "in WAL mode":
            edited(path, "PRAGMA journal_mode=WAL")
        with Checkpoint(path, IDENTITY) as first:
            assert first.finished("values", 4, 2, np.float64) == []

    def test_the_leftover_of_a_deleted_checkpoint(self, path, tmp_path):
        """Where only the file was deleted after a kill, what SQLite kept beside it is not taken for new."""
        killed_run(path)
        path.unlink()
        with Checkpoint(path, IDENTITY) as first:
            assert first.finished("values", 4, 2, np.float64) == []
        assert list(tmp_path.iterdir()) == [path]

    def test_names_that_sqlite_takes_for_others(self, tmp_path, monkeypatch):
        """A file may have any name: none is taken for a database in memory or for a URI."""
        monkeypatch.chdir(tmp_path)
        for name in (":memory:", "file:run?mode=memory", "a %20 #b"):
            small_file(name)
            assert what_is_found(name) == EVERYTHING
        assert {file.name for file in tmp_path.iterdir()} == {":memory:", "file:run?mode=memory", "a %20 #b"}


class TestContents:
    def test_another_place(self, path):
        """What functions and data consist of is compared beside the identity; nothing is written."""
        with Checkpoint(path, IDENTITY, {"cost": {"SCALE": "1"}}, lambda: {"cost": {"SCALE": "1"}}):
            pass
        before = path.read_bytes()
        with pytest.raises(InputError, match=r": the data differs, the cost's .* \(SCALE\): use"):
            Checkpoint(path, IDENTITY | {"data": "0"}, {"cost": {"SCALE": "2"}})
        assert path.read_bytes() == before

    @pytest.mark.parametrize("when", ["asked", "closed", "by an error"])
    def test_what_a_run_changes(self, path, when):
        """What changed until it is asked or closed is not compared by later runs, and the rest is."""
        now = {"cost": {"SCALE": "1", "CALLS": "0"}}
        with contextlib.suppress(ZeroDivisionError), Checkpoint(path, IDENTITY, now, lambda: now) as first:
            now = {"cost": {"SCALE": "1", "CALLS": "7"}}
            if when == "asked":
                first.note_changes()
                now = {"cost": {"SCALE": "1", "CALLS": "0"}}
            if when == "by an error":
                1 / 0  # noqa: B018
        for calls in ("0", "7", "9"):
            later = {"cost": {"SCALE": "1", "CALLS": calls}}
            with Checkpoint(path, IDENTITY, later, lambda later=later: later):
                pass
        with pytest.raises(InputError, match="SCALE"):
            Checkpoint(path, IDENTITY, {"cost": {"SCALE": "2", "CALLS": "0"}})

    def test_no_contents(self, path):
        """A file whose contents are gone is damaged."""
        small_file(path)
        edited(path, "DELETE FROM meta WHERE name = 'contents'")
        with pytest.raises(InputError, match="damaged"):
            Checkpoint(path, IDENTITY)

    def test_refused_by_its_values(self, path, monkeypatch):
        """A file that is refused later is let go as it was found, without what was kept since."""
        monkeypatch.setattr(checkpoint, "COMMIT_SECONDS", 1e6)
        small_file(path)
        before = path.read_bytes()
        with Checkpoint(path, IDENTITY) as again:
            again.store("a", 0, the_values(0, 2))
            with pytest.raises(
                InputError, match=rf"^{re.escape(str(path))}: why: use another file or delete it \[FG913\]$"
            ):
                again.refuse("why")
        assert path.read_bytes() == before
        assert what_is_found(path) == EVERYTHING


class TestKey:
    def test_tells_passes_apart(self, path):
        """Each of kind, indices, offsets, their dtypes and their shapes makes another key."""
        passes = [
            ("values", INDICES, OFFSETS),
            ("other", INDICES, OFFSETS),
            ("values", INDICES[::-1], OFFSETS),
            ("values", INDICES.astype(np.uint64), OFFSETS),
            ("values", INDICES, -OFFSETS),
            ("values", INDICES, OFFSETS.reshape(4, 3)),
            ("values", INDICES, OFFSETS * 1j),
            ("values", INDICES, 0.0 * OFFSETS),
            ("values", INDICES, -0.0 * OFFSETS),
        ]
        with Checkpoint(path, IDENTITY) as first:
            keys = [first.key(*asked) for asked in passes]

        assert len(set(keys)) == len(passes)
        assert all(re.fullmatch("[0-9a-f]{32}:0", key) for key in keys)

    def test_counts_repetitions(self, path):
        """The same pass asked again is another one, and a second run finds both in the same order."""
        with Checkpoint(path, IDENTITY) as first:
            keys = [first.key("values", INDICES, OFFSETS) for _ in range(3)]
        with Checkpoint(path, IDENTITY) as second:
            again = [second.key("values", INDICES, OFFSETS) for _ in range(3)]

        assert [key.partition(":")[2] for key in keys] == ["0", "1", "2"]
        assert again == keys

    def test_does_not_depend_on_the_layout(self, path):
        """Strided and contiguous arrays of the same numbers are the same pass."""
        wide = np.repeat(OFFSETS, 2, axis=1)
        with Checkpoint(path, IDENTITY) as first:
            assert first.key("a", INDICES, wide[:, ::2]) == first.key("a", INDICES, OFFSETS)[:-1] + "0"


class TestRemember:
    @pytest.mark.parametrize(
        "value",
        [
            7,
            10**30,
            "two words",
            "\u03b1 \udcff '",
            None,
            True,
            [1.5, [2, "x"], {}],
            0.1,
            1 / 3,
            -0.0,
            5e-324,
            -math.inf,
        ],
    )
    def test_first_answer(self, path, value):
        """The first answer is the one of all runs: of the same type, floats bit for bit."""
        with Checkpoint(path, IDENTITY) as first:
            answers = [first.remember("what", lambda: value), first.remember("what", lambda: "another")]
        with Checkpoint(path, IDENTITY) as second:
            answers.append(second.remember("what", lambda: "another"))

        assert [repr(answer) for answer in answers] == [repr(value)] * 3

    def test_nan(self, path):
        """NaN stays NaN."""
        with Checkpoint(path, IDENTITY) as first:
            first.remember("what", lambda: [math.nan])
        with Checkpoint(path, IDENTITY) as second:
            (answer,) = second.remember("what", lambda: [0.0])

        assert math.isnan(answer)

    def test_all_runs_get_the_same_type(self, path):
        """Where JSON changes a type, the first run gets the changed one too."""
        with Checkpoint(path, IDENTITY) as first:
            assert first.remember("what", lambda: (1, np.float64(0.5))) == [1, 0.5]

    def test_not_json(self, path):
        """What JSON cannot hold is an error at once, and nothing is remembered."""
        with Checkpoint(path, IDENTITY) as first:
            with pytest.raises(TypeError, match="not JSON serializable"):
                first.remember("what", lambda: {1, 2})
            assert first.remember("what", lambda: 3) == 3

    def test_an_error_is_not_remembered(self, path):
        """A computation that fails is made again the next time."""
        with Checkpoint(path, IDENTITY) as first:
            with pytest.raises(ZeroDivisionError):
                first.remember("what", lambda: 1 / 0)
            assert first.remember("what", lambda: 3) == 3


class TestCommit:
    @pytest.mark.usefixtures("clock")  # which stands still, so that it is left to the timer
    def test_a_timer_commits(self, path, monkeypatch):
        """A chunk is committed soon, though no other one comes."""
        monkeypatch.setattr(checkpoint, "COMMIT_SECONDS", 0.05)
        with Checkpoint(path, IDENTITY) as first:
            first.store("a", 0, the_values(0, 2))
            assert soon(lambda: not first._connection.in_transaction)

    def test_commits_are_few(self, path, clock, monkeypatch):
        """Chunks that come quickly are committed together; one that comes late, at once."""
        began, commits = clock.now, []
        monkeypatch.setattr(checkpoint.threading, "Timer", lambda wait, call: NoTimer(wait))
        with Checkpoint(path, IDENTITY) as first:
            for at in (0.05, 0.1, 0.19, 0.21, 0.3, 0.5):
                clock.now = began + at
                first.store("a", 0, the_values(0, 2))
                commits.append(not first._connection.in_transaction)

        assert commits == [False, False, False, True, False, True]

    def test_no_timer_after_a_flush(self, path, monkeypatch):
        """After a flush nothing is left to be done by another thread, so that a process may fork."""
        monkeypatch.setattr(checkpoint, "COMMIT_SECONDS", 1000.0)
        before = threading.active_count()
        with Checkpoint(path, IDENTITY) as first:
            first.store("a", 0, the_values(0, 2))
            assert threading.active_count() == before + 1
            first.flush()
            assert threading.active_count() == before
            assert not first._connection.in_transaction

    @pytest.mark.usefixtures("clock")
    def test_an_error_of_the_timer_is_raised_later(self, path, monkeypatch):
        """What goes wrong in the timer's thread is told to whoever calls next, and to close."""
        monkeypatch.setattr(checkpoint, "COMMIT_SECONDS", 0.05)
        first = Checkpoint(path, IDENTITY)
        monkeypatch.setattr(first, "_commit", failing)
        first.store("a", 0, the_values(0, 2))
        assert soon(lambda: first._failure is not None)
        monkeypatch.undo()
        for call in (lambda: first.store("a", 2, the_values(2, 4)), first.close):
            with pytest.raises(InputError, match=re.escape(f"{checkpoint_file.DAMAGED} (by the test)")):
                call()
        with Checkpoint(path, IDENTITY) as second:
            assert second.finished("a", 6, 2, np.float64) == []

    def test_a_timer_that_comes_too_late(self, path):
        """Where all is committed when the timer fires, it does nothing."""
        with Checkpoint(path, IDENTITY) as first:
            before = first._committed
            first._commit_late()
            assert (first._committed, first._failure) == (before, None)

    @pytest.mark.parametrize(
        ("setting", "value"),
        [("trusted_schema", 0), ("cell_size_check", 1), ("synchronous", 1), ("journal_mode", "wal")],
    )
    def test_settings(self, path, setting, value):
        """SQLite trusts nothing in the file, and syncs when it moves pages only."""
        with Checkpoint(path, IDENTITY) as first:
            assert first._connection.execute(f"PRAGMA {setting}").fetchall() == [(value,)]

    def test_full_disk(self, path):
        """On a full disk the run is told so, and what was committed before is still there."""
        first = Checkpoint(path, IDENTITY)
        first.store("a", 0, the_values(0, 2))
        first.flush()
        first._connection.execute("PRAGMA max_page_count=20")
        with pytest.raises(InputError) as caught, first:  # noqa: PT012
            for _ in range(100):
                first.store("b", 0, np.zeros((1000, 1)))

        assert str(caught.value).startswith(
            f"{path}: the disk is full: make room and run again; what was kept"
        )
        with Checkpoint(path, IDENTITY) as second:
            assert [chunk[:2] for chunk in second.finished("a", 6, 2, np.float64)] == [(0, 2)]


class TestClose:
    def test_leaves_one_file(self, path, tmp_path):
        """While a run goes on there are two files, never a third; after it there is one."""
        with Checkpoint(path, IDENTITY) as first:
            first.store("a", 0, the_values(0, 2))
            first.flush()
            assert {file.name for file in tmp_path.iterdir()} == {path.name, f"{path.name}-wal"}
        assert list(tmp_path.iterdir()) == [path]

    def test_after_an_error(self, path, tmp_path):
        """An error of the run, Ctrl-C too, goes on to the caller, and the chunks are kept."""
        with pytest.raises(KeyboardInterrupt), Checkpoint(path, IDENTITY) as first:  # noqa: PT012
            first.store("a", 0, the_values(0, 2))
            raise KeyboardInterrupt
        assert list(tmp_path.iterdir()) == [path]
        with Checkpoint(path, IDENTITY) as second:
            assert len(second.finished("a", 6, 2, np.float64)) == 1

    def test_an_error_of_the_run_comes_first(self, path, monkeypatch):
        """Where the run and the closing both fail, the run's error is the one that is seen."""
        with pytest.raises(ZeroDivisionError), Checkpoint(path, IDENTITY) as first:  # noqa: PT012
            monkeypatch.setattr(first, "_commit", failing)
            1 / 0  # noqa: B018

    def test_an_error_of_the_closing(self, path, monkeypatch):
        """Where only the closing fails, it says so, and the file is let go."""
        with pytest.raises(InputError, match="by the test"), Checkpoint(path, IDENTITY) as first:
            monkeypatch.setattr(first, "_commit", failing)
        Checkpoint(path, IDENTITY).close()

    def test_twice(self, path):
        """Closing again does nothing, and takes nothing from a run that came after."""
        first = Checkpoint(path, IDENTITY)
        first.close()
        with Checkpoint(path, IDENTITY):
            first.close()
            with pytest.raises(InputError, match="another run is using"):
                Checkpoint(path, IDENTITY)

    def test_use_after_closing(self, path):
        """A closed checkpoint is not called damaged."""
        first = Checkpoint(path, IDENTITY)
        first.close()
        with pytest.raises(sqlite3.ProgrammingError, match="closed database"):
            first.store("a", 0, the_values(0, 2))

    def test_nothing_is_left_open(self, path, tmp_path):
        """With warnings as errors, a process that opens, is refused and closes ends without a word."""
        code = """
            import gc, sys
            from fastgrad.execution.checkpoint import Checkpoint
            from fastgrad.errors import InputError
            import numpy as np
            with Checkpoint(sys.argv[1], {"data": "1"}) as first:
                first.store("a", 0, np.ones((2, 2)))
            try:
                Checkpoint(sys.argv[1], {"data": "2"})
            except InputError as error:
                print(str(error).partition(": ")[2])
            gc.collect()
        """
        said = "this checkpoint is of another problem: the data differs: use another file or delete it"
        assert in_another_process(code, path) == f"{said} [FG913]\n"


class NoTimer:
    """A timer that never fires."""

    def __init__(self, wait):
        self.wait = wait

    def start(self):
        """Not started."""

    cancel = join = start


def failing():
    """An error such as SQLite raises."""
    raise sqlite3.DatabaseError("by the test")


def soon(condition):
    """Whether it holds within ten seconds."""
    return any(condition() or time.sleep(0.01) for _ in range(1000))


class TestTheFileItself:
    @pytest.mark.skipif(os.name != "posix", reason="permissions are those of POSIX")
    @pytest.mark.parametrize("mask", [0o022, 0o000])
    def test_is_private(self, path, mask):
        """It is made for nobody else to read, and so is the file beside it, whatever the umask allows."""
        before = os.umask(mask)
        try:
            with Checkpoint(path, {}) as checkpoint:
                checkpoint.store("key", 0, np.ones((2, 1)))
                beside = path.with_name(path.name + "-wal")
                modes = [stat.S_IMODE(file.stat().st_mode) for file in (path, beside)]
        finally:
            os.umask(before)
        assert modes == [0o600, 0o600]

    @pytest.mark.skipif(os.name != "posix", reason="permissions are those of POSIX")
    def test_the_mode_of_a_file_that_is_there_stays(self, path):
        """A file that is there keeps the mode that its owner gave it."""
        with Checkpoint(path, {}):
            pass
        path.chmod(0o640)
        with Checkpoint(path, {}):
            pass
        assert stat.S_IMODE(path.stat().st_mode) == 0o640

    @pytest.mark.skipif(os.name != "posix", reason="an open file can be deleted on POSIX only")
    @pytest.mark.parametrize("replaced", [False, True])
    def test_deleted_while_a_check_ran(self, path, replaced):
        """A check whose file is deleted or replaced meanwhile ends as without it, and says so."""
        made = []

        def cost(x):
            made.append(1)
            if len(made) == 40:
                path.unlink()
                if replaced:
                    path.write_text("something else")
            return float(np.sum(np.sin(x)))

        report = fastgrad.check_gradient(cost, np.cos, np.linspace(0.3, 1.7, 20), checkpoint=path)
        assert report.verdict == "agree"
        assert report.notes[-1] == (
            f"the checkpoint {path} was deleted or replaced while the check ran: what was kept there is lost"
        )

    def test_nothing_is_said_where_it_stays(self, path):
        """A check whose file stays where it was says nothing of it."""
        report = fastgrad.check_gradient(lambda x: float(x @ x), lambda x: 2 * x, np.ones(3), checkpoint=path)
        assert not any("checkpoint" in note for note in report.notes)

    @pytest.mark.parametrize("bad", [3, b"x", 1.5, ["a"], "", True])
    def test_what_is_no_path(self, bad):
        """What is no path is refused before anything is evaluated."""
        with pytest.raises(InputError, match="checkpoint must be the path of a file"):
            fastgrad.check_gradient(lambda x: 1 / 0, np.ones(3), np.ones(3), checkpoint=bad)

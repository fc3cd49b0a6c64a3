"""The checkpoint file: what is found in it is right bit for bit, or it is refused in words."""

from __future__ import annotations

import contextlib
import math
import os
import re
import shutil
import sqlite3
import struct
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from fastgrad.errors import InputError
from fastgrad.execution import checkpoint, checkpoint_file
from fastgrad.execution.checkpoint import Checkpoint, NoCheckpoint

IDENTITY = {"parameters": "a1b2", "gradient": "c3d4", "data": "e5f6", "options": "seed=0", "fastgrad": "1.0"}

INDICES = np.arange(6)
OFFSETS = np.full((6, 2), 1e-5)

FLIPS = 250
"""Bytes that are flipped, one at a time. All 20,480 of the file, in three ways each, took two minutes;
none gave a wrong value, and most are not used."""

KILLS = 20
"""Times that a run is killed."""

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="the runs to be killed are made by os.fork")


def the_values(start, stop, points=2, dtype=np.float64):
    """Values of a pass that can be told from each other."""
    grid = np.arange(start, stop)[:, None] + np.arange(points) / 8
    return (grid * (1 + 2j) if dtype == np.complex128 else np.sqrt(grid)).astype(dtype)


def bits(array):
    """The bytes of an array: NaN and signed zeros are told apart."""
    return array.dtype, array.shape, array.tobytes()


def small_file(path):
    """A checkpoint with two chunks of one pass, one of another, and a decision."""
    with Checkpoint(path, IDENTITY) as first:
        key = first.key("values", INDICES, OFFSETS)
        first.store(key, 0, the_values(0, 2))
        first.store(key, 4, the_values(4, 6))
        first.store(first.key("complex", INDICES, OFFSETS), 0, the_values(0, 6, dtype=np.complex128))
        first.remember("step", lambda: [0.1, math.inf])


def what_is_found(path):
    """All that a resumed run gets of a small file: right by the asserts in here, or InputError."""
    with Checkpoint(path, IDENTITY) as again:
        found = 0
        for kind, dtype in (("values", np.float64), ("complex", np.complex128)):
            key = again.key(kind, INDICES, OFFSETS)
            for start, stop, values in again.finished(key, 6, 2, dtype):
                assert bits(values) == bits(the_values(start, stop, dtype=dtype))
                found += 1
        decision = again.remember("step", lambda: "made again")
        assert decision in ([0.1, math.inf], "made again")
        assert 0 <= again.seconds < 60
        return found, decision


EVERYTHING = (3, [0.1, math.inf])


def refusal(path, identity=IDENTITY):
    """The message with which a file is refused, without its name; the folder stays as it was."""
    before = {file: file.read_bytes() for file in path.parent.iterdir() if file.is_file()}
    with pytest.raises(InputError) as caught:
        Checkpoint(path, identity)
    assert {file: file.read_bytes() for file in path.parent.iterdir() if file.is_file()} == before
    assert str(caught.value).startswith(f"{path}: ")
    return str(caught.value).removeprefix(f"{path}: ")


def edited(path, *statements):
    """Change a checkpoint with SQL, as somebody else might."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as database:
        for statement in statements:
            database.execute(*statement) if isinstance(statement, tuple) else database.execute(statement)


def in_another_process(code, *arguments, **options):
    """What a script prints; warnings are errors, ResourceWarning too."""
    command = [sys.executable, "-W", "error", "-c", textwrap.dedent(code), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=True, **options).stdout


@pytest.fixture
def path(tmp_path):
    """Where a checkpoint may be made."""
    return tmp_path / "run.checkpoint"


@pytest.fixture
def without_rights():
    """A folder, and a function that makes this process one without rights: root may write anywhere."""
    with tempfile.TemporaryDirectory() as name:
        folder, user = Path(name), os.geteuid()
        folder.chmod(0o755)

        def drop():
            if user == 0:
                os.seteuid(65534)

        try:
            yield folder, drop
        finally:
            os.seteuid(user)
            folder.chmod(0o755)


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
            f"a checkpoint keeps values (k, S) of float64 or complex128 from a start of 0 or more; {got}"
        )


class TestResume:
    def test_finds_what_was_there(self, path):
        """A run that asks for the same in the same order finds its chunks, decisions and earlier seconds."""
        small_file(path)
        assert what_is_found(path) == EVERYTHING
        assert what_is_found(path) == EVERYTHING

    def test_says_so(self, path):
        """The first run has not resumed, the second has, and it counts each value that it took once."""
        with Checkpoint(path, IDENTITY) as first:
            assert (first.resumed, first.seconds, first.reused) == (False, 0.0, 0)
            first.store("a", 0, the_values(0, 4))
            first.store("a", 2, the_values(2, 5))
        with Checkpoint(path, IDENTITY) as second:
            second.finished("a", 6, 2, np.float64)
            second.finished("b", 6, 2, np.float64)
            assert (second.resumed, second.reused) == (True, 10)

    def test_seconds_add_up(self, path, monkeypatch):
        """Seconds are those of all earlier runs, not of this one."""
        clock = [0.0]
        monkeypatch.setattr(checkpoint.time, "perf_counter", lambda: clock[0])
        for run, (expected, took) in enumerate([(0.0, 2.5), (2.5, 4.0), (6.5, 1.0)]):
            with Checkpoint(path, IDENTITY) as this:
                assert (run, this.seconds) == (run, expected)
                clock[0] += took

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
            assert not first.resumed

    def test_the_leftover_of_a_deleted_checkpoint(self, path, tmp_path):
        """Where only the file was deleted after a kill, what SQLite kept beside it is not taken for new."""
        killed_run(path)
        path.unlink()
        with Checkpoint(path, IDENTITY) as first:
            assert not first.resumed
        assert list(tmp_path.iterdir()) == [path]

    def test_names_that_sqlite_takes_for_others(self, tmp_path, monkeypatch):
        """A file may have any name: none is taken for a database in memory or for a URI."""
        monkeypatch.chdir(tmp_path)
        for name in (":memory:", "file:run?mode=memory", "a %20 #b"):
            small_file(name)
            assert what_is_found(name) == EVERYTHING
        assert {file.name for file in tmp_path.iterdir()} == {":memory:", "file:run?mode=memory", "a %20 #b"}


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
        with Checkpoint(path, IDENTITY) as first, NoCheckpoint() as none:
            assert first.key("a", INDICES, wide[:, ::2]) == first.key("a", INDICES, OFFSETS)[:-1] + "0"
            assert none.key("a", INDICES, OFFSETS) == "a"


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


class TestNoCheckpoint:
    def test_does_nothing(self):
        """The twin has the same methods, finds nothing and asks each time."""
        with NoCheckpoint() as none:
            key = none.key("values", INDICES, OFFSETS)
            none.store(key, 0, the_values(0, 2))
            none.flush()
            assert none.finished(key, 6, 2, np.float64) == []
            assert [none.remember("what", lambda answer=answer: answer) for answer in (1, 2)] == [1, 2]
            assert (none.resumed, none.seconds, none.reused) == (False, 0.0, 0)

    def test_has_what_a_checkpoint_has(self, path):
        """All that is public in one is public in the other, but for the path."""
        with Checkpoint(path, IDENTITY) as first, NoCheckpoint() as none:
            public = [{name for name in dir(it) if not name.startswith("_")} for it in (first, none)]

        assert public[0] - public[1] == {"path"}
        assert public[1] <= public[0]


class TestOtherProblem:
    def test_words(self, path):
        """The entries that differ are named, text that a user can read is quoted, hashes are not."""
        small_file(path)
        now = IDENTITY | {"parameters": "0000", "options": "seed=1", "fastgrad": "1.1"}

        assert refusal(path, now) == (
            "this checkpoint is of another problem: the parameters differ, the options differ "
            "('seed=0' there, 'seed=1' now), the fastgrad version differs ('1.0' there, '1.1' now): "
            "use another file or delete it"
        )
        assert what_is_found(path) == EVERYTHING

    @pytest.mark.parametrize(
        ("now", "words"),
        [
            ({**IDENTITY, "data": "0000"}, "the data differs"),
            ({**IDENTITY, "network": "0000"}, "the network differs"),
            ({k: v for k, v in IDENTITY.items() if k != "gradient"}, "the gradient differs"),
            (
                {k: v for k, v in IDENTITY.items() if k != "options"},
                "the options differ ('seed=0' there, None now)",
            ),
        ],
    )
    def test_each_entry(self, path, now, words):
        """An entry that is new, gone or changed is a difference."""
        small_file(path)
        assert refusal(path, now).startswith(f"this checkpoint is of another problem: {words}: use")

    def test_order_is_no_difference(self, path):
        """The order of the entries does not matter."""
        small_file(path)
        with Checkpoint(path, dict(reversed(IDENTITY.items()))) as again:
            assert len(again.finished(again.key("values", INDICES, OFFSETS), 6, 2, np.float64)) == 2

    def test_rows_of_another_problem(self, path, tmp_path):
        """A row that came from a checkpoint of another problem is damage, though it is whole."""
        small_file(path)
        with Checkpoint(tmp_path / "other", IDENTITY | {"data": "0000"}) as other:
            other.store("a", 0, the_values(0, 2))
        columns = "key, start, length, points, dtype, data, checksum"
        edited(
            path,
            ("ATTACH ? AS other", (str(tmp_path / "other"),)),
            f"INSERT INTO chunks ({columns}) SELECT {columns} FROM other.chunks",
        )
        assert refusal(path) == f"{checkpoint_file.DAMAGED} (a checksum of values is wrong)"


class TestNotACheckpoint:
    FOREIGN = "this file is there already and is not a checkpoint of fastgrad: use another name"

    @pytest.mark.parametrize(
        "content",
        [b"x", b"notes\n" * 1000, bytes(5000), b"SQLite format 3\0", b"SQLite format 3\0" + bytes(4080)],
    )
    def test_not_sqlite(self, path, content):
        """A file of something else is refused as it is."""
        path.write_bytes(content)
        assert refusal(path) == self.FOREIGN

    @pytest.mark.parametrize("mode", ["DELETE", "WAL"])
    def test_sqlite_of_another_program(self, path, mode):
        """Somebody else's database is refused as it is, be it empty or full of triggers."""
        edited(path, f"PRAGMA journal_mode={mode}", "PRAGMA user_version=1")
        assert refusal(path) == self.FOREIGN
        edited(
            path,
            "CREATE TABLE meta (name, value, checksum)",
            "CREATE TRIGGER t AFTER INSERT ON meta BEGIN DELETE FROM meta; END",
        )
        assert refusal(path) == self.FOREIGN

    def test_sqlite_that_another_program_left_open(self, path, tmp_path):
        """Not even what another program keeps beside its database is touched."""
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as theirs:
            theirs.execute("PRAGMA journal_mode=WAL")
            theirs.execute("CREATE TABLE t (a)")
            (tmp_path / "copy").mkdir()
            for name in (path.name, f"{path.name}-wal"):
                shutil.copy(tmp_path / name, tmp_path / "copy" / name)
        assert refusal(tmp_path / "copy" / path.name) == self.FOREIGN

    def test_another_format(self, path):
        """A checkpoint of another format is refused with both numbers."""
        small_file(path)
        edited(path, "PRAGMA user_version=7")
        assert refusal(path) == (
            "this checkpoint is of format 7, and this fastgrad knows format 1 only: "
            "use another file or delete it"
        )

    @pytest.mark.parametrize(
        "statement",
        [
            "CREATE TRIGGER t AFTER INSERT ON chunks BEGIN DELETE FROM meta; END",
            "CREATE VIEW v AS SELECT * FROM chunks",
            "CREATE TABLE more (a)",
            "CREATE INDEX more ON chunks (start)",
            "DROP INDEX chunks_of_pass",
            "DROP TABLE decisions",
            "ALTER TABLE chunks ADD COLUMN twice AS (2 * start)",
            "ALTER TABLE chunks RENAME COLUMN data TO blob",
            "ANALYZE",
        ],
    )
    def test_another_schema(self, path, statement):
        """A checkpoint whose tables are not exactly ours is refused as it is."""
        small_file(path)
        edited(path, statement)
        assert refusal(path) == f"{checkpoint_file.DAMAGED} (its tables are not those of a checkpoint)"

    def test_a_trigger_does_not_run(self, path):
        """What a stranger put into the file has not run when it is refused."""
        small_file(path)
        edited(
            path,
            "CREATE TABLE ran (a)",
            "CREATE TRIGGER t INSERT ON meta BEGIN INSERT INTO ran VALUES (1); END",
        )
        refusal(path)
        with contextlib.closing(sqlite3.connect(path)) as database:
            assert database.execute("SELECT * FROM ran").fetchall() == []

    def test_missing_folder(self, tmp_path):
        """A path in a folder that is not there is refused with the folder's name, and none is made."""
        with pytest.raises(InputError, match=re.escape(f"there is no folder {tmp_path / 'no'} for this")):
            Checkpoint(tmp_path / "no" / "run", IDENTITY)
        assert list(tmp_path.iterdir()) == []

    def test_folder(self, tmp_path):
        """A folder is not a file."""
        assert refusal(tmp_path) == "a checkpoint is a file, and this is a folder or a device"

    @pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
    def test_pipe(self, path):
        """A pipe is refused without waiting for somebody to write to it."""
        os.mkfifo(path)
        assert refusal(path) == "a checkpoint is a file, and this is a folder or a device"


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="the rights of files are tested as POSIX has them")
class TestRights:
    @pytest.mark.parametrize("rights", [0o000, 0o444])
    def test_file(self, without_rights, rights):
        """A file that may not be read, or not be written, is refused as it is."""
        folder, drop = without_rights
        folder.chmod(0o777)
        path = folder / "run"
        small_file(path)
        before = path.read_bytes()
        path.chmod(rights)
        drop()
        with pytest.raises(InputError) as caught:
            Checkpoint(path, IDENTITY)

        assert str(caught.value).startswith(f"{path}: {checkpoint_file.INACCESSIBLE} (")
        assert list(folder.iterdir()) == [path]
        os.seteuid(os.getuid())
        path.chmod(0o644)
        assert path.read_bytes() == before

    @pytest.mark.parametrize("there", [False, True])
    def test_folder(self, without_rights, there):
        """In a folder that may not be written, neither an old nor a new checkpoint is taken."""
        folder, drop = without_rights
        path = folder / "run"
        if there:
            small_file(path)
            path.chmod(0o666)
        folder.chmod(0o555)
        drop()
        with pytest.raises(InputError) as caught:
            Checkpoint(path, IDENTITY)

        assert str(caught.value).startswith(f"{path}: {checkpoint_file.INACCESSIBLE} (")


class TestDamage:
    def test_flipped_bytes(self, path, tmp_path):
        """A flipped byte anywhere is refused in words or does no harm: never a wrong value."""
        small_file(path)
        whole = path.read_bytes()
        generator = np.random.default_rng(5)
        used = np.flatnonzero(np.frombuffer(whole, dtype=np.uint8))
        places = [
            *range(16, 100, 2),
            *generator.choice(used, FLIPS),
            *generator.integers(len(whole), size=FLIPS // 5),
        ]
        outcomes = [self.outcome(tmp_path / "hurt", flipped(whole, at, generator)) for at in places]

        assert outcomes.count("refused") > FLIPS // 2
        assert outcomes.count(EVERYTHING) > 10

    def test_truncated(self, path, tmp_path):
        """A file that was cut off is refused in words, wherever; one of no bytes is new."""
        small_file(path)
        whole = path.read_bytes()
        lengths = [
            1,
            15,
            16,
            60,
            71,
            72,
            99,
            100,
            101,
            511,
            512,
            *range(1000, len(whole), 777),
            *pages(whole),
        ]
        outcomes = {length: self.outcome(tmp_path / "hurt", whole[:length]) for length in lengths}

        assert outcomes == dict.fromkeys(lengths, "refused")
        assert self.outcome(tmp_path / "hurt", b"") == (0, "made again")
        assert self.outcome(tmp_path / "hurt", whole) == EVERYTHING

    @pytest.mark.parametrize("what", ["flipped", "truncated"])
    def test_what_a_killed_run_leaves_beside_it(self, path, tmp_path, what):
        """Damage to the file that SQLite keeps beside ours takes away the last chunks, or is refused."""
        killed_run(path)
        main, beside = path.read_bytes(), Path(f"{path}-wal").read_bytes()
        generator = np.random.default_rng(6)
        outcomes = []
        for at in [*range(0, 56, 5), *generator.integers(len(beside), size=60)]:
            hurt = flipped(beside, at, generator) if what == "flipped" else beside[:at]
            Path(f"{tmp_path / 'hurt'}-wal").write_bytes(hurt)
            outcomes.append(self.outcome(tmp_path / "hurt", main))

        assert {outcome if outcome == "refused" else outcome[0] for outcome in outcomes} <= {
            "refused",
            0,
            1,
            2,
            3,
        }
        Path(f"{tmp_path / 'hurt'}-wal").write_bytes(beside)
        assert self.outcome(tmp_path / "hurt", main) == EVERYTHING

    @staticmethod
    def outcome(path, content):
        """What is found in a file of this content; "refused" if it is in one of the three ways."""
        path.write_bytes(content)
        try:
            return what_is_found(path)
        except InputError as error:
            message = str(error)
        assert re.search("is damaged: delete it|is not a checkpoint of|is of format|cannot be read", message)
        return "refused"

    @pytest.mark.parametrize(
        ("statement", "why"),
        [
            ("UPDATE chunks SET start = 1 WHERE id = 1", "a checksum of values is wrong"),
            ("UPDATE chunks SET key = 'x' WHERE id = 1", "a checksum of values is wrong"),
            ("UPDATE chunks SET data = substr(data, 1, 24)", "a checksum of values is wrong"),
            ("UPDATE chunks SET data = CAST(data AS TEXT)", "Could not decode to UTF-8"),
            ("UPDATE chunks SET checksum = NULL", "a checksum of values is wrong"),
            ("UPDATE decisions SET value = '[0.2]'", "a checksum of text is wrong"),
            ("UPDATE decisions SET name = 'stop'", "a checksum of text is wrong"),
            ("UPDATE decisions SET value = CAST(x'ff' AS TEXT)", "Could not decode to UTF-8"),
            ("UPDATE meta SET value = '0.0' WHERE name = 'seconds'", "a checksum of text is wrong"),
            ("DELETE FROM meta WHERE name = 'seconds'", "the identity or the time is missing"),
            ("DELETE FROM meta", "the identity or the time is missing"),
        ],
    )
    def test_changed_rows(self, path, statement, why):
        """A row that was changed with SQL is damage too."""
        small_file(path)
        edited(path, statement)
        assert refusal(path).startswith(f"{checkpoint_file.DAMAGED} ({why}")

    @pytest.mark.parametrize(
        "changes",
        [
            {"data": bytes(24)},
            {"data": bytes(40)},
            {"data": "x" * 32},
            {"length": 3},
            {"length": -2, "points": -2},
            {"length": 1.5},
            {"start": -1},
            {"start": None},
            {"dtype": "object"},
            {"dtype": "complex128"},
            {"dtype": None},
        ],
    )
    def test_forged_rows(self, path, changes):
        """A row with a right checksum whose blob is not of its shape and dtype is refused."""
        with Checkpoint(path, IDENTITY) as first:
            seal = first._seal
        row = {
            "key": "a",
            "start": 0,
            "length": 2,
            "points": 2,
            "dtype": "float64",
            "data": bytes(32),
        } | changes
        edited(
            path,
            (checkpoint_file.INSERT_CHUNK, (*row.values(), checkpoint_file.checksum_of(seal, *row.values()))),
        )
        assert refusal(path) == f"{checkpoint_file.DAMAGED} (a chunk is not of its shape)"

    @pytest.mark.parametrize("text", ["[1", "[" * 100_000, "1" * 5000, "", None])
    def test_forged_text(self, path, text):
        """A text with a right checksum that is not JSON, or too deep or too long a number, is refused."""
        with Checkpoint(path, IDENTITY) as first:
            checksum = checkpoint_file.checksum_of(first._seal, "what", text)
        edited(path, ("INSERT INTO decisions VALUES ('what', ?, ?)", (text, checksum)))
        assert refusal(path) == f"{checkpoint_file.DAMAGED} (a text is not JSON)"

    @pytest.mark.parametrize(("count", "points", "dtype"), [(5, 2, float), (6, 3, float), (6, 2, complex)])
    def test_another_shape(self, path, count, points, dtype):
        """A chunk that does not fit the pass that asks for it is refused, not cut."""
        with Checkpoint(path, IDENTITY) as first:
            first.store("a", 4, the_values(4, 6))
            with pytest.raises(InputError, match=r"is damaged.* \(a chunk is not of its pass\)$"):
                first.finished("a", count, points, dtype)
            assert first.reused == 0

    def test_after_it_was_opened(self, path):
        """Damage that is done while a run goes on is found when the row is read."""
        with Checkpoint(path, IDENTITY) as first:
            first.store("a", 0, the_values(0, 2))
            first._connection.execute("UPDATE chunks SET start = 1")
            with pytest.raises(InputError, match=re.escape(checkpoint_file.DAMAGED)):
                first.finished("a", 6, 2, np.float64)


class TestNoPickle:
    def test_source(self):
        """The module has no pickle, no eval and no extension loading: numbers and text only."""
        source = Path(checkpoint.__file__).read_text(encoding="utf-8")
        assert re.findall(r"pickle|marshal|\beval\b|\bexec\b|load_extension|np\.load|allow_", source) == []


class TestOneRunAtATime:
    OPEN = """
        import sys
        from fastgrad.execution.checkpoint import Checkpoint
        from fastgrad.errors import InputError
        try:
            Checkpoint(sys.argv[1], dict(zip(sys.argv[2::2], sys.argv[3::2]))).close()
        except InputError as error:
            print(error)
    """

    def test_second_run_is_refused(self, path, tmp_path):
        """A second run is refused, in this process or another, and the first goes on with a whole file."""
        arguments = [word for entry in IDENTITY.items() for word in entry]
        refused = f"{path}: another run is using this checkpoint: wait for it, or use another file"
        with Checkpoint(path, IDENTITY) as first:
            first.store("a", 0, the_values(0, 2))
            for _ in range(2):
                with pytest.raises(InputError, match=re.escape(refused)):
                    Checkpoint(path, IDENTITY)
                # The refusal above has not lost this process its lock.
                assert in_another_process(self.OPEN, path, *arguments).startswith(refused)
            first.store("a", 2, the_values(2, 4))
        assert in_another_process(self.OPEN, path, *arguments) == ""
        with Checkpoint(path, IDENTITY) as second:
            assert [chunk[:2] for chunk in second.finished("a", 6, 2, np.float64)] == [(0, 2), (2, 4)]

    def test_by_another_name(self, path, tmp_path):
        """The same file by another name is the same file."""
        (tmp_path / "link").symlink_to(path)
        with Checkpoint(path, IDENTITY), pytest.raises(InputError, match="another run is using"):
            Checkpoint(tmp_path / "link", IDENTITY)

    def test_another_program_reads_it(self, path):
        """A program that has the file open for reading keeps us out, and no harm is done."""
        small_file(path)
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as theirs:
            theirs.execute("SELECT * FROM chunks").fetchone()
            with pytest.raises(InputError, match="another run is using"):
                Checkpoint(path, IDENTITY)
        assert what_is_found(path) == EVERYTHING

    def test_a_refused_opening_lets_go(self, path):
        """A file that was refused for its problem can be opened for the right one."""
        small_file(path)
        refusal(path, {})
        assert what_is_found(path) == EVERYTHING


class TestCommit:
    def test_a_timer_commits(self, path, monkeypatch):
        """A chunk is committed soon, though no other one comes."""
        monkeypatch.setattr(checkpoint, "COMMIT_SECONDS", 0.05)
        monkeypatch.setattr(checkpoint.time, "perf_counter", lambda: 0.0)  # so that it is left to the timer
        with Checkpoint(path, IDENTITY) as first:
            first.store("a", 0, the_values(0, 2))
            assert soon(lambda: not first._connection.in_transaction)

    def test_commits_are_few(self, path, monkeypatch):
        """Chunks that come quickly are committed together; one that comes late, at once."""
        clock, commits = [0.0], []
        monkeypatch.setattr(checkpoint.time, "perf_counter", lambda: clock[0])
        monkeypatch.setattr(checkpoint.threading, "Timer", lambda wait, call: NoTimer(wait))
        with Checkpoint(path, IDENTITY) as first:
            for at in (0.05, 0.1, 0.19, 0.21, 0.3, 0.5):
                clock[0] = at
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

    def test_an_error_of_the_timer_is_raised_later(self, path, monkeypatch):
        """What goes wrong in the timer's thread is told to whoever calls next, and to close."""
        monkeypatch.setattr(checkpoint, "COMMIT_SECONDS", 0.05)
        monkeypatch.setattr(checkpoint.time, "perf_counter", lambda: 0.0)
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
        expected = "this checkpoint is of another problem: the data differs: use another file or delete it\n"
        assert in_another_process(code, path) == expected


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


def flipped(content, at, generator):
    """The same bytes but for one, in one to eight bits."""
    hurt = bytearray(content)
    hurt[at] ^= int(generator.integers(1, 256))
    return bytes(hurt)


def pages(content):
    """All lengths of a file of whole pages, but its own."""
    size = int.from_bytes(content[16:18], "big")
    return range(size, len(content), size)


def killed_run(path):
    """A small file as a run leaves it that is killed at its end."""
    code = """
        import os, sys
        sys.path.insert(0, sys.argv[1])
        import test_checkpoint as here
        here.Checkpoint.close = lambda self: (self.flush(), os._exit(0))
        here.small_file(sys.argv[2])
    """
    in_another_process(code, Path(__file__).parent, path)
    assert Path(f"{path}-wal").stat().st_size > 0


@needs_fork
class TestKilled:
    KILLED = """
        import os, signal, sys, time
        import numpy as np
        from fastgrad.execution import checkpoint
        from fastgrad.execution.checkpoint import Checkpoint

        checkpoint.COMMIT_SECONDS = 0.004
        PASSES, CHUNKS, LENGTH, POINTS = 4000, 7, 9, 3
        INDICES = np.arange(CHUNKS * LENGTH)

        def asked(number):
            return INDICES, np.full((len(INDICES), POINTS), 1.0 + number)

        def values(number, chunk):
            return np.random.default_rng([number, chunk]).normal(size=(LENGTH, POINTS))

        def run(path, tell):
            done = 0
            with Checkpoint(path, {"data": "1"}) as mine:
                for number in range(PASSES):
                    key = mine.key("values", *asked(number))
                    found = mine.finished(key, len(INDICES), POINTS, float)
                    known = {start // LENGTH for start, _, _ in found}
                    for chunk in range(CHUNKS):
                        if chunk not in known:
                            mine.store(key, chunk * LENGTH, values(number, chunk))
                        done += 1
                    mine.remember(f"decision {number}", lambda: number / 3) if number % 20 == 0 else None
                    if number % 5 == 0:
                        mine.flush()
                        os.pwrite(tell, done.to_bytes(8, "little"), 0)

        def count(path):
            # The chunks that are there: the first ones of the order, each of them right, or an error.
            with Checkpoint(path, {"data": "1"}) as mine:
                there = []
                for number in range(PASSES):
                    found = mine.finished(mine.key("values", *asked(number)), len(INDICES), POINTS, float)
                    for start, stop, got in found:
                        assert got.tobytes() == values(number, start // LENGTH).tobytes()
                        there.append(number * CHUNKS + start // LENGTH)
                    if not found:
                        break
                assert there == list(range(len(there)))
                return len(there)

        path, kills = sys.argv[1], int(sys.argv[2])
        delays = np.random.default_rng(3).uniform(0.0, 0.06, size=kills)
        tell = os.open(path + ".told", os.O_RDWR | os.O_CREAT)
        for delay in [*delays[: kills // 2] / 10, *delays[kills // 2 :]]:
            child = os.fork()
            if not child:
                run(path, tell)
                os._exit(0)
            time.sleep(delay)
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            told = int.from_bytes(os.pread(tell, 8, 0), "little")
            there = count(path)
            assert there >= told, (there, told)
            print(there)
    """

    def test_at_random_moments(self, path):
        """Killed again and again, also while it is made, the file opens and has the first chunks."""
        counts = [int(line) for line in in_another_process(self.KILLED, path, KILLS).split()]

        assert len(counts) == KILLS
        assert counts == sorted(counts)
        assert counts[-1] > 0

    def test_waiting_for_the_next_chunk(self, path):
        """A run that is killed during a long evaluation has kept all chunks that came before it."""
        code = """
            import os, signal, sys, time
            import numpy as np
            from fastgrad.execution.checkpoint import Checkpoint
            mine = Checkpoint(sys.argv[1], {"data": "1"})
            for start in range(3):
                mine.store("a", start, np.full((1, 2), float(start)))
            while mine._connection.in_transaction:
                time.sleep(0.01)
            print("waiting", flush=True)
            os.kill(os.getpid(), signal.SIGKILL)
        """
        command = [sys.executable, "-c", textwrap.dedent(code), str(path)]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert (ended.stdout, ended.returncode) == ("waiting\n", -9)
        with Checkpoint(path, {"data": "1"}) as second:
            assert [start for start, _, _ in second.finished("a", 3, 2, np.float64)] == [0, 1, 2]

"""A file that is no checkpoint, of another problem, or damaged is refused, and left as it is."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import sqlite3
import tempfile
from pathlib import Path

import numpy as np
import pytest
from checkpoint_cases import (
    EVERYTHING,
    IDENTITY,
    INDICES,
    OFFSETS,
    edited,
    killed_run,
    refusal,
    small_file,
    the_values,
    what_is_found,
)

from fastgrad.errors import InputError
from fastgrad.execution import checkpoint, checkpoint_file
from fastgrad.execution.checkpoint import Checkpoint

FLIPS = 250
"""Bytes that are flipped, one at a time. All 20,480 of the file, in three ways each, took two minutes;
none gave a wrong value, and most are not used."""


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
            "this checkpoint is of format 7, and this fastgrad knows format 2 only: "
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
            with pytest.raises(InputError, match=r"is damaged.* \(a chunk is not of its pass\) \[FG914\]$"):
                first.finished("a", count, points, dtype)

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


def flipped(content, at, generator):
    """The same bytes but for one, in one to eight bits."""
    hurt = bytearray(content)
    hurt[at] ^= int(generator.integers(1, 256))
    return bytes(hurt)


def pages(content):
    """All lengths of a file of whole pages, but its own."""
    size = int.from_bytes(content[16:18], "big")
    return range(size, len(content), size)

"""A run that is killed leaves a file that the next one goes on from; two runs never share one."""

from __future__ import annotations

import contextlib
import os
import re
import sqlite3
import subprocess
import sys
import textwrap

import numpy as np
import pytest
from checkpoint_cases import (
    EVERYTHING,
    IDENTITY,
    in_another_process,
    refusal,
    small_file,
    the_values,
    what_is_found,
)

from fastgrad.errors import InputError
from fastgrad.execution.checkpoint import Checkpoint

KILLS = 20
"""Times that a run is killed."""

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="the runs to be killed are made by os.fork")


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

"""Checkpoints that are flipped, cut, zeroed, or met by another cost, and disks that are full."""

from __future__ import annotations

import contextlib
import functools
import itertools
import random
import resource
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest import mock

import changed_cost_cases
import numpy as np
from changed_cost_cases import COSTS, OTHER
from fault_outcomes import Outcome, Row
from fault_processes import LONGEST, Trial, outcome_of, undisturbed
from fault_target import facts

import fastgrad
from fastgrad.execution.checkpoint import Checkpoint

X = np.linspace(0.1, 1.0, 60)

PARTS = 4
"""Chunks of values that the damaged file has, of about twice as many."""

SECTOR = 512
"""Bytes that a disk loses at once."""

FULL_AFTER = (4, 100)
"""Kilobytes that the full disk has room for. The checkpoint of a whole check takes more."""


def cost(p: np.ndarray) -> float:
    """A smooth cost."""
    return float(np.sum(np.sin(p)))


def gradient(p: np.ndarray) -> np.ndarray:
    """Its gradient, with one entry off by 1%."""
    found = np.cos(p)
    found[7] *= 1.01
    return found


def checked(path: Path | None = None) -> str:
    """What a check finds."""
    return facts(fastgrad.check_gradient(cost, gradient, X, coordinates="all", checkpoint=path))


def outcome(run: Callable[[], str], expected: str) -> Outcome:
    """What comes of a check."""
    try:
        found = run()
    except fastgrad.InputError:
        return Outcome.REFUSED
    others = sorted(set(found.splitlines()) ^ set(expected.splitlines()))
    assert not others, "\n".join(others)
    return Outcome.SAME


def killed(run: Callable[[Path], object], folder: Path) -> list[Path]:
    """The checkpoint of a check that was killed, and the file that SQLite has beside it then."""
    keep, stored = Checkpoint.store, []
    kept = folder / "kept"
    kept.mkdir()

    def store(self: Checkpoint, *what: object) -> None:
        keep(self, *what)
        stored.append(1)
        if len(stored) == PARTS:
            self.flush()
            for file in folder.glob("check.db*"):
                shutil.copy(file, kept)

    with mock.patch.object(Checkpoint, "store", store):
        run(folder / "check.db")
    assert len(stored) > PARTS, "the check ended before it was killed"
    return sorted(kept.glob("check.db*"))


def merged(files: list[Path], folder: Path) -> list[Path]:
    """The same as one file, as a check leaves it that ends."""
    copies = [Path(shutil.copy(file, folder)) for file in files]
    with contextlib.closing(sqlite3.connect(copies[0])) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    return copies[:1]


def flipped(data: bytes) -> bytes:
    """One bit is another."""
    at, bit = random.randrange(len(data)), random.randrange(8)
    return data[:at] + bytes([data[at] ^ (1 << bit)]) + data[at + 1 :]


def cut(data: bytes) -> bytes:
    """The end is missing."""
    return data[: random.randrange(len(data))]


def zeroed(data: bytes) -> bytes:
    """A sector is zeros."""
    at = random.randrange(0, len(data), SECTOR)
    return data[:at] + bytes(len(data[at : at + SECTOR])) + data[at + SECTOR :]


DAMAGE = {"a bit flipped": flipped, "file cut off": cut, "sector lost": zeroed}


def damaged(files: list[Path], change: Callable[[bytes], bytes], expected: str) -> Outcome:
    """The next check, with one of the files changed."""
    with tempfile.TemporaryDirectory() as folder:
        copies = [Path(shutil.copy(file, folder)) for file in files]
        (one,) = random.choices(copies, [file.stat().st_size for file in copies])
        one.write_bytes(change(one.read_bytes()))
        return outcome(functools.partial(checked, copies[0]), expected)


def edited(name: str, now: int) -> Outcome:
    """A check that was killed with one cost, and goes on with the same one (0) or another (1)."""
    numbers = OTHER.get(name, (1.0, 7.0))

    def check(number: float, path: Path | None = None) -> str:
        function, args = COSTS[name](number)
        options = {"args": args, "coordinates": "all", "checkpoint": path}
        return facts(
            fastgrad.check_gradient(function, changed_cost_cases.gradient, changed_cost_cases.X, **options)
        )

    with tempfile.TemporaryDirectory() as folder:
        files = killed(functools.partial(check, numbers[0]), Path(folder))
        return outcome(lambda: check(numbers[now], files[0]), check(numbers[now]))


@contextlib.contextmanager
def small_disk(folder: Path, kilobytes: int) -> Iterator[Callable[[], None]]:
    """A file system of its own with so much room; the function makes room."""
    mount = ["mount", "-t", "tmpfs", "none", str(folder), "-o"]
    subprocess.run([*mount, f"size={kilobytes}k"], check=True, capture_output=True)
    try:
        yield lambda: subprocess.run([*mount, "remount,size=64m"], check=True) and None
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def can_mount() -> bool:
    """Whether there may be a file system of our own."""
    trouble = contextlib.suppress(OSError, subprocess.CalledProcessError)
    with tempfile.TemporaryDirectory() as folder, trouble, small_disk(Path(folder), 64):
        return True
    return False


def full_disk(kilobytes: int, expected: str) -> Outcome:
    """A check whose checkpoint has no room, then one that has."""
    with tempfile.TemporaryDirectory() as folder, small_disk(Path(folder), kilobytes) as make_room:
        path = Path(folder) / "check.db"
        first = outcome(functools.partial(checked, path), expected)
        make_room()
        assert outcome(functools.partial(checked, path), expected) is Outcome.SAME
        return first


def limited_file(kilobytes: int, expected: str) -> Outcome:
    """A check in a process that may not write so large a file, then one that may."""
    limit = (1024 * kilobytes, resource.RLIM_INFINITY)
    with Trial(1, 0.0) as trial:
        with trial.begun(preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, limit)) as process:
            said, complained = process.communicate(timeout=LONGEST)
        first = outcome_of(process.returncode, said, complained, expected)
        assert first is Outcome.SAME or str(trial.checkpoint) in complained, complained
        assert trial.finished(expected) is Outcome.SAME
        assert not trial.left, trial.left
        return first


def rows(times: int) -> Iterator[Row]:
    """Damage to the file, room on the disk, and edits of the cost."""
    expected = checked()
    with tempfile.TemporaryDirectory() as folder:
        files = killed(checked, Path(folder))
        states = {", killed": files, ", closed": merged(files, Path(folder))}
        for (state, found), (name, change) in itertools.product(states.items(), DAMAGE.items()):
            yield Row(name + state).try_all([functools.partial(damaged, found, change, expected)] * times)
    few, size = max(2, times // 20), functools.partial(random.randint, *FULL_AFTER)
    if can_mount():
        yield Row("disk full").try_all(functools.partial(full_disk, size(), expected) for _ in range(few))
    whole = undisturbed()
    yield Row("file too large").try_all(functools.partial(limited_file, size(), whole) for _ in range(few))
    yield Row("cost edited").try_all(functools.partial(edited, name, 1) for name in COSTS)
    yield Row("same cost made again").try_all(functools.partial(edited, name, 0) for name in COSTS)

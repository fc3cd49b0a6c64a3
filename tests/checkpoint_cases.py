"""A small checkpoint, and ways of reading, damaging and killing it."""

from __future__ import annotations

import contextlib
import math
import sqlite3
import textwrap
from pathlib import Path

import numpy as np
import pytest
from subprocesses import output_of_python

from fastgrad.errors import InputError
from fastgrad.execution.checkpoint import Checkpoint

IDENTITY = {"parameters": "a1b2", "gradient": "c3d4", "data": "e5f6", "options": "seed=0", "fastgrad": "1.0"}

INDICES = np.arange(6)

OFFSETS = np.full((6, 2), 1e-5)


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
    """The message with which a file is refused, without its name and code; the folder stays as it was."""
    before = {file: file.read_bytes() for file in path.parent.iterdir() if file.is_file()}
    with pytest.raises(InputError) as caught:
        Checkpoint(path, identity)
    assert {file: file.read_bytes() for file in path.parent.iterdir() if file.is_file()} == before
    assert str(caught.value).startswith(f"{path}: ")
    assert str(caught.value).endswith(f" [{caught.value.code}]")
    return str(caught.value).removeprefix(f"{path}: ").removesuffix(f" [{caught.value.code}]")


def edited(path, *statements):
    """Change a checkpoint with SQL, as somebody else might."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as database:
        for statement in statements:
            database.execute(*statement) if isinstance(statement, tuple) else database.execute(statement)


def in_another_process(code, *arguments):
    """What a script prints; warnings are errors, ResourceWarning too."""
    return output_of_python(textwrap.dedent(code), *arguments)


def killed_run(path):
    """A small file as a run leaves it that is killed at its end."""
    code = """
        import os, sys
        sys.path.insert(0, sys.argv[1])
        import checkpoint_cases as here
        here.Checkpoint.close = lambda self: (self.flush(), os._exit(0))
        here.small_file(sys.argv[2])
    """
    in_another_process(code, Path(__file__).parent, path)
    assert Path(f"{path}-wal").stat().st_size > 0

"""Installations and temporary folders that cannot be written."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from fault_files import can_mount, small_disk
from fault_outcomes import Left, Outcome, Row
from fault_processes import Trial, undisturbed
from unwritable import heed_permissions, surroundings_of, unwritable_copy, writable_again

KERNEL = """
import numpy as np, fastgrad
from fastgrad import kernels

def cost(p, x):
    return kernels.half_squared_error(x @ p, np.ones(5))

x = np.linspace(0.1, 1.0, 15).reshape(5, 3)
problem = fastgrad.Problem(cost, lambda p, x: 1.01 * x.T @ (x @ p - 1), np.ones(3), args=(x,))
"""
"""A cost that uses a kernel, with a wrong gradient."""

NETWORK = """
import numpy as np, fastgrad

layers = [fastgrad.Dense(3, 4), fastgrad.Tanh(), fastgrad.Dense(4, 2)]
network = fastgrad.Network(layers, fastgrad.HalfSquaredError())
x = np.linspace(0.1, 1.0, 15).reshape(5, 3)
problem = network.problem(network.initial_parameters(0), x, np.zeros((5, 2)))
"""
"""A network, whose kernels take some ten seconds to compile."""

CHECK = """
report = fastgrad.check(problem)
print(report.verdict, report.numeric.tobytes().hex())
"""


def run_in(site: Path, home: Path, temporary: Path, problem: str) -> tuple[str, str]:
    """What a check prints on stdout and stderr, in a process that heeds permissions."""
    ended = subprocess.run(
        [sys.executable, "-c", problem + CHECK],
        cwd=site,
        env=surroundings_of(site, home, temporary),
        preexec_fn=heed_permissions,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout, ended.stderr


def kept_in_temporary(site: Path, home: Path, problem: str, expected: str) -> Outcome:
    """With a temporary folder: the kernels are there."""
    with tempfile.TemporaryDirectory() as temporary:
        found, said = run_in(site, home, Path(temporary), problem)
        assert list(Path(temporary).rglob("*.nbc")), "nothing was kept"
    return same(found, said, expected, 0)


def kept_nowhere(site: Path, home: Path, problem: str, expected: str) -> Outcome:
    """With a link where the folder should be, as a trap: nothing is kept, with one line said."""
    with tempfile.TemporaryDirectory() as temporary:
        (Path(temporary) / f"fastgrad-numba-{os.geteuid()}").symlink_to(home)
        found, said = run_in(site, home, Path(temporary), problem)
    return same(found, said, expected, 1)


def same(found: str, said: str, expected: str, lines: int) -> Outcome:
    """The same report, and so many lines about the cache."""
    assert found == expected, found
    assert said.count("compiled kernels cannot be kept on disk") == lines, said
    return Outcome.SAME


def full_memory(expected: str, left: Left) -> Outcome:
    """Two workers without room for the array that they share."""
    with Trial(2) as trial, small_disk(trial.temporary, 256):
        with trial.begun(env={"JOBLIB_TEMP_FOLDER": str(trial.temporary)}) as process:
            said, complained = process.communicate(timeout=120)
        assert "cannot be sent to worker processes" in complained, complained
        found = trial.finished(expected)
        left.add(trial.left)
    assert said == expected
    return found


def rows(times: int) -> list[Row]:
    """Read-only installations, with and without a temporary folder, and no room for shared memory."""
    with tempfile.TemporaryDirectory() as folder:
        site, home = unwritable_copy(Path(folder))
        row = Row("installation read-only")
        try:
            for problem in (KERNEL, NETWORK)[:times]:
                expected = run_in(Path(__file__).parents[1], home, Path(folder), problem)[0]
                row.try_all(
                    functools.partial(trial, site, home, problem, expected)
                    for trial in (kept_in_temporary, kept_nowhere)
                )
        finally:
            writable_again(folder)
    if not can_mount():
        return [row]
    full = Row("shared memory full, n_jobs=2", left=Left())
    return [row, full.try_all([functools.partial(full_memory, undisturbed(), full.left)] * times)]

"""The loop of `fastgrad watch`, with saves that are made between the checks, and as a command."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest
from subprocesses import started, surroundings
from watch_sessions import LAYERS, NET, save, session

import fastgrad
from fastgrad.cli.watch.session import sources_of
from fastgrad.errors import InputError


@pytest.mark.parametrize("target", ["w_net.py:problem", "w_net:problem"])
def test_mended_and_broken(folder, target):
    """The target and a module beside it are read anew after each save, and the change is said."""
    first, broken, mended = session(
        target,
        lambda: save(folder / "w_layers.py", LAYERS, "1 - np", "1 + np"),
        lambda: save(folder / "w_layers.py", LAYERS),
    )
    assert first.splitlines()[1].startswith("AGREE")
    assert first.endswith("watching w_net.py, w_layers.py; Ctrl-C ends\n")
    assert "--- now --- saved: w_layers.py\nDISAGREE" in broken
    assert "since the last run: AGREE -> DISAGREE, broke W (0 -> 4 wrong)" in broken
    assert "since the last run: DISAGREE -> AGREE, mended W (4 wrong -> 0)" in mended


def test_a_package_below(folder):
    """A module of a package in the folder is watched, and read anew."""
    (folder / "w_pack").mkdir()
    save(folder / "w_pack" / "__init__.py", "")
    save(folder / "w_pack" / "inner.py", LAYERS)
    save(folder / "w_net.py", NET, "w_layers", "w_pack.inner")
    _, broken = session(
        "w_net.py:problem", lambda: save(folder / "w_pack" / "inner.py", LAYERS, "1 - np", "1 + np")
    )
    assert "saved: w_pack/inner.py\nDISAGREE" in broken


# what the file is changed to, what is said
FAULTS = {
    "syntax": ("x = np", "x = (np", "SyntaxError: '(' was never closed"),
    "exception at import": ("x = np", "1 / 0; x = np", "ZeroDivisionError: division by zero"),
    "end at import": ("x = np", "raise SystemExit(0); x = np", "SystemExit: 0"),
    "exception of the cost": ("np.sum(act", "no_such(act", "NameError: name 'no_such' is not defined"),
    "end in the cost": ("float(", "exit(", "SystemExit: "),
    "another name": (
        "problem =",
        "other =",
        "fastgrad: w_net.py has no problem; it holds the problem other",
    ),
    "no problem": ("fastgrad.Problem", "dict", "does not import"),
    "a module that is not there": ("w_layers", "w_missing", "No module named 'w_missing'"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_while_editing(folder, fault):
    """What does not import or raises is shown from the user's lines, and it goes on."""
    was, now, said = FAULTS[fault]
    _, failed, again = session(
        "w_net.py:problem",
        lambda: save(folder / "w_net.py", NET, was, now),
        lambda: save(folder / "w_net.py", NET),
    )
    assert said in failed
    assert str(Path(fastgrad.__file__).parent) not in failed
    assert "AGREE" in again
    assert "since the check at now: nothing changed" in again


def test_a_first_check_that_fails(folder):
    """A target that does not import at the start is waited for; so is a module that is not there yet."""
    (folder / "w_layers.py").rename(folder / "w_later.txt")
    failed, found = session(
        "w_net.py:problem", lambda: (folder / "w_later.txt").rename(folder / "w_layers.py")
    )
    assert "No module named 'w_layers'" in failed
    assert "saved: w_layers.py\nAGREE" in found


def test_a_file_that_is_away(folder):
    """A target that was deleted, as some editors do for a moment, is said to be, and found again."""
    _, gone, back = session(
        "w_net.py:problem",
        (folder / "w_net.py").unlink,
        lambda: save(folder / "w_net.py", NET),
    )
    assert "fastgrad: there is no file w_net.py" in gone
    assert "AGREE" in back


class TestSourcesOf:
    def test_folders(self, folder):
        """Of a file its folder, of a module that in which its first package is."""
        (folder / "w_pack").mkdir()
        save(folder / "w_pack" / "inner.py", NET)
        assert sources_of("w_pack/inner.py:problem").root == folder / "w_pack"
        assert sources_of("w_pack.inner:problem").root == folder
        assert sources_of("w_net:problem").root == folder
        assert sources_of("w_net.py:problem").files == (folder / "w_net.py",)

    @pytest.mark.parametrize(
        ("target", "said"),
        [
            ("nowhere.py:problem", "there is no file nowhere.py"),
            ("nowhere:problem", "there is no module nowhere here, nor a file nowhere.py"),
            ("a b:x", "there is no module a b here"),
            ("w_net.py", r"which problem in w_net.py\? Say w_net.py:NAME; it holds the problem problem"),
            ("nowhere", "nowhere does not import"),
            (":problem", "which problem in|does not import"),
        ],
    )
    def test_nothing_there(self, folder, target, said):
        """What is not there, or not named, is an InputError: it is not waited for."""
        with pytest.raises(InputError, match=said):
            sources_of(target)

    def test_an_installed_package(self, folder, monkeypatch):
        """Of a package among the libraries only its own folder is watched."""
        package = folder / "site-packages" / "w_installed"
        package.mkdir(parents=True)
        save(package / "__init__.py", "")
        monkeypatch.syspath_prepend(package.parent)
        assert sources_of("w_installed.inner:problem").root == package


SLOW = """
    import os, pathlib, time
    import numpy as np

    def act(z):
        pathlib.Path(f"pid_{os.getpid()}").touch()
        time.sleep(2e-3)
        return 1.0 * np.sin(z)

    def slope(z):
        return 1.0 * np.cos(z)
"""

COMPILED = """
    import numpy as np
    import fastgrad
    from numba import njit
    from w_layers import f

    @njit(cache=True)
    def cost(x):
        s = 0.0
        for v in x:
            s += f(v)
        return s

    problem = fastgrad.Problem(cost, lambda x: 2.0 * x, np.linspace(0.5, 1.5, 8))
"""

SQUARE = """
    from numba import njit

    @njit(cache=True)
    def f(v):
        return 1.0 * v * v
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows sends no SIGINT to one process")
class TestCommand:
    """`fastgrad watch` in a process of its own, and files that are saved while it waits."""

    def command(self, *flags):
        """The command for the problem of w_net.py."""
        return [sys.executable, "-m", "fastgrad", "watch", "w_net.py:problem", "--no-progress", *flags]

    def until(self, process, start):
        """The lines up to one that starts so."""
        lines = []
        while not (lines and lines[-1].startswith(start)):
            lines.append(process.stdout.readline())
            assert lines[-1], (lines, process.communicate())
        return "".join(lines)

    def run(self, folder, flags, *saves, **environment):
        """The line of change after each save; the first check agrees, and Ctrl-C ends it with status 130."""
        found = []
        with started(
            self.command(*flags),
            cwd=folder,
            env=surroundings(**environment),
            text=True,
            start_new_session=True,
        ) as process:
            assert "\nAGREE" in self.until(process, "watching ")
            for make in saves:
                make()
                found.append(self.until(process, "since the last run").splitlines()[-1])
            process.send_signal(signal.SIGINT)
            _, error = process.communicate()
        assert (process.returncode, error) == (130, "")
        return found

    def test_saves(self, folder):
        """It waits, sees saves by renaming and in place, and Ctrl-C while it waits is no traceback."""

        def in_place():
            path = folder / "w_layers.py"
            path.write_text(path.read_text().replace("1 + np", "1 - np"))

        found = self.run(
            folder, (), lambda: save(folder / "w_layers.py", LAYERS, "1 - np", "1 + np"), in_place
        )
        assert found == [
            "since the last run: AGREE -> DISAGREE, broke W (0 -> 4 wrong)",
            "since the last run: DISAGREE -> AGREE, mended W (4 wrong -> 0)",
        ]

    def test_worker_processes(self, folder):
        """Worker processes have the module as it was saved, though they are those of a Python cost."""
        save(folder / "w_layers.py", SLOW)
        save(folder / "w_net.py", NET, "1.5, 4)", "1.5, 240)")
        found = self.run(
            folder,
            ("--jobs", "2", "--engine", "python", "--all"),
            lambda: save(folder / "w_layers.py", SLOW, "1.0 * np.sin", "2.0 * np.sin"),
            lambda: save(
                folder / "w_layers.py", SLOW.replace("1.0 * np.sin", "2.0 * np.sin"), "1.0 *", "2.0 *"
            ),
            PYTHONDONTWRITEBYTECODE="",
        )
        assert found == [
            "since the last run: AGREE -> DISAGREE, broke W (0 -> 240 wrong)",
            "since the last run: DISAGREE -> AGREE, mended W (240 wrong -> 0)",
        ]
        assert len(list(folder.glob("pid_*"))) > 3
        assert not (folder / "__pycache__").exists()

    def test_compiled(self, folder):
        """A function that Numba keeps on disk is compiled anew after a change of one that it calls."""
        save(folder / "w_net.py", COMPILED)
        save(folder / "w_layers.py", SQUARE)
        found = self.run(
            folder,
            (),
            lambda: save(folder / "w_layers.py", SQUARE, "1.0", "2.0"),
            lambda: save(folder / "w_layers.py", SQUARE),
        )
        assert found == [
            "since the last run: AGREE -> DISAGREE, broke params (0 -> 8 wrong)",
            "since the last run: DISAGREE -> AGREE, mended params (8 wrong -> 0)",
        ]

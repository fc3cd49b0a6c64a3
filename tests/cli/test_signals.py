"""Ctrl-C, SIGTERM and SIGHUP: a report of what is known, one line where nothing is, and never a traceback."""

from __future__ import annotations

import os
import signal
import sys
import textwrap
import threading

import pytest
from subprocesses import started, wait_for_line, wait_until

from fastgrad.cli.signals import ENDING, INTERRUPTED, Superseded, interruptible

ENOUGH = 1500
"""Evaluations after which all coordinates are being measured, by the workers if there are two. What comes
before takes some 300, and a signal between two of its parts finds nothing that is known."""

SLOW = """
    import pathlib
    import time
    import numpy as np
    import fastgrad

    COUNTED = pathlib.Path(__file__).with_suffix(".evaluations")

    def cost(x):
        with COUNTED.open("ab") as file:
            file.write(b".")
        until = time.perf_counter() + 1e-3
        while time.perf_counter() < until:
            pass
        return float(np.sum(np.sin(x)))

    def told(x):
        print("begun", flush=True)
        return np.cos(x)

    problem = fastgrad.Problem(cost, told, np.linspace(0.5, 1.5, 20_000))
"""

IMPORTING = """
    import time
    print("importing", flush=True)
    try:
        time.sleep(60)
    except BaseException as error:
        raise ImportError("a module that was interrupted") from error
"""

SWALLOWING = """
    import time
    print("importing", flush=True)
    try:
        time.sleep(60)
    except BaseException:
        pass
    import fastgrad
    problem = fastgrad.Problem(lambda x: x**2, lambda x: 2 * x, 3.0)
"""


def command(path, *flags):
    """A command that checks the problem in a file."""
    return [sys.executable, "-m", "fastgrad", "check", f"{path}:problem", "--all", *flags]


def written(folder, text):
    """A file with this text."""
    path = folder / "interrupted.py"
    path.write_text(textwrap.dedent(text))
    return path


needs_signals = pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="Windows has no such signals")


def evaluations_in(folder):
    """How often a cost of SLOW in the folder was evaluated."""
    return sum(path.stat().st_size for path in folder.glob("*.evaluations"))


@needs_signals
class TestWhileChecking:
    @pytest.mark.parametrize(
        ("jobs", "to", "signals"),
        [
            ("1", os.kill, ("SIGTERM",)),
            ("1", os.killpg, ("SIGINT",)),
            ("1", os.kill, ("SIGHUP", "SIGTERM", "SIGINT")),
            ("2", os.kill, ("SIGTERM", "SIGTERM")),
            ("2", os.killpg, ("SIGHUP",)),
            ("2", os.killpg, ("SIGTERM",)),
            ("2", os.killpg, ("SIGINT",)),
        ],
    )
    def test_a_report(self, tmp_path, jobs, to, signals):
        """A signal to the command or its group, or several at once, ends it like Ctrl-C, with a report."""
        with started(
            command(written(tmp_path, SLOW), "--jobs", jobs, "--engine", "python", "--no-progress"),
            text=True,
            start_new_session=True,
        ) as run:
            for _ in range(4):  # the gradient function is called so often before the cost
                wait_for_line(run, "begun\n")
            wait_until(lambda: evaluations_in(tmp_path) >= ENOUGH, run)
            for name in signals:
                to(run.pid, getattr(signal, name))
            out, error = run.communicate()
        assert (run.returncode, error) == (130, "")
        report = out.replace("begun\n", "")
        assert report.startswith("UNDECIDED: interrupted by Ctrl-C or a signal")
        assert "ended early: interrupted" in report

    def test_what_is_ignored_stays_so(self, tmp_path):
        """Under nohup SIGHUP is ignored, and the check goes on."""
        path = written(tmp_path, SLOW.replace("20_000", "200"))
        ignoring = ["/bin/sh", "-c", 'trap "" HUP; exec "$@"', "sh", *command(path, "--jobs", "1")]
        with started(ignoring, text=True, start_new_session=True) as run:
            wait_for_line(run, "begun\n")
            os.kill(run.pid, signal.SIGHUP)
            out, error = run.communicate()
        assert (run.returncode, error) == (0, "")
        assert "AGREE" in out


@needs_signals
class TestWhileStarting:
    @pytest.mark.parametrize(
        "text", [IMPORTING, SWALLOWING, IMPORTING.replace("ImportError(", "SystemExit(")]
    )
    @pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
    def test_in_the_import_of_the_target(self, tmp_path, text, name):
        """A signal while the user's file is imported is one line and status 130, even if it is caught."""
        with started(command(written(tmp_path, text)), text=True) as run:
            wait_for_line(run, "importing\n")
            run.send_signal(getattr(signal, name))
            out, error = run.communicate()
        assert (run.returncode, out, error) == (130, "", "fastgrad: interrupted\n")

    @pytest.mark.parametrize("module", ["numpy", "optree", "fastgrad.checks", "fastgrad.options"])
    def test_in_the_import_of_fastgrad(self, module):
        """A signal while fastgrad itself is imported is one line and status 130."""
        code = f"""
        import builtins, os, signal, sys
        imported = builtins.__import__
        def slowly(name, *rest, **options):
            if name == {module!r}:
                os.kill(os.getpid(), signal.SIGINT)
            return imported(name, *rest, **options)
        builtins.__import__ = slowly
        sys.argv = ["fastgrad", "check", "nowhere.py:problem"]
        from fastgrad.cli.entry import entry
        entry()
        """
        with started([sys.executable, "-c", textwrap.dedent(code)], text=True) as run:
            out, error = run.communicate()
        assert (run.returncode, out, error) == (130, "", "fastgrad: interrupted\n")

    def test_in_code_that_was_a_text(self, tmp_path):
        """Ctrl-C in code that the user's file gives to exec is status 130 too: Python would end itself."""
        path = written(tmp_path, "exec('import time; print(\"importing\", flush=True); time.sleep(60)')")
        with started(command(path), text=True) as run:
            wait_for_line(run, "importing\n")
            run.send_signal(signal.SIGINT)
            assert run.communicate()[1] == "fastgrad: interrupted\n"
        assert run.returncode == 130


class TestInterruptible:
    def test_once_for_one_wish(self):
        """Signals that follow at once are taken for the same wish: the report is not interrupted by them."""
        with interruptible() as interrupts:
            with pytest.raises(KeyboardInterrupt, match="SIGINT"):
                signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGTERM)
            with pytest.raises(KeyboardInterrupt):
                interrupts.raise_if_lost()

    def test_again_after_a_while(self, monkeypatch):
        """Who presses Ctrl-C once more a while later is heard."""
        monkeypatch.setattr("fastgrad.cli.signals.ONE_WISH", 0.0)
        with interruptible():
            for _ in range(2):
                with pytest.raises(KeyboardInterrupt):
                    signal.raise_signal(signal.SIGINT)

    def test_dropped_by_python(self):
        """A KeyboardInterrupt in a finaliser, which Python drops, comes again outside, and ends a wait."""
        over = threading.Event()

        class Finalised:
            def __del__(self):
                signal.raise_signal(signal.SIGINT)

        def wait():
            Finalised()
            over.wait()

        late = threading.Timer(30.0, over.set)
        late.start()
        with interruptible(), pytest.raises(KeyboardInterrupt):
            wait()
        late.cancel()
        assert not over.is_set()

    def test_others_are_left_alone(self):
        """Afterwards signals do what they did before."""
        before = [signal.getsignal(number) for number in ENDING]
        with interruptible():
            assert [signal.getsignal(number) for number in ENDING] != before
        assert [signal.getsignal(number) for number in ENDING] == before
        assert INTERRUPTED == 128 + signal.SIGINT


class TestGivingWay:
    def test_from_another_thread(self):
        """What another thread supersedes is left, and that is no wish to end the command."""
        inside, over = threading.Event(), threading.Event()
        with interruptible() as interrupts:

            def wait():
                with interrupts.giving_way():
                    inside.set()
                    over.wait(30.0)

            def supersede():
                inside.wait(30.0)
                interrupts.supersede()

            thread = threading.Thread(target=supersede)
            thread.start()
            with pytest.raises(Superseded):
                wait()
            thread.join()
            interrupts.raise_if_lost()
            with pytest.raises(KeyboardInterrupt, match="SIGINT"):
                signal.raise_signal(signal.SIGINT)

    def test_outside(self):
        """Where nothing gives way, nothing is superseded, before or after."""
        with interruptible() as interrupts:
            interrupts.supersede()
            with interrupts.giving_way():
                pass
            interrupts.supersede()
            interrupts.raise_if_lost()

    def test_ctrl_c_inside(self):
        """Ctrl-C is a wish to end it, in there too."""
        with interruptible() as interrupts, interrupts.giving_way():
            with pytest.raises(KeyboardInterrupt, match="SIGINT") as caught:
                signal.raise_signal(signal.SIGINT)
            assert not isinstance(caught.value, Superseded)
            with pytest.raises(KeyboardInterrupt):
                interrupts.raise_if_lost()

    def test_dropped_by_python(self):
        """In a finaliser, where Python drops it, it comes again outside, and does not end the command."""
        over = threading.Event()

        class Finalised:
            def __del__(self):
                interrupts.supersede()

        def wait():
            with interrupts.giving_way():
                Finalised()
                over.wait(30.0)

        with interruptible() as interrupts:
            with pytest.raises(Superseded):
                wait()
            interrupts.raise_if_lost()

    def test_too_late(self):
        """What comes when nothing gives way any more is nothing; Ctrl-C after it is heard."""
        with interruptible() as interrupts:
            with interrupts.giving_way():
                interrupts._superseded = True  # as another thread does just before the end
            signal.raise_signal(signal.SIGINT)
            interrupts.raise_if_lost()
            with pytest.raises(KeyboardInterrupt, match="SIGINT"):
                signal.raise_signal(signal.SIGINT)

"""`fastgrad check` in a process of its own, under faults: its exit status, and what it prints.

Status 0 is that of an "agree" that was printed, and of nothing else.
"""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap

import pytest
from subprocesses import LONGEST, surroundings

FAULTS = """
    import atexit
    import os
    import sys
    import threading
    import time
    import numpy as np
    import fastgrad

    x = np.linspace(0.5, 1.5, 6)

    def cost(x):
        return float(np.sum(np.sin(x)))

    def slow(x):
        time.sleep(2e-3)
        return float(np.sum(np.sin(x)))

    class Own(BaseException):
        pass

    class Mute(Exception):
        def __str__(self):
            raise SystemExit(0)

    def raising(error, calls=0, of=cost):
        left = [calls]

        def function(x):
            if left[0] == 0:
                raise error
            left[0] -= 1
            return of(x)

        return function

    def exits_in_a_worker(x):
        time.sleep(2e-3)
        if "loky" in " ".join(sys.orig_argv):
            sys.exit(0)
        return float(np.sum(np.sin(x)))

    class Unsent(BaseException):
        def __init__(self, one, two):
            super().__init__(f"{one} {two}")

    def raises_its_own_in_a_worker(x):
        time.sleep(2e-3)
        if "loky" in " ".join(sys.orig_argv):
            raise Unsent("cannot be", "made again")
        return float(np.sum(np.sin(x)))

    def ends_its_worker(x):
        time.sleep(2e-3)
        if "loky" in " ".join(sys.orig_argv):
            os._exit(0)
        return float(np.sum(np.sin(x)))

    def exits_in_a_batch(p):
        time.sleep(5e-3)
        if threading.current_thread() is not threading.main_thread():
            sys.exit(0)
        return np.sum(np.sin(p), axis=1)

    def endless(x):
        return endless(x)

    def too_large(x):
        return float(bytearray(2**62)[0])

    def problem_of(cost, gradient=np.cos, x=x):
        return fastgrad.Problem(cost, gradient, x)

    def exiting():
        sys.exit(0)

    def closing(x):
        sys.stdout.close()
        return cost(x)

    def replacing(x):
        sys.stdout = open(os.devnull, "w")
        sys.exit = lambda status=0: None
        return cost(x)

    def at_the_end(disagree=False):
        def broken():
            raise RuntimeError("at the end")

        def leaving():
            sys.exit(0)

        def loud():
            sys.stderr.write("loud")

        atexit.register(broken)
        atexit.register(leaving)
        atexit.register(loud)
        return bad if disagree else good

    good = problem_of(cost)
    bad = problem_of(cost, lambda x: 1.01 * np.cos(x))
    theta = "\\u03b8"
    named = fastgrad.Problem(lambda p: cost(p[theta]), lambda p: {theta: np.cos(p[theta])}, {theta: x})
    cost_exits = problem_of(raising(SystemExit(0)))
    later = problem_of(raising(SystemExit(0), 9))
    gradient_exits = problem_of(cost, raising(SystemExit(0)))
    in_a_worker = problem_of(exits_in_a_worker, x=np.linspace(0.5, 1.5, 2000))
    worker_ended = problem_of(ends_its_worker, x=np.linspace(0.5, 1.5, 2000))
    own_in_a_worker = problem_of(raises_its_own_in_a_worker, x=np.linspace(0.5, 1.5, 2000))
    in_a_batch = problem_of(exits_in_a_batch, x=np.linspace(0.5, 1.5, 2000))
    generator_exit = problem_of(raising(GeneratorExit(), 9))
    stop_iteration = problem_of(raising(StopIteration(), 9))
    own = problem_of(raising(Own("of my own"), 9))
    mute = problem_of(raising(Mute()))
    interrupting = problem_of(raising(KeyboardInterrupt()))
    recursion = problem_of(endless)
    memory = problem_of(too_large)
    closes = problem_of(closing)
    replaces = problem_of(replacing)

    def bad_at_the_end():
        return at_the_end(disagree=True)

    def ends_itself():
        os._exit(0)

    class Lazy:
        @property
        def problem(self):
            sys.exit(0)

    lazy = Lazy()
"""


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """A file of problems with faults."""
    path = tmp_path_factory.mktemp("faults") / "faults_of_the_test.py"
    path.write_text(textwrap.dedent(FAULTS))
    return path


def checked(target, *flags, out=subprocess.PIPE, err=subprocess.PIPE, **environment):
    """The status of `fastgrad check`, its stdout and its stderr."""
    command = [sys.executable, "-m", "fastgrad", "check", str(target), *(flags or ("--jobs", "1"))]
    ended = subprocess.run(
        command, stdout=out, stderr=err, env=surroundings(**environment), timeout=LONGEST, check=False
    )
    return ended.returncode, (ended.stdout or b"").decode(), (ended.stderr or b"").decode()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("cost_exits", "the cost or gradient raised\nTraceback (most recent call last):"),
        ("cost_exits", "SystemExit: 0"),
        ("later", "SystemExit: 0"),
        ("gradient_exits", "SystemExit: 0"),
        ("exiting", "exiting() failed [FG903]:\nTraceback"),
        ("lazy.problem", "reading lazy.problem of"),
        ("generator_exit", "GeneratorExit"),
        ("stop_iteration", "StopIteration"),
        ("own", "Own: of my own"),
        ("mute", "Mute: <exception str() failed>"),
        ("recursion", "RecursionError: maximum recursion depth exceeded"),
        ("memory", "MemoryError"),
    ],
)
def test_whatever_is_raised(file, name, said):
    """What a function of the user's raises ends a check with status 2 and its traceback, SystemExit too."""
    status, out, error = checked(f"{file}:{name}")
    assert (status, out) == (2, ""), error
    assert error.startswith("fastgrad: ")
    assert said in error
    assert "faults_of_the_test.py" in error
    assert "checks.py" not in error


@pytest.mark.parametrize(
    ("name", "flags", "said"),
    [
        ("in_a_worker", ["--jobs", "2", "--all", "--engine", "python"], "SystemExit: 0"),
        ("own_in_a_worker", ["--jobs", "2", "--all", "--engine", "python"], "Unsent: cannot be made again"),
        ("worker_ended", ["--jobs", "2", "--all", "--engine", "python"], "a worker process died"),
        ("in_a_batch", ["--jobs", "2", "--all", "--vectorized"], "SystemExit: 0"),
    ],
)
def test_in_workers(file, name, flags, said):
    """What ends a worker, in a process or a thread, ends the check with status 2, and soon."""
    status, out, error = checked(f"{file}:{name}", *flags)
    assert (status, out) == (2, ""), error
    assert said in error


@pytest.mark.parametrize("text", ["raise SystemExit(0)", "raise GeneratorExit", "import os; os.abort"])
def test_a_module_that_ends_itself(tmp_path, text):
    """A file that ends the program when it is imported, or holds no problem, is status 2."""
    (tmp_path / "ending.py").write_text(text)
    status, out, error = checked(f"{tmp_path / 'ending.py'}:problem")
    assert (status, out) == (2, "")
    assert "does not import [FG903]:\nTraceback" in error or "has no problem" in error


def test_a_cost_that_raises_keyboard_interrupt(file):
    """A cost that raises KeyboardInterrupt is taken for Ctrl-C: status 130."""
    assert checked(f"{file}:interrupting")[0] == 130


@pytest.mark.parametrize(
    ("name", "status", "start"), [("at_the_end", 0, "AGREE"), ("bad_at_the_end", 1, "DIS")]
)
def test_at_the_end_of_the_process(file, name, status, start):
    """What the user's module does when the process ends, raising and sys.exit, changes no status."""
    found, out, error = checked(f"{file}:{name}")
    assert (found, out[: len(start)]) == (status, start)
    assert "RuntimeError: at the end" in error


@pytest.mark.parametrize(("name", "status"), [("replaces", 0), ("closes", 2)])
def test_a_stdout_that_the_cost_takes(file, name, status):
    """The report goes to the stdout that the command was given; if the cost closes that, it is on stderr."""
    found, out, error = checked(f"{file}:{name}")
    assert (found, out.startswith("AGREE")) == (status, status == 0)
    assert ("\nAGREE" in error) == (status == 2)


full = pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is always full")


class TestStreams:
    @full
    @pytest.mark.parametrize("name", ["good", "bad"])
    @pytest.mark.parametrize("flags", [[], ["--json"]])
    def test_a_full_stdout(self, file, name, flags):
        """A report that does not fit on stdout is status 2, and on stderr; the cost is not blamed."""
        with open("/dev/full", "wb") as out:
            status, _, error = checked(f"{file}:{name}", "--jobs", "1", *flags, out=out)
        assert status == 2
        assert error.startswith("fastgrad: of the report, not all could be printed: [Errno 28] No space left")
        assert ('"verdict": ' if flags else "AGREE") in error
        assert "the cost or gradient" not in error

    @full
    @pytest.mark.parametrize(("name", "status"), [("good", 0), ("bad", 1), ("later", 2), ("missing", 2)])
    def test_a_full_stderr(self, file, name, status):
        """Progress and errors that cannot be shown change neither the status nor the report."""
        with open("/dev/full", "wb") as err:
            found, out, _ = checked(f"{file}:{name}", "--progress", "--jobs", "1", err=err)
        assert found == status
        assert out.startswith({0: "AGREE", 1: "DISAGREE", 2: ""}[status])

    @full
    @pytest.mark.parametrize(("name", "status"), [("at_the_end", 0), ("bad_at_the_end", 1)])
    def test_a_full_stderr_at_the_end(self, file, name, status):
        """What the user's module prints when the process ends, in vain, changes no status either."""
        with open("/dev/full", "wb") as err:
            assert checked(f"{file}:{name}", err=err)[0] == status

    @full
    def test_nothing_can_be_printed(self, file):
        """With both full the status is 2."""
        with open("/dev/full", "wb") as out:
            assert checked(f"{file}:good", "--progress", out=out, err=out)[0] == 2

    @full
    @pytest.mark.parametrize("flag", ["--help", "--version"])
    def test_help_on_a_full_stdout(self, flag):
        """Help that cannot be printed is status 2 too, not Python's 120."""
        with open("/dev/full", "wb") as out:
            assert checked(flag, flag, out=out)[0] == 2

    def test_a_closed_pipe(self, file):
        """A reader that has gone, as in `| head -0`, is status 2, said on stderr, without a traceback."""
        read, write = os.pipe()
        os.close(read)
        status, _, error = checked(f"{file}:good", out=write)
        os.close(write)
        assert status == 2
        assert error.startswith("fastgrad: of the report, not all could be printed: [Errno 32] Broken pipe")
        assert "Traceback" not in error

    @pytest.mark.parametrize(("closed", "status"), [(">&-", 2), ("2>&-", 0), (">&- 2>&-", 2)])
    def test_closed_from_the_start(self, file, closed, status):
        """Without a stdout nothing can be printed: status 2. Without a stderr the report is all there is."""
        command = f'"{sys.executable}" -m fastgrad check "{file}:good" --jobs 1 --progress {closed}'
        ended = subprocess.run(
            ["/bin/sh", "-c", command], env=surroundings(), capture_output=True, timeout=LONGEST, check=False
        )
        assert ended.returncode == status
        assert ended.stdout.startswith(b"AGREE") == (status == 0)

    @pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8", "utf-16", "ascii:strict"])
    def test_names_on_any_stdout(self, file, encoding):
        """A block whose name stdout has no characters for is printed with escapes, with status 0."""
        command = [sys.executable, "-m", "fastgrad", "check", f"{file}:named", "--jobs", "1"]
        ended = subprocess.run(
            command,
            env=surroundings(PYTHONIOENCODING=encoding),
            capture_output=True,
            timeout=LONGEST,
            check=False,
        )
        out = ended.stdout.decode(encoding.partition(":")[0])
        assert (ended.returncode, ended.stderr) == (0, b"")
        assert ("\u03b8" if "utf" in encoding else r"\u03b8") in out


def test_what_cannot_be_helped(file):
    """os._exit ends the process there and then, with its own status and without a report (docs/limits.md)."""
    assert checked(f"{file}:ends_itself") == (0, "", "")

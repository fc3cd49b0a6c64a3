"""The plugin in runs of pytest: what a test that fails shows, the summary, JUnit, pytest-xdist, imports."""

from __future__ import annotations

import json
import signal
import subprocess

import pytest
from plugin_runs import command_and_environment, project, run
from subprocesses import LONGEST

SUITE = """
    import fastgrad
    import numpy as np
    import pytest
    from costs import *

    def test_right(check_gradient):
        report = check_gradient(cost, gradient, X)
        assert report.passed and check_gradient.reports == [report]

    def test_twice(check_gradient, fastgrad_check):
        check_gradient(cost, gradient, X)
        fastgrad_check(fastgrad.Problem(cost, gradient, X[:2]))
        assert len(check_gradient.reports) == len(fastgrad_check.reports) == 2

    def test_wrong(check_gradient):
        check_gradient(cost, wrong, X)

    def test_kink(check_gradient):
        check_gradient(kinked, np.sign, np.array([0.0, 1.0]))

    def test_raising_cost(check_gradient):
        check_gradient(raising_cost, gradient, X)

    def test_raising_gradient(check_gradient):
        check_gradient(cost, raising_gradient, X)

    def test_unknown(check_gradient):
        check_gradient(cost, gradient, X, tolerence=1e-3)

    def test_refused(check_gradient):
        check_gradient(cost, gradient, "nonsense")

    def test_fault_of_ours(check_gradient, monkeypatch):
        monkeypatch.setattr("fastgrad.checks.build_report", None)
        check_gradient(cost, gradient, X)

    @pytest.mark.parametrize("name", ["\\x1b[31m/../a"], ids=["../a b"])
    def test_hostile(check_gradient, name):
        check_gradient(lambda p: kinked(p[name]), lambda p: {name: np.sign(p[name])}, {name: np.zeros(1)})

    def test_asserted():
        fastgrad.assert_gradient(cost, wrong, X)

    def test_without_checks():
        pass
"""

SUMMARY = "6 checks: 3 agree, 1 disagree, 2 undecided; 14 coordinates, "


@pytest.fixture(scope="module")
def serial(tmp_path_factory):
    """The suite in one process."""
    folder = project(tmp_path_factory.mktemp("serial"), test_suite=SUITE)
    return run(folder, "--junitxml=junit.xml", "--fastgrad-report=reports/of/run")


@pytest.fixture(scope="module")
def parallel(tmp_path_factory):
    """The suite in two workers of pytest-xdist."""
    pytest.importorskip("xdist")
    folder = project(tmp_path_factory.mktemp("parallel"), test_suite=SUITE)
    return run(folder, "-n2", "--junitxml=junit.xml", "--fastgrad-report=reports/of/run")


class TestVerdicts:
    def test_outcomes(self, serial):
        """Tests pass whose gradients agree, and all others fail."""
        assert "9 failed, 3 passed" in serial.text
        assert not any(serial.failure(test) for test in ("test_right", "test_twice", "test_without_checks"))

    def test_a_wrong_gradient(self, serial):
        """The line of the test is shown, then the report, and no frame between; its headline comes last."""
        shown = serial.failure("test_wrong")
        assert ">       check_gradient(cost, wrong, X)" in shown
        said = serial.said("test_wrong")
        headline = (
            "DISAGREE: 1 of 3 checked coordinates is wrong; it is params[1]: claimed 0.0717372, numeric"
        )
        assert said[0].startswith(f"fastgrad.report.report.GradientError: {headline}")
        assert "worst coordinates" in said
        assert shown[-1].startswith("test_suite.py:")
        assert (
            f"FAILED test_suite.py::test_wrong - fastgrad.report.report.GradientError: {headline}"
            in serial.text
        )

    def test_undecided(self, serial):
        """An undecided check fails, and says why."""
        said = serial.said("test_kink")
        assert "UNDECIDED: 1 of 2 checked coordinates could not be decided" in said[0]
        assert any(s.startswith("params[0]: kink: on its two sides the cost has slopes") for s in said)

    def test_assert_gradient(self, serial):
        """The function that asserts outside of pytest shows no frame of fastgrad within pytest either."""
        shown = serial.failure("test_asserted")
        assert ">       fastgrad.assert_gradient(cost, wrong, X)" in shown
        assert "DISAGREE: 1 of 3 checked" in "".join(serial.said("test_asserted"))

    @pytest.mark.parametrize(
        ("test", "text"),
        [
            ("test_unknown", "TypeError: unknown option 'tolerence': the options are coordinates, seed"),
            ("test_refused", "fastgrad.errors.InputError: parameter params must be a float32 or float64"),
        ],
    )
    def test_a_call_that_is_refused(self, serial, test, text):
        """What cannot be checked fails with one line of the test, and what to do about it."""
        (said,) = serial.said(test)
        assert said.startswith(text)

    @pytest.mark.parametrize(
        "test",
        [
            "test_wrong",
            "test_kink",
            "test_raising_cost",
            "test_raising_gradient",
            "test_unknown",
            "test_asserted",
        ],
    )
    def test_no_frames_of_fastgrad(self, serial, test):
        """No line of fastgrad's code is shown, nor a file of it."""
        shown = "\n".join(serial.failure(test))
        assert shown
        assert "fastgrad/" not in shown
        assert "__tracebackhide__" not in shown
        assert "All traceback entries are hidden" not in shown

    def test_frames_of_the_user(self, serial):
        """What the cost or the gradient raises is shown with the lines of the user's that led there."""
        of_cost, of_gradient = serial.failure("test_raising_cost"), serial.failure("test_raising_gradient")
        assert serial.said("test_raising_cost") == ["ZeroDivisionError: of the cost"]
        assert '>       raise ZeroDivisionError("of the cost")' in of_cost
        assert "return deeper(x)" in "\n".join(of_gradient)
        assert '>       raise LookupError("of the gradient")' in of_gradient

    def test_a_fault_of_fastgrad(self, serial):
        """What went wrong in fastgrad itself is shown with the frames in which it did."""
        shown = "\n".join(serial.failure("test_fault_of_ours"))
        assert "'NoneType' object is not callable" in shown
        assert "fastgrad/checks.py" in shown


def test_full_trace(tmp_path):
    """--full-trace shows the frames of fastgrad."""
    shown = run(project(tmp_path / "a", test_suite=SUITE), "--full-trace", "-k", "test_wrong or raising_cost")
    assert "fastgrad/report/report.py" in "\n".join(shown.failure("test_wrong"))
    assert "fastgrad/checks.py" in "\n".join(shown.failure("test_raising_cost"))


class TestSummary:
    def test_counts(self, serial):
        """The section says how many checks there were, and of how much."""
        assert serial.summary[0].startswith(SUMMARY)

    def test_slowest(self, serial):
        """The slowest checks come with their tests."""
        lines = [line for line in serial.summary if line.startswith("slowest: ")]
        assert len(lines) == 3
        assert all(" s test_suite.py::test_" in line for line in lines)

    def test_undecided(self, serial):
        """Each undecided check is there with its reason, and nothing of it acts on the terminal."""
        kink, hostile = [line for line in serial.summary if line.startswith("undecided: ")]
        assert kink.startswith("undecided: test_suite.py::test_kink: params[0]: kink: on its two sides")
        assert hostile.startswith("undecided: test_suite.py::test_hostile[../a b]: \\x1b[31m/../a[0]: kink")
        assert "\x1b" not in serial.text

    def test_folder(self, serial):
        """The section says where the reports are."""
        assert f"reports: 6 checks in {serial.folder / 'reports/of/run'}" in serial.summary

    def test_under_xdist(self, serial, parallel):
        """Two workers give the same section, but for the time that things took."""
        assert parallel.summary[0].startswith(SUMMARY)
        assert len(parallel.summary) == len(serial.summary)
        undecided = [[line for line in r.summary if line.startswith("undecided")] for r in (serial, parallel)]
        assert sorted(undecided[0]) == sorted(undecided[1])

    def test_nothing_without_checks(self, tmp_path):
        """A run without a check prints no section."""
        done = run(project(tmp_path / "a", test_suite=SUITE), "-k", "without_checks", "--fastgrad-report=out")
        assert "1 passed" in done.text
        assert done.summary == []
        assert not any("fastgrad" in line for line in done.text.splitlines() if "plugins: " not in line)


class TestJUnit:
    def test_verdict_and_error(self, serial):
        """A test has verdict and relative error as properties."""
        found = serial.properties("test_wrong")
        assert found["fastgrad.verdict"] == "disagree"
        assert 1e-4 < float(found["fastgrad.relative_error"]) < 1e-3
        assert found["fastgrad.coordinates"] == "3"
        assert "kink" in serial.properties("test_kink")["fastgrad.reason"]
        assert serial.properties("test_without_checks") == {}

    def test_numbered(self, serial):
        """The properties of a second check of a test have its number."""
        found = serial.properties("test_twice")
        assert (found["fastgrad.coordinates"], found["fastgrad.coordinates.2"]) == ("3", "2")
        assert found["fastgrad.verdict"] == found["fastgrad.verdict.2"] == "agree"

    def test_under_xdist(self, serial, parallel):
        """Two workers give the same properties, but for the time that things took."""
        for test in ("test_twice", "test_wrong", "test_kink"):
            found, same = (
                {name: value for name, value in one.properties(test).items() if "seconds" not in name}
                for one in (serial, parallel)
            )
            assert found == same

    def test_no_warning(self, serial):
        """JUnit's properties come without the warning of record_property."""
        assert "warning" not in serial.text


class TestReports:
    def test_one_for_each_check(self, serial):
        """Each check has a file of JSON and a page beside it, with the verdict that the test had."""
        folder = serial.folder / "reports" / "of" / "run"
        files = {path.name: json.loads(path.read_text()) for path in folder.glob("*.json")}
        assert len(files) == 6
        assert not any(" " in name for name in files)
        assert {path.stem for path in folder.glob("*.html")} == {name[: -len(".json")] for name in files}
        assert len(list(folder.iterdir())) == 12
        verdicts = {
            name.split("test_suite.py-")[1][: len("test_wrong")]: r["verdict"] for name, r in files.items()
        }
        assert verdicts["test_right"] == "agree"
        assert verdicts["test_wrong"] == "disagree"

    def test_under_xdist(self, serial, parallel):
        """Two workers give files of the same names."""
        one, two = (sorted(p.name for p in r.folder.glob("reports/of/run/*")) for r in (serial, parallel))
        assert one == two

    def test_each_worker_its_own(self, tmp_path):
        """Where each worker runs all tests, none writes over the other's reports."""
        pytest.importorskip("xdist")
        folder = project(tmp_path / "a", test_suite=SUITE)
        done = run(folder, "--dist=each", "--tx=2*popen", "-k", "right", "--fastgrad-report=out")
        names = sorted(path.stem for path in folder.glob("out/*.json"))
        assert [name[-4:] for name in names] == ["-gw0", "-gw1"]
        assert done.summary[0].startswith("2 checks: 2 agree; 6 coordinates")

    def test_not_written(self, tmp_path):
        """A report that cannot be written costs no test its verdict; the section says why it is not there."""
        test = """
            import shutil
            from costs import *
            def test_it(check_gradient):
                shutil.rmtree("out")
                check_gradient(cost, gradient, X)
        """
        done = run(project(tmp_path / "a", test_it=test), "--fastgrad-report=out")
        assert "1 passed" in done.text
        assert done.summary[-1].startswith(
            "1 report not written; of test_it.py::test_it: [Errno 2] No such file"
        )


IMPORTS = """
    import sys

    def pytest_sessionfinish(session):
        print("LOADED", *sorted(name for name in sys.modules if name.partition(".")[0] in TOLD))

    TOLD = ("fastgrad", "numpy", "numba", "joblib", "scipy", "rich", "torch", "jax")
"""

BLOCKED = """
    import sys

    for name in ("torch", "jax", "jaxlib", "dask", "distributed", "pandas", "numba", "xdist"):
        sys.modules[name] = None  # as if it were not installed
"""


class TestImports:
    def test_nothing_unless_used(self, tmp_path):
        """A run that checks nothing loads neither NumPy nor more of fastgrad than the hooks."""
        folder = project(
            tmp_path / "a", conftest=IMPORTS, test_it="def test_it():\n    pass", costs="", ini="addopts = -s"
        )
        light = ("", ".hooks", ".settings", ".summary")
        expected = ["fastgrad", "fastgrad._version", *(f"fastgrad.pytest_plugin{name}" for name in light)]
        # of pytest's other plugins some load NumPy: none of them is loaded here
        done = run(folder, "-p", "no:hypothesispytest")
        loaded = done.text.partition("LOADED ")[2].splitlines()[0].split()
        assert [name for name in loaded if name.startswith("fastgrad")] == expected
        assert [name for name in loaded if not name.startswith("fastgrad")] == []

    def test_that_the_test_above_can_fail(self, tmp_path):
        """A check loads what a check needs."""
        test = "from costs import *\ndef test_it(check_gradient):\n    check_gradient(cost, gradient, X)"
        done = run(project(tmp_path / "a", conftest=IMPORTS, test_it=test, ini="addopts = -s"))
        loaded = done.text.partition("LOADED ")[2].splitlines()[0].split()
        assert {"numpy", "fastgrad.checks"} <= set(loaded)
        assert not {"numba", "joblib", "torch", "jax"} & set(loaded)

    def test_no_rewriting(self, tmp_path):
        """fastgrad is loaded by Python: pytest rewrites the assertions of tests and of conftest.py only."""
        conftest = """
            import fastgrad.options
            def pytest_sessionfinish():
                import sys
                some = ("fastgrad.options", "fastgrad.checks", "test_it")
                print("LOADED", *(type(sys.modules[name].__loader__).__name__ for name in some))
        """
        test = "from costs import *\ndef test_it(check_gradient):\n    check_gradient(cost, gradient, X)"
        done = run(project(tmp_path / "a", conftest=conftest, test_it=test, ini="addopts = -s"))
        assert "LOADED SourceFileLoader SourceFileLoader AssertionRewritingHook" in done.text

    def test_without_optional_libraries(self, tmp_path):
        """Checks run where neither torch nor JAX nor any other optional library is installed."""
        folder = project(tmp_path / "a", conftest=BLOCKED, test_suite=SUITE)
        done = run(folder, "-k", "right or twice or wrong", "-p", "no:xdist", "--fastgrad-report=out")
        assert "1 failed, 2 passed" in done.text
        assert done.summary[0].startswith("4 checks: 3 agree, 1 disagree")


INTERRUPTED = """
    import time
    import numpy as np

    def test_long(check_gradient):
        def cost(x):
            time.sleep(1e-3)
            return float(np.sum(np.sin(x)))
        def gradient(x):
            print("begun", flush=True)
            return np.cos(x)
        check_gradient(cost, gradient, np.linspace(0.5, 1.5, 100_000))

    def test_next():
        raise AssertionError("this one is not to run")
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="Ctrl-C is sent as POSIX does")
def test_interrupted(tmp_path):
    """Ctrl-C during a check ends the run: the next test is not begun."""
    command, environment = command_and_environment(project(tmp_path / "a", test_it=INTERRUPTED), "-s")
    with subprocess.Popen(
        command,
        env=environment,
        cwd=tmp_path / "a",
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            read = ""
            while "begun" not in read and (line := process.stdout.readline()):
                read += line
            process.send_signal(signal.SIGINT)
            text = read + process.communicate(timeout=LONGEST)[0]
        finally:
            process.kill()
    assert process.returncode == pytest.ExitCode.INTERRUPTED, text
    assert "KeyboardInterrupt" in text
    assert "not to run" not in text


KEEPING = """
    from costs import *

    kept = []

    def test_first(check_gradient):
        kept.append(check_gradient(cost, gradient, X))
        assert kept[0].step_curves().curves

    def test_second(check_gradient):
        assert kept[0].step_curves().curves == ()
        assert "was let go" in kept[0].step_curves().sentence
        kept.append(check_gradient(cost, gradient, X))
        assert kept[1].step_curves().curves
"""


def test_reports_let_go_of_the_cost(tmp_path):
    """A report that outlives its test keeps neither the cost nor its data; within the test it has both."""
    assert run(project(tmp_path, test_keeping=KEEPING)).status == 0

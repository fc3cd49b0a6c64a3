"""Flags, the ini file, and which of them counts."""

from __future__ import annotations

import argparse

import pytest
from plugin_runs import project, run

from fastgrad.pytest_plugin.settings import FLAGS

SEEN = """
    import fastgrad
    from costs import *

    def test_defaults(check_gradient):
        seen = check_gradient(cost, gradient, X)
        print("SEEN", seen.seed, seen.n_jobs)

    def test_keyword(check_gradient):
        print("SEEN", check_gradient(cost, gradient, X, seed=7).seed)

    def test_problem(fastgrad_check):
        print("SEEN", fastgrad_check(fastgrad.Problem(cost, gradient, X)).seed)

    def test_function(fastgrad_check):
        def named(seed=0, budget=0, progress=None, n_jobs="not given"):
            print("SEEN", seed, budget, progress, *[n_jobs] * (n_jobs != "not given"))
            return fastgrad.check_gradient(cost, gradient, X)
        fastgrad_check(named)
        fastgrad_check(named, 5)
        fastgrad_check(named, budget=6)
        fastgrad_check(lambda: named())
        fastgrad_check(lambda **others: named(**others))

"""


def seen(folder, *arguments):
    """What the tests of SEEN saw, and the run."""
    done = run(folder, "-s", *arguments)
    return [line.partition("SEEN ")[2] for line in done.text.splitlines() if "SEEN " in line], done


def test_without_settings(tmp_path):
    """Without a flag a check has the options of fastgrad.check_gradient, but no progress bar."""
    found, _ = seen(project(tmp_path / "a", test_it=SEEN))
    assert found == ["0 1", "7", "0", "0 0 False", "5 0 False", "0 6 False", "0 0 None", "0 0 None"]


INI = """
    fastgrad_seed = 3
    fastgrad_budget = 50
    fastgrad_report = kept
"""


def test_ini(tmp_path):
    """The ini file is read, its folder is beside it; a keyword of the call goes before it."""
    found, done = seen(project(tmp_path / "a", test_it=SEEN, ini=INI), "--rootdir=..")
    assert found == ["3 1", "7", "3", "3 50.0 False", "5 50.0 False", "3 6 False", "0 0 None", "0 0 None"]
    assert len(list((done.folder / "kept").glob("*.json"))) == 8


def test_flags(tmp_path):
    """A flag goes before the ini file, and a keyword of the call before the flag; an empty folder is none."""
    flags = ("--fastgrad-seed=4", "--fastgrad-budget", "60", "--fastgrad-report=")
    found, done = seen(project(tmp_path / "a", test_it=SEEN, ini=INI), *flags)
    assert found == ["4 1", "7", "4", "4 60.0 False", "5 60.0 False", "4 6 False", "0 0 None", "0 0 None"]
    assert not (done.folder / "kept").exists()


def test_workers(tmp_path):
    """A worker of pytest-xdist checks on one worker, unless the call or parallel_config says otherwise."""
    pytest.importorskip("xdist")
    test = """
        import time
        import joblib
        from costs import *
        def slow(x):
            time.sleep(1e-3)
            return cost(x)
        def test_it(check_gradient):
            of = slow, gradient, np.linspace(0.5, 1.5, 150)
            assert check_gradient(*of, engine="python").n_jobs == 1
            assert check_gradient(*of, engine="python", n_jobs=2, backend="threading").n_jobs == 2
            with joblib.parallel_config("threading", n_jobs=2):
                assert check_gradient(*of, engine="python").n_jobs == 2
                assert check_gradient(*of, engine="python", n_jobs=1).n_jobs == 1
    """
    done = run(project(tmp_path / "a", test_it=test), "-n1")
    assert "1 passed" in done.text


def test_budget(tmp_path):
    """A budget ends a check before all that was asked for: it is undecided, and its test fails for that."""
    test = """
        import time
        from costs import *
        def test_it(check_gradient):
            slow, x = lambda x: time.sleep(1e-3) or cost(x), np.linspace(0.5, 1.5, 5000)
            # A tape does not sleep, and a sample would be cut to the budget.
            check_gradient(slow, np.cos, x, engine="python", coordinates="all")
    """
    done = run(project(tmp_path / "a", test_it=test), "--fastgrad-budget=0.3")
    assert done.status == 1
    assert "UNDECIDED" in "\n".join(done.failure("test_it"))
    assert any(
        line.startswith("undecided: test_it.py::test_it: ") and "budget" in line for line in done.summary
    )


@pytest.mark.parametrize(
    ("flag", "ini", "text"),
    [
        (
            "--fastgrad-budget=0",
            "",
            "argument --fastgrad-budget: must be a positive number of seconds; got '0'",
        ),
        ("-q", "fastgrad_seed = x", "pytest.ini must be an integer >= 0; got 'x'"),
        ("--fastgrad-report=costs.py", "", "the folder of fastgrad's reports cannot be made: [Errno 17]"),
    ],
)
def test_wrong_settings(tmp_path, flag, ini, text):
    """What cannot be a setting ends the run before any test, with what was expected."""
    done = run(project(tmp_path / "a", test_it="def test_it():\n    pass", ini=ini), flag)
    assert done.status == pytest.ExitCode.USAGE_ERROR
    assert text in done.text
    assert "Traceback" not in done.text


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("budget", "2.5", 2.5),
        ("budget", "-1", "must be a positive number of seconds; got '-1'"),
        ("budget", "inf", "must be a positive number of seconds; got 'inf'"),
        ("budget", "soon", "must be a positive number of seconds; got 'soon'"),
        ("seed", "0", 0),
        ("seed", "-1", "must be an integer >= 0; got '-1'"),
        ("seed", "1.5", "must be an integer >= 0; got '1.5'"),
    ],
)
def test_values(name, text, found):
    """Text of a flag or of the ini file is read as a number, or refused with what was expected."""
    read = FLAGS[name][1]
    if not isinstance(found, str):
        assert read(text) == found
        return
    with pytest.raises(argparse.ArgumentTypeError) as caught:
        read(text)
    assert str(caught.value) == found


def test_help(tmp_path):
    """pytest --help lists the flags and the entries of the ini file."""
    done = run(project(tmp_path / "a"), "--help")
    for name in ("budget", "seed", "report"):
        assert f"--fastgrad-{name}=" in done.text
        assert f"fastgrad_{name} (string)" in done.text

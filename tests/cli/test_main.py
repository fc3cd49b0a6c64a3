"""The command line, in processes of its own and in this one."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap

import pytest
from subprocesses import surroundings

from fastgrad.cli.main import main

TARGETS = """
    import numpy as np
    import fastgrad

    x = np.linspace(0.5, 1.5, 40)

    def cost(x):
        return float(np.sum(np.sin(x)))

    def gradient(x):
        return np.cos(x)

    def spoiled(x):
        g = np.cos(x)
        g[17] *= 1.01
        return g

    def root(x):
        with np.errstate(invalid="ignore"):
            return float(np.sum(np.sqrt(x)))

    def raising(x):
        raise KeyError("the cost's own")

    good = fastgrad.Problem(cost, gradient, {"W": x})
    good = fastgrad.Problem(lambda p: cost(p["W"]), lambda p: {"W": gradient(p["W"])}, {"W": x})
    bad = fastgrad.Problem(lambda p: cost(p["W"]), lambda p: {"W": spoiled(p["W"])}, {"W": x})
    edge = fastgrad.Problem(root, np.ones(1), np.zeros(1))
    raises = fastgrad.Problem(raising, gradient, x)
    kink = fastgrad.Problem(lambda x: float(np.sum(np.abs(x)) + np.sum(x**2)), np.zeros(3), np.zeros(3))
"""


@pytest.fixture
def target(tmp_path):
    """A file of problems, as the first part of a TARGET."""
    path = tmp_path / "targets_of_the_test.py"
    path.write_text(textwrap.dedent(TARGETS))
    return str(path)


@pytest.mark.parametrize(
    ("name", "status", "start"),
    [("good", 0, "AGREE"), ("bad", 1, "DISAGREE"), ("edge", 3, "UNDECIDED")],
)
def test_exit_status_and_verdict(target, capsys, name, status, start):
    """The exit status is 0, 1, 3 for agree, disagree, undecided, and the text starts with the verdict."""
    assert main(["check", f"{target}:{name}"]) == status
    assert capsys.readouterr().out.startswith(start)


def test_cannot_run(target, capsys):
    """The exit status is 2 where nothing could be checked, with one sentence on stderr."""
    assert main(["check", f"{target}:missing"]) == 2
    assert (
        capsys.readouterr().err
        == f"fastgrad: {target} has no missing; it holds the problems good, bad, edge, raises, kink [FG901]\n"
    )


def test_the_costs_own_exception(target, capsys):
    """An exception of the user's function shows its own traceback, without a frame of ours."""
    assert main(["check", f"{target}:raises"]) == 2
    error = capsys.readouterr().err
    assert 'KeyError: "the cost\'s own"' in error
    assert "targets_of_the_test.py" in error
    assert "checks.py" not in error


def test_sample_and_seed(target, capsys):
    """--sample and --seed draw that subset, and the report says so."""
    assert main(["check", f"{target}:good", "--sample", "7", "--seed", "5"]) == 0
    assert (
        "7 of 40 coordinates, drawn without replacement from every block, seed 5" in capsys.readouterr().out
    )


def test_method_and_tolerance(target, capsys):
    """--method and --tolerance reach the check."""
    assert main(["check", f"{target}:bad", "--method", "central4", "--tolerance", "0.05"]) == 0
    out = capsys.readouterr().out
    assert "central4 differences; a coordinate agrees by a fixed tolerance" in out


def test_resolution_and_kinks(target, capsys):
    """--resolution and --kinks reach the check; without them its own defaults hold."""
    assert main(["check", f"{target}:good"]) == 0
    assert "if it is seen to 0.01 of itself" in capsys.readouterr().out
    assert main(["check", f"{target}:good", "--resolution", "1e-15"]) == 3
    assert "if it is seen to 1e-15 of itself" in capsys.readouterr().out
    assert main(["check", f"{target}:kink"]) == 3
    assert main(["check", f"{target}:kink", "--kinks", "subgradient"]) == 0


def test_json(target, capsys):
    """--json prints one JSON object with a version and the wrong coordinate."""
    assert main(["check", f"{target}:bad", "--json"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert (document["version"], document["verdict"]) == (2, "disagree")
    assert [(f["block"], f["index"]) for f in document["wrong"]] == [("W", [17])]


class TestHtml:
    def test_written(self, target, tmp_path, capsys):
        """--html writes the page beside what is printed, and leaves the exit status alone."""
        page = tmp_path / "page.html"
        assert main(["check", f"{target}:bad", "--html", str(page)]) == 1
        assert "W[17]" in page.read_text(encoding="utf-8")
        assert capsys.readouterr().out.startswith("DISAGREE")
        assert main(["check", f"{target}:good", "--json", "--html", str(page)]) == 0
        assert json.loads(capsys.readouterr().out)["verdict"] == "agree"
        assert "W[17]: claimed" not in page.read_text(encoding="utf-8")

    def test_no_such_folder(self, target, tmp_path, capsys):
        """A page in no folder is refused before anything is evaluated."""
        missing = tmp_path / "missing" / "page.html"
        assert main(["check", f"{target}:good", "--html", str(missing)]) == 2
        captured = capsys.readouterr()
        assert captured.out == ""
        assert f"cannot write {missing}: there is no folder {missing.parent}" in captured.err

    def test_what_cannot_be_written(self, target, tmp_path, capsys, monkeypatch):
        """A page that cannot be written is no reason to lose the report."""

        def full(path, text):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("fastgrad.report.report.write_whole", full)
        assert main(["check", f"{target}:good", "--html", str(tmp_path / "page.html")]) == 2
        captured = capsys.readouterr()
        assert captured.out.startswith("AGREE")
        assert captured.err.endswith("page.html: No space left on device\n")


def test_unknown_method(target, capsys):
    """An unknown method is refused with the known ones."""
    assert main(["check", f"{target}:good", "--method", "centre"]) == 2
    assert "the methods are forward, central" in capsys.readouterr().err


def test_progress(target, capsys):
    """A progress bar goes to stderr, never into the report."""
    assert main(["check", f"{target}:good", "--progress"]) == 0
    captured = capsys.readouterr()
    assert "checking gradient" in captured.err
    assert captured.out.startswith("AGREE")


def test_no_progress_away_from_a_terminal(target, capsys):
    """Without a terminal nothing is drawn."""
    assert main(["check", f"{target}:good"]) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_as_a_process(target, jobs):
    """`python -m fastgrad check` runs in a fresh process, with any number of jobs."""
    command = [sys.executable, "-m", "fastgrad", "check", f"{target}:bad", "--jobs", jobs]
    run = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert (run.returncode, run.stderr) == (1, "")
    assert "W[17]" in run.stdout


def test_version(capsys):
    """--version prints the version."""
    with pytest.raises(SystemExit) as caught:
        main(["--version"])
    assert caught.value.code == 0
    assert capsys.readouterr().out.startswith("fastgrad ")


def test_perturb(target, capsys):
    """--perturb reaches the check: a cost without products has no nodes."""
    assert main(["check", f"{target}:good", "--perturb", "nodes"]) == 2
    assert 'perturb="nodes" moves the results of products' in capsys.readouterr().err


def test_ctrl_c_before_anything_is_known(target, capsys, monkeypatch):
    """Ctrl-C before anything is known ends with one line and status 130."""
    monkeypatch.setattr("fastgrad.checks.check", _interrupted)
    assert main(["check", f"{target}:good"]) == 130
    assert capsys.readouterr().err == "fastgrad: interrupted\n"


def _interrupted(*arguments, **options):
    raise KeyboardInterrupt


def test_budget(target, capsys):
    """--max-evaluations ends a check, whose report says so."""
    assert main(["check", f"{target}:good", "--all", "--max-evaluations", "60"]) == 3
    assert capsys.readouterr().out.startswith("UNDECIDED: budget: ")


def test_subset_options(target, capsys):
    """--fraction, --confidence, --draw and --probes reach the check."""
    options = ["--fraction", "0.5", "--confidence", "0.9", "--draw", "importance", "--probes", "3", "--json"]
    assert main(["check", f"{target}:good", *options]) == 0
    coverage = json.loads(capsys.readouterr().out)["coverage"]
    assert (coverage["how"], coverage["guarantee"]["confidence"]) == ("importance", 0.9)
    assert coverage["certificate"]["probes"] == 3


def test_wrong_fraction(target, capsys):
    """--wrong-fraction says how many are drawn."""
    assert main(["check", f"{target}:good", "--wrong-fraction", "0.1"]) == 0
    assert "all 40 coordinates" in capsys.readouterr().out


def test_checkpoint(target, capsys, tmp_path):
    """--checkpoint keeps what was evaluated; the file of another problem is refused."""
    options = ["--checkpoint", str(tmp_path / "run")]
    for _ in range(2):
        assert main(["check", f"{target}:good", *options]) == 0
    assert main(["check", f"{target}:bad", *options]) == 2
    assert "gradient" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("command", "where"), [("bench", "bench.measure.run_bench"), ("demo", "demos.lesson.run")]
)
def test_failing_command(monkeypatch, capsys, command, where):
    """What goes wrong in a command that calls nothing of the user's is not said to be the user's."""

    def broken(*arguments, **options):
        raise LookupError("of ours")

    monkeypatch.setattr(f"fastgrad.cli.{where}", broken)
    assert main([command]) == 2
    error = capsys.readouterr().err
    assert error.startswith("fastgrad: the command failed\nTraceback (most recent call last):")
    assert error.endswith('in broken\n    raise LookupError("of ours")\nLookupError: of ours\n')


def test_bench(monkeypatch, capsys, tmp_path):
    """`fastgrad bench` prints what was measured, as a table or as JSON, and draws it."""
    from fastgrad.cli.bench import measure

    asked = []

    class Found:
        def __str__(self):
            return "a table"

        def to_json(self):
            return "{}"

        def plot(self, path):
            asked.append(path)

    monkeypatch.setattr(measure, "run_bench", lambda jobs, say: asked.append(jobs) or Found())
    assert main(["bench", "--jobs", "3", "--plot", str(tmp_path / "drawn.svg")]) == 0
    assert main(["bench", "--json"]) == 0
    assert capsys.readouterr().out == "a table\n{}\n"
    assert asked == [3, str(tmp_path / "drawn.svg"), -1]


ODD_NAMES = """
    import numpy as np
    import fastgrad

    x = {"Gewicht \\u03b8": np.ones(2), "\\x1b[31mred\\nline": np.ones(2), "\\ud800": np.ones(1)}

    def cost(p):
        return float(sum((v ** 2).sum() for v in p.values()))

    def gradient(p):
        return {name: 2.5 * v for name, v in p.items()}

    def raising(p):
        raise RuntimeError("\\u03b8 \\x1b[31m \\ud800")

    wrong = fastgrad.Problem(cost, gradient, x)
    raises = fastgrad.Problem(raising, gradient(x), x)
    refused = fastgrad.Problem(cost, {"\\x1b[31m \\u03b8": np.ones(1)}, x)
"""


class TestOddNames:
    @pytest.mark.parametrize(("name", "status"), [("wrong", 1), ("raises", 2), ("refused", 2)])
    @pytest.mark.parametrize("encoding", ["ascii", "utf-8", "latin-1"])
    def test_on_any_terminal(self, tmp_path, name, status, encoding):
        """Names that a terminal cannot show, or that would act on it, are printed as escapes."""
        path = tmp_path / "odd.py"
        path.write_text(textwrap.dedent(ODD_NAMES))
        command = [sys.executable, "-m", "fastgrad", "check", f"{path}:{name}", "--jobs", "1"]
        settings = surroundings(PYTHONIOENCODING=encoding)
        ended = subprocess.run(command, env=settings, capture_output=True, timeout=120, check=False)
        said = (ended.stdout + ended.stderr).decode(encoding)
        assert ended.returncode == status
        assert r"\x1b[31m" in said
        assert all(line.isprintable() for line in said.replace("\r", "").split("\n"))
        assert ("\u03b8" in said) == (encoding == "utf-8")


def test_trace_shows_files_and_lines(target, capsys):
    """Each operation of a tape stands beside the file and the line of the cost that makes it."""
    assert main(["trace", f"{target}:good"]) == 0
    operations = [line for line in capsys.readouterr().out.splitlines() if " = " in line and "(" in line]
    assert [line.split()[-1] for line in operations] == ["targets_of_the_test.py:8"] * 2


class TestWatch:
    def test_nothing_to_watch(self, capsys):
        """A file or a module that is not there is status 2 and one line, not a wait for ever."""
        for target, said in (
            ("nowhere.py:problem", "there is no file nowhere.py"),
            (
                "nowhere_either:problem",
                "there is no module nowhere_either here, nor a file nowhere_either.py",
            ),
        ):
            assert main(["watch", target]) == 2
            assert capsys.readouterr().err == f"fastgrad: {said} [FG902]\n"

    @pytest.mark.parametrize("flag", ["--checkpoint", "--scheduler", "--json"])
    def test_flags_that_make_no_sense(self, target, capsys, flag):
        """A checkpoint of another version of the cost, or a cluster that has it, is refused."""
        with pytest.raises(SystemExit, match="2"):
            main(["watch", f"{target}:good", flag, "x"])
        assert "unrecognized arguments" in capsys.readouterr().err

    def test_flags_that_are_wrong(self, target, capsys):
        """A flag that no save would mend ends it with status 2, before any check."""
        assert main(["watch", f"{target}:good", "--method", "centre"]) == 2
        captured = capsys.readouterr()
        assert captured.out == ""
        assert "the methods are forward, central" in captured.err

    def test_flags_of_check(self, target, capsys, monkeypatch):
        """The other flags of check are those of watch, and reach it."""
        monkeypatch.setattr("fastgrad.cli.watch.session.rounds", lambda sources: iter([()]))
        assert main(["watch", f"{target}:good", "--sample", "7", "--seed", "5", "--full"]) == 130
        assert (
            "7 of 40 coordinates, drawn without replacement from every block, seed 5"
            in capsys.readouterr().out
        )

    def test_where_nothing_can_be_printed(self, target, capsys, monkeypatch):
        """A pipe that was closed ends it with status 2, and one line: nobody sees what it would say."""

        class Closed:
            encoding = "utf-8"

            def write(self, text):
                raise BrokenPipeError("closed")

            def isatty(self):
                return False

        monkeypatch.setattr(sys, "stdout", Closed())
        assert main(["watch", f"{target}:good"]) == 2
        assert capsys.readouterr().err == "fastgrad: not all could be printed: closed\n"

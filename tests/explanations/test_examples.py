"""The examples of the explanations run: the bad one comes to its code, the good one to none."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from fastgrad.errors import InputError, WorkerError
from fastgrad.explanations import codes, explanation

ROOT = Path(__file__).parents[2]

OPTIONAL = ("torch", "jax", "dask", "distributed", "pandas", "xarray", "matplotlib", "sklearn", "scipy")
"""Libraries without which an example that imports them is skipped."""

NOT_RUN = re.compile(r"^Not run here: (.+)$", re.MULTILINE)
"""The line of an example that cannot be run, with the reason."""

LEFT_OUT = {
    *((code, "Bad") for code in ("FG511", "FG512", "FG607", "FG806", "FG905", "FG911")),
    *((code, "Good") for code in ("FG904", "FG905", "FG911")),
    *((code, title) for code in ("FG840", "FG841", "FG842") for title in ("Bad", "Good")),
}
"""The examples that are not run, which are to stay few."""

ALSO = {"FG507": {"FG501"}, "FG510": {"FG506"}}
"""What a bad example may come to beside its own code, at other coordinates."""

SHOWN = re.compile(r"\[(FG\d{3})\]")

FENCE = re.compile(r"^```(python|sh)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Example:
    """One section of an explanation, "Bad" or "Good"."""

    text: str

    @classmethod
    def of(cls, code, title):
        """The section of that title."""
        parts = re.split(r"^## (.+)$", explanation(code).text, flags=re.MULTILINE)
        return cls(dict(zip(parts[1::2], parts[2::2], strict=True))[title])

    @property
    def blocks(self):
        """(language, code) of each block."""
        return FENCE.findall(self.text)

    @property
    def reason_not_run(self):
        """Why it cannot be run; empty where it can."""
        found = NOT_RUN.search(self.text)
        return found[1] if found else ""


@dataclass(frozen=True)
class Outcome:
    """What came of an example: the codes that it shows, and whether all reports of it passed."""

    codes: set[str]
    passed: bool


def run(example, folder, monkeypatch):
    """Run the blocks in a folder: a file where the first line names one, a command, or Python."""
    for name in re.findall(r"^(?:import|from) (\w+)", example.text, re.MULTILINE):
        if name in OPTIONAL:
            pytest.importorskip(name)
    monkeypatch.chdir(folder)
    names, found, passed = {"__name__": "example"}, set(), True
    for language, code in example.blocks:
        file = re.match(r"# (\S+\.\w+)\n", code)
        if language == "sh":
            shown, status = command(code, folder)
            found |= shown
            passed &= status == 0
        elif file:
            (folder / file[1]).write_text(code)
        else:
            try:
                exec(compile(code, "<example>", "exec"), names)
            except (InputError, WorkerError) as error:
                found |= {error.code}.intersection(SHOWN.findall(str(error)))
    for value in list(names.values()):
        if type(value).__name__ in ("Report", "Reports"):
            found |= codes_of_report(value)
            passed &= value.passed
    return Outcome(found, passed)


def command(code, folder):
    """The codes that a command prints, and its status."""
    assert code.startswith(("fastgrad ", "python ")), code
    words = shlex.split(code)
    module = ["-m", "fastgrad"] if words[0] == "fastgrad" else []
    done = subprocess.run(
        [sys.executable, *module, *words[1:]],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in done.stderr or "FG903" in done.stderr, done.stderr
    return set(SHOWN.findall(done.stdout + done.stderr)), done.returncode


def codes_of_report(report):
    """The codes of what is wrong, undecided, or doubted."""
    reports = report.reports.values() if hasattr(report, "reports") else [report]
    found = {f.reference for one in reports for some in (one.wrong, one.undecided) for f in some}
    return found | {one.doubt_reference for one in reports if one.doubt}


class TestRun:
    @pytest.mark.parametrize("code", [code for code in codes() if (code, "Bad") not in LEFT_OUT])
    def test_the_bad_example_comes_to_its_code(self, code, tmp_path, monkeypatch):
        """What is shown as bad raises an error of this code, or gives a report that says it."""
        outcome = run(Example.of(code, "Bad"), tmp_path, monkeypatch)
        assert outcome.codes - ALSO.get(code, set()) == {code}

    @pytest.mark.parametrize("code", [code for code in codes() if (code, "Good") not in LEFT_OUT])
    def test_the_good_example_runs(self, code, tmp_path, monkeypatch):
        """What is shown as good raises nothing, and its reports agree."""
        assert run(Example.of(code, "Good"), tmp_path, monkeypatch) == Outcome(set(), True)


@pytest.mark.parametrize("code", codes())
def test_form(code):
    """A title, what it means, then a bad and a good example with code, on lines that a terminal holds."""
    lines = explanation(code).text.splitlines()
    assert lines[0].startswith(f"# {code}: ")
    assert not lines[0].endswith(".")
    assert [line for line in lines if line.startswith("## ")] == ["## Bad", "## Good"]
    assert lines[1] == ""
    assert lines[2][0].isalpha() or lines[2][0] in "`"
    assert max(map(len, lines)) <= 88
    for title in ("Bad", "Good"):
        assert Example.of(code, title).blocks


def test_few_are_left_out():
    """Only what needs a GPU, a cluster, luck or a minute is not run, and says why."""
    each = [(code, title) for code in codes() for title in ("Bad", "Good")]
    assert {one for one in each if Example.of(*one).reason_not_run} == LEFT_OUT


def test_a_bad_example_that_passes_is_seen(tmp_path, monkeypatch):
    """The twin: an example without a mistake comes to no code, and one with another to another."""
    right = Example("```python\nimport fastgrad\nx = fastgrad.relative_error([1.0], [1.0])\n```\n")
    other = Example("```python\nimport fastgrad\nx = fastgrad.relative_error([1.0], [1.0, 2.0])\n```\n")
    assert run(right, tmp_path, monkeypatch).codes == set()
    assert run(other, tmp_path, monkeypatch).codes == {"FG114"}


def test_files_are_the_packages():
    """Each explanation lies beside the code that reads it, so that the wheel ships it."""
    import fastgrad.explanations

    folder = Path(fastgrad.explanations.__file__).parent
    assert {file.stem for file in folder.glob("*.md")} == set(codes())

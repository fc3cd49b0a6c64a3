"""A plugin of pytest that runs the blocks of code in Markdown, with sybil; `scripts/docs --blocks` loads it.

The blocks of a document share one namespace and one folder, in which they run.

    ```python       runs
    ```sh           lines `fastgrad ...`, `python ...` and `pytest ...` run; `# exit status 1` at the end of
                    one says with what it must end
    ```text         directly below one of these: what it prints, `_facts` of it;
                    `...` alone on a line stands for any lines

    <!-- invisible-code-block: python
    ...
    -->                                 runs, and is not shown
    <!-- file: model.py -->             the block below is written into that file, and not run
    <!-- append: model.py -->           put at its end
    <!-- skip: next "why" -->           the block below is not run; the reason is printed by pytest -rs
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
import subprocess
import sys
import tempfile
from fnmatch import fnmatch
from importlib.util import find_spec
from pathlib import Path

from sybil import Sybil
from sybil.evaluators.python import PythonEvaluator
from sybil.parsers.markdown import CodeBlockParser, SkipParser

ROOT = Path(__file__).resolve().parents[1]
NAMED = re.compile(r"<!-- (file|append): (\S+) -->\n$")
"""The comment above a block that is written into a file, or put at its end."""


def set_up(namespace):
    """Give a document an empty folder to run in."""
    folder = tempfile.TemporaryDirectory()
    namespace.update(_folder=folder, _before=Path.cwd(), _printed=None, find_spec=find_spec)
    os.chdir(folder.name)


def tear_down(namespace):
    """Leave the folder and take it away."""
    os.chdir(namespace["_before"])
    namespace["_folder"].cleanup()


class Python(PythonEvaluator):
    """Runs a block of Python, or writes it into the file that the comment above it names."""

    def __call__(self, example):
        """Keep what the block prints for the text block below it."""
        named = NAMED.search(example.document.text[: example.region.start])
        if named:
            with open(named[2], "w" if named[1] == "file" else "a", encoding="utf-8") as file:
                file.write(example.parsed)
            return None
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            outcome = super().__call__(example)
        example.namespace["_printed"] = (example.region.end, printed.getvalue())
        return outcome


def run_commands(example):
    """Run a block of commands in the document's folder; the exit status must be the one that is said."""
    said = []
    for line in example.parsed.splitlines():
        command, _, comment = line.partition("#")
        if not command.strip():
            continue
        wanted = int((re.search(r"exit status (\d+)", comment) or [0, 0])[1])
        call = _as_run(shlex.split(command))
        here = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "120", "NO_COLOR": "1"}
        done = subprocess.run(call, env=here, capture_output=True, text=True)
        said.append(done.stdout)
        if done.returncode != wanted:
            return (
                f"{command.strip()}: exit status {done.returncode}, not {wanted}\n{done.stdout}{done.stderr}"
            )
    example.namespace["_printed"] = (example.region.end, "".join(said))
    return None


def _as_run(words):
    ways = {
        "fastgrad": ["-m", "fastgrad"],
        "python": [],
        "pytest": ["-m", "pytest", "-p", "no:cacheprovider"],
    }
    if words[0] not in ways:
        raise ValueError(f'not known how to run {words[0]!r}: say <!-- skip: next "why" --> above the block')
    return [sys.executable, *ways[words[0]], *words[1:]]


def compare_printed(example):
    """Compare a block of text with what the block above it printed."""
    end, printed = example.namespace["_printed"] or (None, "")
    if end is None or example.document.text[end : example.region.start].strip():
        return None  # not below a block that ran: a picture in letters, or some file
    wanted = [_facts(part) for part in re.split(r"(?m)^\.\.\.\n?", example.parsed)]
    if _in_order(wanted, _facts(printed)):
        return None
    return f"printed was\n{printed}\nand the document says\n{example.parsed}"


def _facts(text):
    """The words of a report, its whole numbers, and decimals to two digits.

    What differs between machines is left out: how many evaluations it took, along how many directions, errors
    (written as 1e-10), and which of many alike is the worst.
    """
    text = re.sub(r"(?m)^([\d,]+ evaluations in|of these evaluations:|witness:).*\n?", "", text)
    text = re.sub(r"\d+(\.\d+)?e[+-]\d+|\[[\d, ]+\]", "#", text)
    return re.sub(r"\d+\.\d+", lambda found: f"{float(found[0]):.1e}", text).split()


def _in_order(parts, words):
    """Whether words are these parts, with any words between them; the first part begins."""
    at = 0
    for number, part in enumerate(parts):
        begins = [k for k in range(at, len(words) - len(part) + 1) if words[k : k + len(part)] == part]
        if not begins or (number == 0 and begins[0] != 0):
            return False
        at = begins[0] + len(part)
    return at == len(words) or not parts[-1]


blocks = Sybil(
    parsers=[
        CodeBlockParser("python", Python()),
        CodeBlockParser("sh", run_commands),
        CodeBlockParser("text", compare_printed),
        SkipParser(),
    ],
    patterns=["*.md"],
    path=ROOT.anchor,
    setup=set_up,
    teardown=tear_down,
)
_collect = blocks.pytest()


def pytest_collect_file(file_path, parent):
    """Collect Markdown only; what is built is left alone, as is what tests/explanations runs."""
    if fnmatch(file_path.name, "*.md") and not {"_build", "codes"} & set(file_path.parts):
        return _collect(file_path, parent)
    return None

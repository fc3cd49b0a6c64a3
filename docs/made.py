"""What is put together when the documentation is built: helps, output of examples, a notebook, a page."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import clipped

COMMANDS = ("check", "watch", "trace", "explain", "demo", "bench")
"""Commands whose help is shown; a page includes `_made/help_<command>.txt`."""


SHOWN = ("lesson", "digits")
"""Examples whose output a page includes."""


def write_helps(folder: Path) -> None:
    """Write the help of each command into a file of the folder."""
    folder.mkdir(exist_ok=True)
    narrow = {**os.environ, "COLUMNS": "100", "NO_COLOR": "1"}
    for command in COMMANDS:
        call = [sys.executable, "-m", "fastgrad", command, "--help"]
        said = subprocess.run(call, env=narrow, check=True, capture_output=True, text=True).stdout
        (folder / f"help_{command}.txt").write_text(said.replace("__main__.py", "fastgrad"), encoding="utf-8")


def write_outputs(folder: Path) -> None:
    """Run the examples whose output is shown, and write it into `_made/<example>.txt`."""
    for name in SHOWN:
        file = Path(__file__).parents[1] / "examples" / f"{name}.py"
        said = subprocess.run([sys.executable, file], check=True, capture_output=True, text=True).stdout
        (folder / f"{name}.txt").write_text(said, encoding="utf-8")


def copy_notebook(folder: Path) -> None:
    """Put examples/notebook.ipynb where Sphinx looks for pages: it is run, and shown with what it prints."""
    shutil.copy(Path(__file__).parents[1] / "examples" / "notebook.ipynb", folder / "notebook.ipynb")


def write_page(folder: Path) -> None:
    """Write the page of a wrong network's report into the folder, which becomes part of the site's root."""
    folder.mkdir(parents=True, exist_ok=True)
    clipped.report().to_html(folder / "example_report.html")

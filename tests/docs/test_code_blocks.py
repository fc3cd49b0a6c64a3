"""Blocks of code in Markdown run, and what is wrong in one is seen."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
RUN, NOT_RUN = {"python", "sh"}, {"text", "yaml"}
"""Languages of blocks that run, and of those that show something."""


def built(page):
    """Whether a page is made by the build."""
    return {"_build", "_made"} & set(page.parts)


@pytest.mark.parametrize("page", [page for page in PAGES if not built(page)], ids=lambda page: page.stem)
def test_no_block_escapes(page):
    """A block is in a language that runs, or one that shows something, and is left out for a reason only."""
    text = page.read_text(encoding="utf-8")
    fences = re.findall(r"(?m)^ *```(.*)$", text)
    languages = {fence for fence in fences if fence and not fence.startswith("{")}
    assert languages <= RUN | NOT_RUN
    assert not re.findall(r"<!-- *skip: *\w+ *-->", text), "say why it is not run"


def run(folder):
    """What pytest says of the pages in a folder."""
    pytest.importorskip("sybil")
    call = [sys.executable, "-m", "pytest", "-p", "code_blocks", "-q", "-rs", "-c", os.devnull]
    here = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests")])}
    return subprocess.run(
        [*call, "--rootdir", str(folder), str(folder)], env=here, capture_output=True, text=True
    )


def written(folder, text):
    """A page in a folder."""
    (folder / "page.md").write_text(text, encoding="utf-8")
    return folder


WHOLE = """# A page
<!-- invisible-code-block: python
hidden = 2
-->
```python
x = hidden + 1
print("three is", x, "about 1.23456")
```
```text
three is 3 about 1.2301
```
<!-- file: mine.py -->
```python
import sys
```
<!-- append: mine.py -->
```python
print("began")
print("between")
print("ended")
sys.exit(4)
```
```sh
python mine.py      # exit status 4
```
```text
began
...
ended
```
<!-- skip: next "it takes a year" -->
```python
raise ValueError
```
"""


def test_a_whole_page(tmp_path):
    """Blocks share a namespace and a folder; commands end as is said; what is not run says why."""
    done = run(written(tmp_path, WHOLE))
    assert done.returncode == 0, done.stdout
    assert "8 passed, 1 skipped" in done.stdout
    assert "it takes a year" in done.stdout
    assert not (tmp_path / "mine.py").exists()


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("x = hidden + 1", "x = hidden + unknown", "NameError"),
        ("1.2301", "1.3301", "did not evaluate as expected"),
        ("three is 3", "three is 4", "did not evaluate as expected"),
        ("exit status 4", "exit status 1", "exit status 4, not 1"),
        ("python mine.py", "make mine", "not known how to run 'make'"),
        ("...\nended", "ended", "did not evaluate as expected"),
    ],
)
def test_faults(tmp_path, before, after, said):
    """A block that raises, prints something else, or ends in another way makes the run fail."""
    assert WHOLE.count(before) == 1
    done = run(written(tmp_path, WHOLE.replace(before, after)))
    assert done.returncode == 1
    assert said in done.stdout

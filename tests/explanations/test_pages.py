"""The documentation has a page for each code, and a list that links to all of them."""

from __future__ import annotations

import re

from fastgrad.explanations import codes, explanation
from fastgrad.explanations.pages import codes_of, pages, write_pages


def test_a_page_for_each_code():
    """A page is the explanation as it stands; the list has a link and a place in the tree for each."""
    made = pages()
    assert set(made) == {"index.md", *(f"{code}.md" for code in codes())}
    assert made["FG104.md"] == explanation("FG104").text + "\n"
    assert re.findall(r"^\| \[(FG\d+)\]\(\1\.md\)", made["index.md"], re.MULTILINE) == list(codes())
    assert made["index.md"].split("```{toctree}")[1].split()[1:-1] == list(codes())


def test_codes_of_a_hundred():
    """A hundred has the codes that begin with its three characters."""
    assert set(codes_of("FG9")) < set(codes())
    assert all(code.startswith("FG9") for code in codes_of("FG9"))


def test_written_once(tmp_path):
    """A page that is as it should be is not written again: Sphinx would build it anew."""
    folder = tmp_path / "docs" / "codes"
    write_pages(folder)
    before = {file: file.stat().st_mtime_ns for file in folder.iterdir()}
    (folder / "FG104.md").write_text("old")
    write_pages(folder)
    assert (folder / "FG104.md").read_text() == pages()["FG104.md"]
    others = [file for file in before if file.name != "FG104.md"]
    assert all(file.stat().st_mtime_ns == before[file] for file in others)

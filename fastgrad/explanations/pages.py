"""The documentation's pages of the explanations: one for each code, and a list of all.

`docs/conf.py` calls `write_pages` when it builds; what it writes is not kept in the repository.
"""

from __future__ import annotations

from pathlib import Path

from fastgrad.explanations.book import GROUPS, codes, explanation

INTRODUCTION = """\
# Error codes

Every error that fastgrad raises about what it was given ends with a code, such as `[FG104]`, and so does
every reason for which a coordinate is undecided. A code keeps its meaning from version to version.
`fastgrad explain FG104` prints the same as the page here. Programs find the code in `error.code`, in
`finding.reference`, and in `report.doubt_reference` where a whole check is in doubt.
"""


def pages() -> dict[str, str]:
    """The text of each page by the name of its file: "index.md", and "FG104.md" for each code.

    Examples
    --------
    >>> made = pages()
    >>> print(made["FG102.md"].splitlines()[0])
    # FG102: The parameters are empty
    """
    return {"index.md": _index(), **{f"{code}.md": f"{explanation(code).text}\n" for code in codes()}}


def write_pages(folder: Path) -> None:
    """Write the pages into a folder, which is made; files that are as they should be are left alone.

    Parameters
    ----------
    folder : such as docs/codes
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        file = folder / name
        if not file.exists() or file.read_text(encoding="utf-8") != text:  # Sphinx builds what is newer
            file.write_text(text, encoding="utf-8")


def _index() -> str:
    parts = [INTRODUCTION]
    for start, title in GROUPS.items():
        rows = [f"| [{code}]({code}.md) | {explanation(code).title} |" for code in codes_of(start)]
        parts.append("\n".join([f"## {title}", "", "| code | what it says |", "|---|---|", *rows, ""]))
    toc = "\n".join(codes())
    return "\n".join([*parts, f"```{{toctree}}\n:hidden:\n\n{toc}\n```", ""])


def codes_of(start: str) -> list[str]:
    """The codes that begin like this.

    Examples
    --------
    >>> codes_of("FG1")[0]
    'FG101'
    """
    return [code for code in codes() if code.startswith(start)]

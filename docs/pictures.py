"""The pictures of the documentation, drawn from what fastgrad computes when the documentation is built."""

from __future__ import annotations

from pathlib import Path


def draw_all(folder: Path) -> None:
    """Draw every picture into a folder."""
    folder.mkdir(exist_ok=True)


if __name__ == "__main__":
    draw_all(Path(__file__).parent / "_made")

"""Plain tables: as wide as their cells, and nothing in them is interpreted."""

from __future__ import annotations

import pytest

from fastgrad.report.plain_table import plain_table


class TestPlainTable:
    def test_alignment(self):
        """Columns are two spaces apart, aligned left or right, without trailing spaces."""
        text = plain_table(("name", "count"), [("a", "5"), ("longer", "1,000")], right=(1,))

        assert text.split("\n") == ["name    count", "a           5", "longer  1,000"]

    @pytest.mark.parametrize("cell", ["[red]x[/red]", ":key:", "W[3]", "x" * 500, "\u03b1"])
    def test_cells_are_left_alone(self, cell):
        """A cell is printed letter by letter, on one line."""
        assert plain_table(("head", "next"), [(cell, "end")]).split("\n")[1].split() == [cell, "end"]

    def test_no_rows(self):
        """Without rows there is the head alone."""
        assert plain_table(("one", "two"), []) == "one  two"

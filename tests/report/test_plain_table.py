"""A table as plain text."""

from __future__ import annotations

from fastgrad.report.plain_table import plain_table


def test_columns():
    """Cells stand in columns two spaces apart, numbers to the right, and no line ends in a space."""
    text = plain_table(("name", "count"), [("W1", "3"), ("bias", "12,000")], right=(1,))
    assert text == "name   count\nW1         3\nbias  12,000"


def test_nothing_is_read_as_markup():
    """What looks like markup, a colour or a picture is printed as it is, however long."""
    cell = "[bold]W[3][/bold] :smile: " + "x" * 500
    assert cell.rstrip() in plain_table(("[red]where",), [(cell,)])

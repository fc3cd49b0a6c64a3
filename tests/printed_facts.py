"""What of a printed report is the same on every machine."""

from __future__ import annotations

import re


def printed_facts(report):
    """The words and whole numbers of a report: the last digits of errors differ between machines."""
    return re.sub(r"\d+(\.\d+)?e[+-]\d+|\d+\.\d+|\[[\d, ]+\]", "#", report).split()

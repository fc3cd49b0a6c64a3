"""The report: what was found, as data, as text and as JSON."""

from fastgrad.report.report import Report

__all__ = ["Report"]

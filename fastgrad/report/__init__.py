"""The report: what was found, as data, and its faces."""

from fastgrad.report.report import Report

__all__ = ["Report"]

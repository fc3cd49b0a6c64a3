"""The report as JSON, version 2.

`Report.to_json` and `fastgrad check --json` write it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from fastgrad._version import __version__
from fastgrad.directions.certificate import Certificate
from fastgrad.report.data import ReportData
from fastgrad.report.findings import BlockRow, Finding
from fastgrad.sampling.guarantee import Guarantee

FORMAT = "fastgrad.report"
VERSION = 2
"""Raised when a field changes its meaning or goes away; new fields leave it alone. In version 2 `allowed`
is what decides on the coordinate's own scale, and each finding has a code."""

FINDINGS_KEPT = 1000
"""Coordinates listed one by one; the counts are always complete."""


def to_json(report: ReportData) -> str:
    """The report as a JSON text of one object."""
    return json.dumps(_plain(_document(report)), indent=2, allow_nan=False)


def _document(report: ReportData) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "version": VERSION,
        "fastgrad": __version__,
        "verdict": report.verdict,
        "relative_error": report.relative_error,
        "relative_error_interval": list(report.relative_error_interval),
        "resolution": {
            "wanted": report.seen.wanted,
            "seen": report.seen.seen,
            "reason": report.seen.reason,
            "small": report.seen.small,
            "zero": report.seen.zero,
            "together": report.seen.together,
            "subgradients": report.seen.subgradients,
        },
        "wrong_count": len(report.wrong),
        "undecided_count": len(report.undecided),
        "wrong": _findings(report.wrong),
        "undecided": _findings(report.undecided),
        "entries": [asdict(entry) for entry in report.entries],
        "blocks": [_block(row) for row in report.blocks],
        "coverage": {
            "checked": report.coverage.checked,
            "total": report.coverage.total,
            "how": report.coverage.how,
            "unvisited": list(report.coverage.unvisited),
            "sentence": report.coverage.sentence,
            "planned": report.coverage.planned or report.coverage.checked,
            "guarantee": _guarantee(report.coverage.guarantee),
            "certificate": _certificate(report.coverage.certificate),
        },
        "doubt": report.doubt,
        "doubt_reference": report.doubt_reference,
        "stopped": report.stopped,
        "spent": dict(report.spent),
        "reused": report.reused,
        "cost": report.cost,
        "evaluations": report.evaluations,
        "seconds": report.seconds,
        "engine": report.engine,
        "method": report.method,
        "n_jobs": report.n_jobs,
        "seed": report.seed,
        "noise": dict(report.noise),
        "perturbed": report.perturbed,
        "rule": report.rule,
        "diagnosis": list(report.diagnosis),
        "witnesses": list(report.witnesses),
        "notes": list(report.notes),
    }


def _guarantee(guarantee: Guarantee | None) -> dict[str, Any] | None:
    if guarantee is None:
        return None
    return {
        "confidence": guarantee.confidence,
        "wrong_fraction_at_most": guarantee.fraction if guarantee.blocks else None,
        "wrong_mass_at_most": guarantee.mass,
        "blocks": {b.name: b.fraction for b in guarantee.blocks},
        "sentence": guarantee.sentence,
    }


def _certificate(certificate: Certificate | None) -> dict[str, Any] | None:
    if certificate is None:
        return None
    return {
        "probes": certificate.probes,
        "runs": certificate.runs,
        "miss": certificate.miss,
        "size": dict(zip(certificate.blocks, certificate.sizes, strict=True)),
        "relative_size": dict(zip(certificate.blocks, certificate.relative, strict=True)),
        "excluded": certificate.excluded,
        "seeds": [str(seed) for seed in certificate.seeds],
        "sentence": certificate.sentence,
    }


def _findings(findings: Sequence[Finding]) -> list[dict[str, Any]]:
    return [_finding(f) for f in findings[:FINDINGS_KEPT]]


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "block": finding.block,
        "index": list(finding.index),
        "flat_index": finding.flat_index,
        "label": finding.label,
        "claimed": finding.claimed,
        "numeric": finding.numeric,
        "absolute_error": finding.absolute_error,
        "relative_error": finding.relative_error,
        "error_bound": finding.error_bound,
        "allowed": finding.allowed,
        "resolution": finding.resolution,
        "code": finding.code,
        "reference": finding.reference,
        "cause": finding.cause,
    }


def _block(row: BlockRow) -> dict[str, Any]:
    return {
        "name": row.name,
        "shape": list(row.shape),
        "size": row.size,
        "checked": row.checked,
        "wrong": row.wrong,
        "undecided": row.undecided,
        "relative_error": row.relative_error,
        "relative_error_interval": list(row.relative_error_interval),
        "resolution": row.resolution,
        "verdict": row.verdict,
        "worst": None if row.worst is None else _finding(row.worst),
    }


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_plain(entry) for entry in value]
    if isinstance(value, np.generic):
        return _plain(value.item())
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value

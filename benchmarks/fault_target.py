"""The check that scripts/faults kills: its report on stdout as JSON, or status 2 with what was refused.

python fault_target.py CHECKPOINT JOBS SECONDS    (SECONDS: what an evaluation takes)
"""

from __future__ import annotations

import hashlib
import json
import sys
import time

import numpy as np

import fastgrad
from fastgrad.report.report import Report

X = np.linspace(0.1, 1.0, 170)
"""The parameters; a check of all of them takes some 700 evaluations."""

DATA = np.linspace(1.0, 2.0, 200_000)
"""1.6 MB: joblib shares it between workers by shared memory."""

PASSING = ("seconds", "reused", "notes", "n_jobs", "evaluations", "spent")
"""What may differ between a report and that of the same check made in several runs, or by other workers."""


def cost(x: np.ndarray, data: np.ndarray, seconds: float) -> float:
    """A smooth cost that takes its time."""
    time.sleep(seconds)
    return float(np.sum(np.sin(x) * data[: len(x)]))


def gradient(x: np.ndarray, data: np.ndarray, seconds: float) -> np.ndarray:
    """Its gradient, with one entry off by 1%."""
    found = np.cos(x) * data[: len(x)]
    found[7] *= 1.01
    return found


def facts(report: Report) -> str:
    """What a report says of the gradient, to the last digit, as text of a few lines that can be compared."""
    said = json.loads(report.to_json())
    lines = [f"{key}: {json.dumps(value)}" for key, value in said.items() if key not in PASSING]
    arrays = np.concatenate([report.indices, report.numeric, report.error_bound])
    return "\n".join([*lines, f"all values: {hashlib.sha256(arrays.tobytes()).hexdigest()}"])


def main(checkpoint: str, jobs: int, seconds: float) -> int:
    """Check, and print what was found."""
    print("begun", flush=True)
    options = {"n_jobs": jobs, "coordinates": "all", "checkpoint": checkpoint, "engine": "python"}
    try:
        report = fastgrad.check_gradient(cost, gradient, X, args=(DATA, seconds), progress=False, **options)
    except (fastgrad.InputError, fastgrad.WorkerError) as error:
        print(error, file=sys.stderr)
        return 2
    print(facts(report))
    print(f"{report.n_jobs} workers", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3])))

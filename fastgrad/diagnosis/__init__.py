"""The likely mistake in a wrong gradient, said in sentences: `diagnose` takes evidence of every block."""

from fastgrad.diagnosis.diagnose import LEAVES_OPEN, diagnose
from fastgrad.diagnosis.evidence import Diagnosis, Evidence

__all__ = ["LEAVES_OPEN", "Diagnosis", "Evidence", "diagnose"]

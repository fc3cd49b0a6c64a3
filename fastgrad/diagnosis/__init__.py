"""The likely mistake in a wrong gradient, said in sentences: `diagnose` takes evidence of every block."""

from fastgrad.diagnosis.diagnose import diagnose
from fastgrad.diagnosis.evidence import Diagnosis, Evidence

__all__ = ["Diagnosis", "Evidence", "diagnose"]

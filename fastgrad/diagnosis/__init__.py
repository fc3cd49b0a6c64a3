"""What the likely mistake in a wrong gradient is."""

from fastgrad.diagnosis.diagnose import diagnose
from fastgrad.diagnosis.evidence import Diagnosis, Evidence

__all__ = ["Diagnosis", "Evidence", "diagnose"]

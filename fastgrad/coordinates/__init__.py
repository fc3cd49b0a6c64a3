"""Coordinate by coordinate: calibration of each block, stages of measurement, why one is undecided."""

"""Difference formulas, steps, noise and error bounds. Nothing here calls a cost: values come in as arrays."""

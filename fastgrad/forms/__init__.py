"""Calls of other libraries as checks: scipy's minimize and least_squares, statistical models."""

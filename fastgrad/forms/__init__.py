"""Calls and objects of other libraries read as problems: value and gradient in one, scipy's minimize, models."""

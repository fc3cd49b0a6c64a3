"""Jacobians, products with them, and second derivatives: checks of one random combination of outputs."""

"""Evaluating plans on all workers, within a budget, kept in a checkpoint, shown as progress."""

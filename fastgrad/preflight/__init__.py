"""The plain checks before any difference is taken: whether cost and claimed gradient are functions."""

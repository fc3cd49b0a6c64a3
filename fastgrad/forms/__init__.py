"""Calls and objects of other libraries, read as problems."""

"""Checks in the terms of other libraries, one module for each library, imported when it is used."""

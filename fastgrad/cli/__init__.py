"""The command line: entry.py is its first and last line, bench/ and demos/ what two of its commands run."""

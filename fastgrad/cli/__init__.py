"""The command line: main.py has the entry point, bench/ and demos/ what two of its commands run."""

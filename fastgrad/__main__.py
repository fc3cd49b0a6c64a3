"""`python -m fastgrad` is the command line."""

from fastgrad.cli.entry import entry

if __name__ == "__main__":  # a worker process may import the module that started the program
    entry()

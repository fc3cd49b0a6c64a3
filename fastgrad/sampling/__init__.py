"""Which coordinates a sample holds, and what it proves about the others."""

"""`python -m fastgrad` is the command line."""

import sys

from fastgrad.cli import main

sys.exit(main())

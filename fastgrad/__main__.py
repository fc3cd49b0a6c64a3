"""`python -m fastgrad` is the command line."""

import sys

from fastgrad.cli.main import main

sys.exit(main())

"""`python -m colorization.cli`: the same as the command `colorize`."""

import sys

from colorization.cli.entry import main

sys.exit(main())

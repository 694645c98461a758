"""python -m colorization.cli"""

import sys

from colorization.cli.main import main

sys.exit(main())

"""The command line, as ``python -m focalcore.cli``."""

import sys

from . import main

sys.exit(main())

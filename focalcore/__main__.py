"""The command line, as ``python -m focalcore``."""

import sys

from .cli import main

sys.exit(main())

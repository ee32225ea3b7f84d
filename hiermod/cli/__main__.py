"""``python -m hiermod.cli``: the same as ``hiermod``."""

import sys

from hiermod.cli import main

sys.exit(main())

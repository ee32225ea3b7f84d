"""Lets modules here share their helpers with those of tests/modeling."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "modeling"))

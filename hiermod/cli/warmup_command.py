"""``hiermod warmup``: compiles the engine ahead, as a container's build or an installer would want it."""

from __future__ import annotations

import argparse
import sys

from hiermod.cli.output import DONE


def run(options: argparse.Namespace) -> int:
    """Compile what is not compiled yet, and say where it is kept."""
    from hiermod.engine.build.compile import library

    found = library(lambda text: print(f"hiermod: {text}", file=sys.stderr, flush=True))
    where = "this process alone" if found.folder is None else str(found.folder)
    print(f"the engine is compiled: {where}")
    return DONE

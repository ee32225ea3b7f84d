"""What the commands share: exit codes, headings, when a progress bar is wanted."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hiermod.facades.fit import Fit


DONE, COULD_NOT_FIT, BAD_ARGUMENTS, INTERRUPTED, PIPE_CLOSED = 0, 1, 2, 130, 141


def section(title: str) -> None:
    """Print a heading, and everything before it to a pipe that waits for it."""
    print(f"\n{title}", flush=True)


def wants_progress(options: argparse.Namespace) -> bool:
    """A bar is for somebody who watches a terminal."""
    return not options.no_progress and sys.stderr.isatty()


def was_interrupted(fit: Fit) -> bool:
    """Whether Ctrl-C ended the sampling early; the draws until then are kept."""
    return any(notice.startswith("interrupted") for notice in fit.notices)

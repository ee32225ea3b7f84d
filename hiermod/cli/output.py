"""Exit codes, headings, and a Ctrl-C that reaches the program wherever it is.

The compiler calls back into Python from C. A Ctrl-C that falls into such a call cannot be raised through it: Python
hands it to `sys.unraisablehook`, which prints a traceback and goes on as if nothing had been pressed.
"""

from __future__ import annotations

import argparse
import sys
from typing import Any

DONE, COULD_NOT_FIT, BAD_ARGUMENTS, NOT_CONVERGED, INTERRUPTED, PIPE_CLOSED = 0, 1, 2, 3, 130, 141
SOON = 0.05  # seconds, by when the callback has returned


def section(title: str) -> None:
    """Print a heading, and everything before it to a pipe that waits for it."""
    print(f"\n{title}", flush=True)


def wants_progress(options: argparse.Namespace) -> bool:
    """A bar is for somebody who watches a terminal."""
    return not options.no_progress and sys.stderr.isatty()


def heed() -> None:
    """Raise a Ctrl-C that was lost in a callback again, for the rest of this process."""
    sys.unraisablehook = _again


def _again(lost: Any) -> None:
    if lost.exc_type is not KeyboardInterrupt:
        sys.__unraisablehook__(lost)
        return
    import _thread
    import threading

    timer = threading.Timer(SOON, _thread.interrupt_main)
    timer.daemon = True
    timer.start()


def leave_quietly() -> None:
    """Say nothing of objects that were half-made when Ctrl-C came: the process is about to end."""
    sys.unraisablehook = lambda _: None

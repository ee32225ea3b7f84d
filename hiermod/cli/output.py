"""Exit codes, headings, and a Ctrl-C that reaches the program wherever it is.

The compiler calls back into Python from C. A Ctrl-C that falls into such a call cannot be raised through it: Python
hands it to `sys.unraisablehook`, which prints a traceback and goes on as if nothing had been pressed.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable
from typing import Any

from hiermod.terminal import lines_of, width

DONE, COULD_NOT_FIT, BAD_ARGUMENTS, NOT_CONVERGED, INTERRUPTED, PIPE_CLOSED = 0, 1, 2, 3, 130, 141
SOON = 0.05  # seconds, by when the callback has returned


def section(title: str) -> None:
    """Print a heading, bold on a terminal, and everything before it to a pipe that waits for it."""
    print(f"\n{bold(title)}", flush=True)


def bold(text: str) -> str:
    """Text that stands out where somebody looks at a terminal that may have colours; else the text as it is."""
    return f"\x1b[1m{text}\x1b[0m" if coloured() else text


def coloured() -> bool:
    """Whether stdout is a terminal that obeys colours, and nobody has asked for none (no-color.org)."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def wrapped(sentences: Iterable[str]) -> list[str]:
    """Sentences in lines as wide as the terminal; where there is none, a line each."""
    room = width()
    return [lines_of(sentence, room) for sentence in sentences]


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

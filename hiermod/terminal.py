"""Text that fits a terminal: sentences in lines. Pipes and files get lines as they are."""

from __future__ import annotations

import shutil
import sys
import textwrap
from typing import TextIO

NARROWEST = 40


def width(stream: TextIO | None = None) -> int | None:
    """How many characters a line of the terminal has that a stream writes to, stdout by default; None of a pipe."""
    stream = sys.stdout if stream is None else stream
    if stream is None or stream.closed or not stream.isatty():
        return None
    return max(shutil.get_terminal_size().columns, NARROWEST)


def lines_of(text: str, room: int | None, hanging: str = "  ") -> str:
    """A text whose lines have no more characters than there is room for, cut between words; None: as it is."""
    if room is None:
        return text
    return "\n".join(_wrapped(line, room, hanging) for line in text.split("\n"))


def _wrapped(line: str, room: int, hanging: str) -> str:
    if len(line) <= room:
        return line
    margin = line[: len(line) - len(line.lstrip())]
    return textwrap.fill(line, room, subsequent_indent=margin + hanging, break_on_hyphens=False)

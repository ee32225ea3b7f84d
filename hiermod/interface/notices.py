"""Notices: what was inferred or done without being asked, said once on stderr."""

from __future__ import annotations

import sys
from collections.abc import Iterable


def announce(notices: Iterable[str]) -> None:
    """Write each notice to stderr, a line each."""
    for notice in notices:
        print(f"hiermod: {notice}", file=sys.stderr)


def announce_one(notice: str) -> None:
    """Write one notice."""
    announce([notice])

"""Notices: what was inferred or done without being asked, said once on stderr."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

from hiermod.errors import visible
from hiermod.terminal import lines_of, width

if TYPE_CHECKING:
    import pandas as pd

    from hiermod.answers.answer import Answer


def announce(notices: Iterable[str]) -> None:
    """Write each notice to stderr, a line each."""
    for notice in notices:
        print(lines_of(f"hiermod: {visible(notice)}", width(sys.stderr)), file=sys.stderr)


def announce_one(notice: str) -> None:
    """Write one notice."""
    announce([notice])


def told(answer: Answer) -> Answer:
    """An answer, whose notices are written."""
    announce(answer.notices)
    return answer


def table_of(result: tuple[pd.DataFrame, Iterable[str]]) -> pd.DataFrame:
    """The table of a result, whose notices are written."""
    table, notices = result
    announce(notices)
    return table

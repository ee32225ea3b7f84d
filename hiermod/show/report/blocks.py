"""What a page is made of: paragraphs, tables, pictures, formulas, code, in sections."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd

from hiermod.answers.answer import Answer
from hiermod.data.columns.values import level_text
from hiermod.errors import visible
from hiermod.show.answer_text import cells, is_number


@dataclass(frozen=True)
class Paragraph:
    """Text; answers stand out, and so do warnings and verdicts that are good."""

    text: str
    tone: Literal["plain", "answer", "warning", "good"] = "plain"
    kind: str = "paragraph"


@dataclass(frozen=True)
class Listing:
    """Sentences, one below the other."""

    items: tuple[str, ...]
    tone: Literal["plain", "answer"] = "plain"
    kind: str = "listing"


@dataclass(frozen=True)
class Cell:
    """The text of a table's cell, and the number by which it is sorted; a heading stands over the rows that follow."""

    text: str
    number: str = ""
    heading: bool = False


@dataclass(frozen=True)
class Table:
    """A table with its caption; numbers stand at the right."""

    caption: str
    heads: tuple[tuple[str, bool], ...]
    rows: tuple[tuple[Cell, ...], ...]
    kind: str = "table"


@dataclass(frozen=True)
class Picture:
    """Inline SVG that follows the colours of the page, and what it shows in words."""

    svg: str
    description: str
    kind: str = "picture"


@dataclass(frozen=True)
class Formula:
    """A formula in MathML."""

    mathml: str
    kind: str = "formula"


@dataclass(frozen=True)
class Code:
    """Code, or text whose lines are to stay."""

    text: str
    caption: str = ""
    kind: str = "code"


Block = Paragraph | Listing | Table | Picture | Formula | Code


@dataclass(frozen=True)
class Section:
    """Blocks under a heading; what few readers need is folded."""

    title: str
    blocks: tuple[Block, ...]
    folded: bool = False


@dataclass(frozen=True)
class Chapter:
    """The sections about one fit or result."""

    title: str
    sections: tuple[Section, ...] = field(default=())
    lead: str = ""


def table_of_answer(answer: Answer, caption: str) -> Table:
    """An answer's table, its numbers rounded by their Monte Carlo error."""
    texts = cells(answer)
    numeric = {name: is_number(answer, name) for name in texts}
    heads = tuple((name, numeric[name]) for name in texts)
    values = {visible(str(name)): answer.table[name] for name in answer.table.columns}
    rows = [
        tuple(Cell(texts[name][row], _number(values[name].iloc[row]) if numeric[name] else "") for name in texts)
        for row in range(len(answer.table))
    ]
    return Table(caption, heads, tuple(rows))


def table_of_frame(
    frame: pd.DataFrame,
    caption: str,
    index: bool = True,
    digits: int = 4,
    aligned: bool = False,
    formats: Mapping[str, Callable[[float], str]] | None = None,
) -> Table:
    """A data frame as a table, with its index where it is one of names.

    Numbers of a column have `digits` digits each, or with `aligned`, where all have one meaning, as many decimals as
    tell them apart; `formats` says otherwise by column.
    """
    shown = frame.reset_index() if index else frame
    heads = tuple(
        (visible(str(name)), bool(pd.api.types.is_numeric_dtype(column)) and column.dtype != bool)
        for name, column in shown.items()
    )
    columns = []
    for name, column in shown.items():
        usual = f"{{:{_decimals(column) if aligned else f',.{digits}g'}}}".format
        columns.append([_cell(value, (formats or {}).get(str(name), usual)) for value in column])
    return Table(caption, heads, tuple(zip(*columns, strict=True)) if columns else ())


def _decimals(column: pd.Series) -> str:
    """The format of numbers that gives the distance between the least and the largest three digits."""
    if not pd.api.types.is_float_dtype(column):
        return ""
    values = column.to_numpy(dtype=float)
    finite = values[np.isfinite(values)]
    span = float(np.ptp(finite)) if len(finite) else 0.0
    span = span or float(np.abs(finite).max(initial=0.0))
    return f",.{min(max(2 - math.floor(math.log10(span)), 0), 12)}f" if span else ",.4g"


def _cell(value: Any, text: Callable[[float], str]) -> Cell:
    if isinstance(value, bool | np.bool_):
        return Cell("yes" if value else "no")
    if isinstance(value, int | np.integer):
        return Cell(f"{value:,}", str(value))
    if isinstance(value, float | np.floating):
        return Cell("–" if math.isnan(value) else text(float(value)), _number(value))
    return Cell(visible(value if isinstance(value, str) else level_text(value)))


def _number(value: Any) -> str:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return ""
    return "" if math.isnan(number) else repr(number)


def columns_of(frame: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """The columns that are there."""
    return frame[[name for name in names if name in frame]]

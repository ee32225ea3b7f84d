"""Which groups a question names, so that no others have to be read."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd

from hiermod.answers.averaging.query import Arguments
from hiermod.data.columns.groupings import Grouping
from hiermod.data.columns.values import Level
from hiermod.data.sources.frames import has_columns, read_columns

MOST_NAMED = 100


def named_groups(arguments: Arguments, grouping: Grouping) -> tuple[Level, ...] | None:
    """The groups of a factor of one column that a question is about; none of averages over all, None of many."""
    (column,) = grouping.columns
    setting = (arguments.variable, arguments.at, arguments.control, arguments.across, arguments.between)
    if _is_said(column, setting):
        return None
    if arguments.data is not None:
        return _levels(_values(arguments.data, column), grouping)
    where = arguments.where
    if isinstance(where, dict) and column in where:
        given = where[column]
        return _levels(given if isinstance(given, list | tuple) else [given], grouping)
    return None if _is_said(column, (arguments.by, where)) else ()


def _is_said(column: str, said: tuple[Any, ...]) -> bool:
    return re.search(rf"(?<!\w){re.escape(column)}(?!\w)", repr(said)) is not None


def _values(data: Any, column: str) -> list[Any]:
    return list(pd.unique(read_columns(data, (column,))[column])) if has_columns(data, (column,)) else []


def _levels(values: list[Any] | tuple[Any, ...], grouping: Grouping) -> tuple[Level, ...] | None:
    """Values as levels, where these are of the same type and few."""
    if len(values) > MOST_NAMED:
        return None
    plain = tuple(value.item() if isinstance(value, np.generic) else value for value in values)
    kind = type(next(iter(grouping.columns.values()))[0])
    return tuple(dict.fromkeys(plain)) if all(type(value) is kind for value in plain) else None

"""How each column of the right side is understood: numbers, factors with levels, and grouping factors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from hiermod.data.columns.numbering import distinct_rows
from hiermod.data.columns.values import (
    Level,
    as_levels,
    check_finite,
    code_levels,
    encode,
    kind_of,
    level_series,
    reads_as_number,
)
from hiermod.errors import DataError, did_you_mean, enumerate_names
from hiermod.formula.expressions import quote
from hiermod.formula.nodes import without_slash

EXACT = 2.0**53  # whole numbers up to here are floating-point numbers too


@dataclass(frozen=True)
class Numeric:
    """A numeric predictor; `integer` keeps whole numbers whole in tables."""

    name: str
    integer: bool

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of cells that hold it."""
        return (self.name,)

    def column(self, values: pd.Series) -> np.ndarray:
        """The values as numbers; anything else is refused."""
        if kind_of(values) not in ("int", "float", "bool"):
            raise DataError(
                f"The column {self.name!r} was numeric in the fitted data and holds {kind_of(values)} here."
            )
        numbers = values.to_numpy(dtype=float)
        check_finite(self.name, numbers, values.index)
        return numbers.astype(np.int64) if self.integer and _whole(numbers) else numbers


@dataclass(frozen=True)
class Factor:
    """A categorical predictor; the first level is the reference of treatment contrasts, which `coding` names."""

    name: str
    levels: tuple[Level, ...]
    coding: str = "treatment"

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of cells that hold it."""
        return (self.name,)

    def column(self, values: pd.Series) -> pd.Categorical:
        """The values as levels; an unknown one is refused."""
        codes = encode(values, self.levels)
        if (codes < 0).any():
            unknown = str(values.iloc[int(np.flatnonzero(codes < 0)[0])])
            raise DataError(
                f"The column {self.name!r} holds {unknown!r}, a level that the fitted data did not have."
                f"{did_you_mean(unknown, self.levels)}"
            )
        return level_series(codes, self.levels)


@dataclass(frozen=True)
class Basis:
    """A predictor of several numeric columns, such as ``poly(x, 2)``."""

    name: str
    count: int

    @property
    def labels(self) -> tuple[str, ...]:
        """What its columns are called: 1, 2, ..."""
        return tuple(str(number) for number in range(1, self.count + 1))

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of cells that hold it: ``poly(x, 2)[1]``."""
        return tuple(f"{self.name}[{label}]" for label in self.labels)

    def column(self, values: pd.Series) -> np.ndarray:
        """A basis is made by its function alone."""
        raise DataError(f"{self.name} is made of other columns; give those.")


Predictor = Numeric | Factor | Basis


def read_predictor(name: str, values: pd.Series) -> tuple[Predictor, np.ndarray | pd.Categorical, list[str]]:
    """Understand a predictor column without missing values; return it, its values and notices."""
    kind = kind_of(values)
    if kind in ("int", "float") and not isinstance(values.dtype, pd.CategoricalDtype):
        numbers = values.to_numpy(dtype=float)
        check_finite(name, numbers, values.index)
        if (numbers == numbers[0]).all():
            raise DataError(f"The predictor {name!r} is constant ({numbers[0]:g} in every row). Leave it out.")
        integer = kind == "int" and bool((np.abs(numbers) <= EXACT).all())
        return Numeric(name, integer), numbers.astype(np.int64) if integer else numbers, []
    if kind == "date":
        raise DataError(f"The predictor {name!r} holds dates. Add a numeric column, such as days since the first date.")
    codes, levels = code_levels(name, values)
    if len(levels) < 2:
        raise DataError(f"The predictor {name!r} is constant ({str(levels[0])!r} in every row). Leave it out.")
    ordered = isinstance(values.dtype, pd.CategoricalDtype) and bool(values.dtype.ordered)
    factor = Factor(name, levels, "poly" if ordered else "treatment")
    return factor, level_series(codes, levels), _factor_notices(name, values, levels)


def _factor_notices(name: str, values: pd.Series, levels: tuple[Level, ...]) -> list[str]:
    ordered = isinstance(values.dtype, pd.CategoricalDtype) and bool(values.dtype.ordered)
    plain = kind_of(values) == "bool" or ordered
    notices = [] if plain else [f"{name}: reference level {str(levels[0])!r}"]
    if not isinstance(values.dtype, pd.CategoricalDtype) and _read_as_numbers(levels):
        notices.append(
            f"{name}: text that reads as numbers is taken as {len(levels):,} levels; pandas.to_numeric gives numbers"
        )
    if isinstance(values.dtype, pd.CategoricalDtype):
        unused = [level for level in as_levels(values.dtype.categories) if level not in levels]
        if unused:
            several = "s" * (len(unused) > 1)
            notices.append(f"{name}: {len(unused)} level{several} without rows left out: {enumerate_names(unused, 3)}")
        if ordered:
            notices.append(
                f"{name}: ordered levels are coded by polynomial contrasts; C({quote(name)}, treatment) takes levels"
            )
    return notices


def _read_as_numbers(levels: tuple[Level, ...]) -> bool:
    """Whether levels are the text of more numbers than two codes."""
    return len(levels) > 2 and all(isinstance(level, str) and reads_as_number(level) for level in levels)


@dataclass(frozen=True, eq=False)
class Grouping:
    """A grouping factor, possibly crossed (``country:city``): only combinations that occur are levels.

    `columns` gives each column's own levels, `combinations` (levels × columns) their codes.
    """

    columns: dict[str, tuple[Level, ...]]
    combinations: np.ndarray

    @property
    def name(self) -> str:
        """The factor's name, such as ``country:city``."""
        return without_slash(":".join(self.columns))

    @property
    def size(self) -> int:
        """How many levels occur."""
        return len(self.combinations)

    def labels(self) -> list[Level]:
        """The levels as they are typed; those of a crossed factor joined by ``:``."""
        if len(self.columns) == 1:
            (levels,) = self.columns.values()
            return [levels[code] for code in self.combinations[:, 0]]
        by_column = [
            np.array([str(level) for level in levels], dtype=object)[self.combinations[:, place]]
            for place, levels in enumerate(self.columns.values())
        ]
        return [":".join(parts) for parts in zip(*by_column, strict=True)]

    def codes(self, frame: pd.DataFrame) -> np.ndarray:
        """Each row's level, -1 where the fitted data did not have it."""
        keys = np.zeros(len(frame), dtype=np.int64)
        known = np.ones(len(frame), dtype=bool)
        own = np.zeros(self.size, dtype=np.int64)
        for place, (column, levels) in enumerate(self.columns.items()):
            codes = encode(frame[column], levels)
            known &= codes >= 0
            keys, own = keys * len(levels) + codes, own * len(levels) + self.combinations[:, place]
        order = np.argsort(own, kind="stable")
        found = np.searchsorted(own[order], keys).clip(max=self.size - 1)
        match = known & (own[order][found] == keys)
        return np.where(match, order[found], -1)


def read_grouping(factors: tuple[str, ...], frame: pd.DataFrame) -> Grouping:
    """Understand a grouping factor from columns without missing values."""
    columns: dict[str, tuple[Level, ...]] = {}
    codes: list[np.ndarray] = []
    for name in factors:
        _refuse_float_groups(name, frame[name])
        own, columns[name] = code_levels(name, frame[name])
        codes.append(own)
    combinations = distinct_rows(pd.DataFrame(np.column_stack(codes)))
    if len(combinations) < 2:
        (label,) = Grouping(columns, combinations).labels()
        raise DataError(
            f"The grouping factor {':'.join(factors)!r} has one level only ({label!r}): "
            "there is nothing to vary over. At least two levels are needed."
        )
    grouping = Grouping(columns, combinations)
    _refuse_equal_labels(grouping)
    return grouping


def _refuse_equal_labels(grouping: Grouping) -> None:
    labels = grouping.labels()
    if len(grouping.columns) > 1 and len(set(labels)) < len(labels):
        twice = next(label for place, label in enumerate(labels) if label in labels[:place])
        raise DataError(
            f"Two levels of the grouping factor {grouping.name!r} are both written {twice!r}, "
            "since ':' stands in the levels themselves. Replace it there."
        )


def _refuse_float_groups(name: str, values: pd.Series) -> None:
    if kind_of(values) == "float":
        shown = enumerate_names(pd.unique(values)[:3])
        whole = _whole(values.to_numpy(dtype=float))
        remedy = ".astype('Int64')" if whole else ".astype(str), or bin it with pandas.cut"
        raise DataError(
            f"The grouping column {name!r} holds floating-point numbers ({shown}, …); groups are whole numbers, text, "
            f"booleans or dates. Convert it: data[{name!r}] = data[{name!r}]{remedy}."
        )


def _whole(numbers: np.ndarray) -> bool:
    return bool((numbers == np.round(numbers)).all())

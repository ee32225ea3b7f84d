"""`Tabular`: results that behave as their table where fingers expect it."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Any

from hiermod.errors import visible
from hiermod.text_table import Column, Kind, TextTable

if TYPE_CHECKING:
    import pandas as pd


def text_table(frame: pd.DataFrame, keys: Collection[Any], figures: str = "{:.4g}", missing: str = "nan") -> TextTable:
    """A data frame as text, without its index: keys and other words, and figures to some digits."""

    def text(value: Any) -> str:
        if isinstance(value, float):
            return missing if math.isnan(value) else figures.format(value)
        return visible(str(value))

    columns = []
    for name in frame.columns:
        values = frame[name]
        kind: Kind = "key" if name in keys else "number" if values.dtype.kind in "iufb" else "words"
        columns.append(Column(visible(str(name)), [text(value) for value in values], kind))
    return TextTable(sorted(columns, key=lambda column: column.kind != "key"))


class Tabular:
    """What has a `table` and is asked as it: ``len(answer)``, ``answer["estimate"]``, ``answer.head()``."""

    if TYPE_CHECKING:

        @property
        def table(self) -> pd.DataFrame:
            """The table."""

    def __len__(self) -> int:
        """How many rows the table has."""
        return len(self.table)

    def __bool__(self) -> bool:
        """A result is there, also where its table has no rows."""
        return True

    def __getitem__(self, key: Any) -> Any:
        """A column of the table by its name, or several, or the rows that a mask selects."""
        return self.table[key]

    def __iter__(self) -> Iterator[Any]:
        """The names of columns, as of a data frame."""
        return iter(self.table)

    def __contains__(self, name: object) -> bool:
        """Whether there is such a column."""
        return name in self.table

    def _ipython_key_completions_(self) -> list[str]:
        return [str(name) for name in self.table.columns]

    @property
    def columns(self) -> pd.Index:
        """The names of the table's columns.

        Examples
        --------
        >>> list(fit.effect("treated").columns)[:2]
        ['contrast', 'estimate']
        """
        return self.table.columns

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the table.

        Examples
        --------
        >>> fit.effect("treated").shape
        (1, 6)
        """
        return self.table.shape

    def head(self, n: int = 5) -> pd.DataFrame:
        """The first rows of the table.

        Examples
        --------
        >>> len(fit.rates("treated", by="country").head(3))
        3
        """
        return self.table.head(n)

    def tail(self, n: int = 5) -> pd.DataFrame:
        """The last rows of the table.

        Examples
        --------
        >>> len(fit.rates("treated", by="country").tail(1))
        1
        """
        return self.table.tail(n)

    def sort_values(self, by: Any, **options: Any) -> pd.DataFrame:
        """The table, sorted; options are those of `pandas.DataFrame.sort_values`.

        Examples
        --------
        >>> fit.rates(by="country").sort_values("estimate")["country"].tolist()
        ['Canada', 'China']
        """
        return self.table.sort_values(by, **options)

    def query(self, expression: str) -> pd.DataFrame:
        """The rows of the table for which an expression holds, as `pandas.DataFrame.query` has it.

        Examples
        --------
        >>> len(fit.effect("treated", by="country").query("prob_beats > 0.95"))
        1
        """
        return self.table.query(expression)

    def to_csv(self, path: Any = None, *, index: bool = False, **options: Any) -> str | None:
        """Write the table as CSV, or return it as text; options are those of `pandas.DataFrame.to_csv`.

        Examples
        --------
        >>> fit.effect("treated").to_csv().splitlines()[0]
        'contrast,estimate,lower,upper,prob_beats,expected_loss'
        """
        return self.table.to_csv(path, index=index, **options)

    def to_dict(self, orient: Any = "records") -> Any:
        """The rows as dicts, or what `pandas.DataFrame.to_dict` gives for another `orient`.

        Examples
        --------
        >>> fit.effect("treated").to_dict()[0]["contrast"]
        '1 vs 0'
        """
        return self.table.to_dict(orient)

"""The door for data: any frame that narwhals knows, or a path, becomes a pandas frame of the columns needed."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import narwhals as nw
import pandas as pd
import pyarrow as pa

from hiermod.data.sources.connection import other_separator
from hiermod.data.sources.paths import is_path, open_path, ordered_columns, reading
from hiermod.errors import DataError, FormulaError, HiermodError, did_you_mean, panics_as_errors
from hiermod.formula.nodes import Formula

ENUMS = "hiermod's enums"  # an attribute of frames: the columns whose levels were declared in an order
COPIED_WHEN_WRITTEN = int(pd.__version__.split(".")[0]) >= 3  # what pandas' frames share
NULLABLE = {"bool": "boolean"}
NULLABLE |= {f"{u}int{bits}": f"{u.upper()}Int{bits}" for u in ("", "u") for bits in (8, 16, 32, 64)}


@dataclass(frozen=True, eq=False)
class Selected:
    """The columns that a formula needs, where they are.

    `enums` are columns whose levels have an order, `ordered` those of them that say so.
    """

    data: Any
    frame: nw.DataFrame[Any] | nw.LazyFrame[Any]
    enums: frozenset[str]
    ordered: frozenset[str]

    def to_pandas(self, eager: nw.DataFrame[Any]) -> pd.DataFrame:
        """Convert so that whole numbers and booleans stay what they are beside missing values; rows are numbered.

        Encoded values that have no order of their own (polars' Categorical, Arrow's dictionaries) become plain ones,
        since the order of their codes is that of first appearance.
        """
        if eager.implementation.is_pandas_like():
            return eager.to_pandas().reset_index(drop=True)
        declared = tuple(name for name, dtype in eager.schema.items() if dtype == nw.Enum)
        encoded = [name for name, dtype in eager.schema.items() if dtype == nw.Categorical and name not in self.enums]
        try:
            frame = _decoded(eager.to_arrow(), encoded).to_pandas(types_mapper=_nullable)
        except Exception as error:
            raise DataError(f"The data cannot be converted to Arrow: {error}") from error
        for name in frame.columns:
            if isinstance(frame[name].dtype, pd.CategoricalDtype):  # an Enum has an order to be shown in, no more
                column = frame[name].cat
                frame[name] = column.as_ordered() if name in self.ordered else column.as_unordered()
        frame.attrs[ENUMS] = declared
        return frame


def select_columns(data: Any, names: tuple[str, ...], formula: Formula | None = None) -> Selected:
    """Find the named columns of any frame, or of the files behind a path.

    Raises
    ------
    DataError
        Where `data` is no frame, or names a column twice.
    FormulaError
        Where the formula names a column that is not there; the nearest names are shown.
    """
    with asking(data):
        frame = _narwhals_frame(data, names)
        schema = frame.collect_schema()
    for name in names:
        if name not in schema:
            _missing_column(name, schema.names(), formula)
    if isinstance(frame, nw.LazyFrame) and frame.implementation.is_polars():
        _refuse_patterns(names)
    if isinstance(frame, nw.DataFrame):
        return Selected(data, frame[list(names)], frozenset(), frozenset())
    enums = frozenset(name for name in names if schema[name] == nw.Enum)
    return Selected(data, frame.select(*names) if names else frame, enums, ordered_columns(data) & enums)


def _refuse_patterns(names: Iterable[str]) -> None:
    """Refuse names that polars, where it is lazy, takes for all columns that match them."""
    for name in names:
        if name == "*" or (name.startswith("^") and name.endswith("$")):
            raise DataError(
                f"A lazy frame of polars takes the name {name!r} for a pattern of names. Rename the column, or pass "
                "the frame itself: data.collect()."
            )


def read_columns(data: Any, names: tuple[str, ...], formula: Formula | None = None) -> pd.DataFrame:
    """Return the named columns as pandas, rows numbered from 0; errors are those of `select_columns`."""
    selected = select_columns(data, names, formula)
    with asking(data):
        if not names:
            return pd.DataFrame(index=pd.RangeIndex(_row_count(_narwhals_frame(data, ()))))
        frame = selected.frame
        return selected.to_pandas(frame.collect() if isinstance(frame, nw.LazyFrame) else frame)


def held_columns(data: Any, names: tuple[str, ...]) -> Any:
    """The named columns of a frame in memory, as they are now, whatever becomes of it; None of one that is not."""
    frame = select_columns(data, names).frame
    if not isinstance(frame, nw.DataFrame):
        return None
    native = frame.to_native()
    return native.copy(deep=not COPIED_WHEN_WRITTEN) if isinstance(native, pd.DataFrame) else native


@contextmanager
def asking(data: Any) -> Iterator[None]:
    """Turn errors of the engine that holds the data into one that says whose they are."""
    try:
        with panics_as_errors(), reading(data):
            yield
    except (HiermodError, MemoryError):
        raise
    except Exception as error:
        raise DataError(f"The data ({type(data).__name__}) cannot be read: {str(error).strip()}") from error


def _row_count(frame: nw.DataFrame[Any] | nw.LazyFrame[Any]) -> int:
    return len(frame) if isinstance(frame, nw.DataFrame) else int(frame.select(nw.len()).collect().item())


def column_names(data: Any) -> tuple[str, ...]:
    """The names of a frame's columns, in order."""
    with asking(data):
        return tuple(_narwhals_frame(data, ()).collect_schema().names())


def has_columns(data: Any, names: Iterable[str]) -> bool:
    """Whether a frame has all the named columns."""
    return set(names) <= set(column_names(data))


def _decoded(table: pa.Table, names: Collection[str]) -> pa.Table:
    """A table in which the named columns, where they are dictionaries, hold the values themselves."""
    for place, field in enumerate(table.schema):
        if field.name in names and pa.types.is_dictionary(field.type):
            table = table.set_column(place, field.name, table.column(place).cast(field.type.value_type))
    return table


def _nullable(kind: Any) -> Any:
    """Return pandas' dtype that holds missing values beside integers or booleans of this Arrow type."""
    return pd.api.types.pandas_dtype(NULLABLE[str(kind)]) if str(kind) in NULLABLE else None


def _narwhals_frame(data: Any, names: Collection[str] | None = None) -> nw.DataFrame[Any] | nw.LazyFrame[Any]:
    """Any frame, or what stands behind a path, as narwhals sees it; `names` are the columns that will be used."""
    if is_path(data):
        data = open_path(data, names)
    if isinstance(data, pd.DataFrame):
        data = data.rename(columns=str)
    names = pd.Index(data.columns if isinstance(data, pd.DataFrame) else getattr(data, "column_names", ()))
    repeated = names[names.duplicated()]
    if len(repeated):
        raise DataError(f"The data has two columns named {repeated[0]!r}. Rename one of them.")
    try:
        return nw.from_native(data)
    except TypeError as error:
        raise DataError(
            f"The data is of type {type(data).__name__}, not a data frame or a path. "
            "A dict becomes a frame: pandas.DataFrame(...)."
        ) from error


def travels(data: Any) -> bool:
    """Whether data can go to another process: a path and a frame in memory can, a table of a connection cannot."""
    return data is None or is_path(data) or isinstance(_narwhals_frame(data), nw.DataFrame)


def _missing_column(name: str, present: list[str], formula: Formula | None) -> None:
    message = f"There is no column {name!r} in the data.{_nearest_column(name, present)}"
    if formula is None or name not in formula.places:
        raise DataError(message)
    raise FormulaError(message, formula.text, *formula.places[name])


def _nearest_column(name: str, present: list[str]) -> str:
    """What to do about a name that is not there: other characters for the same letters, and another separator, too."""
    plain = unicodedata.normalize("NFC", name)
    same = next((each for each in present if unicodedata.normalize("NFC", each) == plain), None)
    if same is not None:
        form = "NFC" if name == plain else "NFD"
        return (
            f" Its {same!r} looks the same but has other characters, {len(same)} in place of {len(name)}: accents that "
            f"stand for themselves, or do not. Make the data's names like yours: "
            f"data.columns = data.columns.str.normalize({form!r})."
        )
    return other_separator(present) or did_you_mean(name, present)

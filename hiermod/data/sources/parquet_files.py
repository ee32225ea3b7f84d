"""Parquet files in DuckDB: one schema, folders such as ``country=CA`` as columns, categories in pandas' order."""

from __future__ import annotations

import glob
import json
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as parquet

from hiermod.data.sources.connection import read_types, refuse_repeated, sql_list, sql_name, sql_text
from hiermod.errors import DataError

if TYPE_CHECKING:
    import duckdb

NO_VALUE = "__HIVE_DEFAULT_PARTITION__"  # how a folder is named whose key is missing


def open_parquet(
    connection: duckdb.DuckDBPyConnection, files: Sequence[str], base: str, columns: Collection[str] | None
) -> duckdb.DuckDBPyRelation:
    """Open Parquet files of one schema; folders below `base` that are named ``key=value`` are columns.

    Columns in which pandas stored its index are left out. Only `columns` (all where it is None) are given the order
    of their categories or, as names of folders, types.
    """
    schema = _common_schema(files)
    keys, above = _folder_keys(files[0], base, schema.names)
    _refuse_unread(schema, keys, columns or ())
    source = connection.sql(
        f"FROM read_parquet({sql_list(map(glob.escape, files))}, union_by_name = false, "
        f"hive_partitioning = {bool(keys)}, hive_types_autocast = false)"
    )
    if keys:
        known = (f"NULLIF({sql_name(key)}, {sql_text(NO_VALUE)}) AS {sql_name(key)}" for key in keys)
        source = source.project(f"* REPLACE ({', '.join(known)})")
    types = read_types(source, [key for key in keys if columns is None or key in columns])
    for name in _categoricals(schema):
        if (columns is None or name in columns) and (levels := _common_levels(files, name)):
            types[name] = f"ENUM({', '.join(map(sql_text, levels))})"
    kept = [name for name in source.columns if name not in _index_columns(schema) and name not in above]
    casts = {name: f"CAST({sql_name(name)} AS {kind}) AS {sql_name(name)}" for name, kind in types.items()}
    return source.project(", ".join(casts.get(name, sql_name(name)) for name in kept))


def ordered_columns(file: str) -> frozenset[str]:
    """The columns of a Parquet file that pandas wrote as ordered categoricals."""
    schema = parquet.read_schema(file)
    return frozenset(name for name in _categoricals(schema) if schema.field(name).type.ordered)


def _common_schema(files: Sequence[str]) -> pa.Schema:
    """The schema of the first file, once the others are known to have its columns."""
    first = parquet.read_schema(files[0])
    refuse_repeated(files[0], first.names)
    columns = {field.name: _plain(field.type) for field in first}
    for file in files[1:]:
        others = {field.name: _plain(field.type) for field in parquet.read_schema(file)}
        for name in (*columns, *others):
            if columns.get(name) != others.get(name):
                raise DataError(
                    f"The files differ in the column {name!r}: {_holding(columns.get(name))} in {files[0]!r}, "
                    f"{_holding(others.get(name))} in {file!r}. Write them with the same columns."
                )
    return first


def _plain(kind: pa.DataType) -> str:
    """The name of a type, whether encoded or not, and however long its texts may become."""
    if pa.types.is_dictionary(kind):
        return _plain(kind.value_type)
    return str(kind).removeprefix("large_").removesuffix("_view")


def _holding(kind: str | None) -> str:
    return "none" if kind is None else f"it holds {kind}"


def _folder_keys(file: str, base: str, names: Sequence[str]) -> tuple[list[str], list[str]]:
    """The keys of folders below `base`, which are columns, and of folders above, which DuckDB would read too."""

    def keys_of(path: Path) -> list[str]:
        return [folder.partition("=")[0] for folder in path.parts[:-1] if "=" in folder]

    keys = keys_of(Path(file).relative_to(base))
    above = [key for key in keys_of(Path(file)) if key not in keys] if keys else []
    clash = [key for key in above if key in names]
    if clash:
        raise DataError(f"The column {clash[0]!r} has the name of a folder above {base!r}. Rename one of them.")
    return keys, above


def _refuse_unread(schema: pa.Schema, keys: Sequence[str], columns: Collection[str]) -> None:
    """Refuse needed columns that stand in two places, or of which DuckDB reads something else."""
    for field in schema:
        if field.name in columns and field.name in keys:
            raise DataError(
                f"The column {field.name!r} stands in the files and in the names of their folders. Rename one."
            )
        if field.name in columns and pa.types.is_duration(field.type):
            raise DataError(
                f"The column {field.name!r} holds durations, which are not read. Add a column of numbers of seconds."
            )


def _pandas_notes(schema: pa.Schema) -> dict[str, list[object]]:
    return json.loads((schema.metadata or {}).get(b"pandas", b"{}"))


def _index_columns(schema: pa.Schema) -> list[object]:
    return _pandas_notes(schema).get("index_columns", [])


def _categoricals(schema: pa.Schema) -> list[str]:
    """Columns of categories in an order; without pandas, the order in a file is that of first appearance."""
    return [field.name for field in schema if _pandas_notes(schema) and pa.types.is_dictionary(field.type)]


def _common_levels(files: Sequence[str], name: str) -> list[str]:
    """The levels of a categorical column in order; none if the files' levels differ and are merely sorted."""
    by_file = {file: stored for file in files if (stored := _levels(file, name)) is not None}
    if not by_file:
        return []
    file, first = next(iter(by_file.items()))
    other = next((other for other, stored in by_file.items() if stored != first), None)
    if other is None:
        return first[0]
    if any(ordered or levels != sorted(levels) for levels, ordered in by_file.values()):
        raise DataError(
            f"The files differ in the levels of {name!r} or their order: {file!r} and {other!r}. "
            "Write them with the same categories, or as text."
        )
    return []


def _levels(file: str, name: str) -> tuple[list[str], bool] | None:
    """The dictionaries of a column's row groups, one after the other, of which one row is read; None without rows."""
    with parquet.ParquetFile(file) as stored:
        kind = stored.schema_arrow.field(name).type
        if stored.metadata.num_rows == 0:
            return None
        if not pa.types.is_dictionary(kind):
            return [], False
        levels: dict[str, None] = {}
        for group in range(stored.num_row_groups):
            for batch in stored.iter_batches(batch_size=1, row_groups=[group], columns=[name]):
                levels.update(dict.fromkeys(batch.column(name).dictionary.to_pylist()))
                break
        return list(levels), kind.ordered

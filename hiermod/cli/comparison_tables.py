"""Tables of comparisons as CSV, JSON and Markdown; a file is replaced only when the new one is complete."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from hiermod.answers.comparison import ModelComparison

COLUMNS = ("rank", "elpd", "se", "p", "elpd_diff", "dse", "p_worse", "weight", "verdict")


def with_failures(found: ModelComparison | None, failed: Mapping[str, str]) -> pd.DataFrame:
    """The rows of one comparison; models that could not be fitted stand last, and their verdict says why."""
    rows = (
        []
        if found is None
        else [{"model": name, **row} for name, row in found.table[list(COLUMNS)].to_dict("index").items()]
    )
    rows += [{"model": name, "verdict": f"not compared: {why.splitlines()[0]}"} for name, why in failed.items()]
    table = pd.DataFrame(rows, columns=["model", *COLUMNS])
    return table.astype({"rank": "Int64"})


def write_tables(path: Path, tables: Mapping[str, pd.DataFrame], cautions: Mapping[str, str]) -> None:
    """Write all comparisons to one file."""
    many = len(tables) > 1 or "" not in tables
    if path.suffix == ".json":
        text = (
            json.dumps([_as_json(name, own, cautions.get(name, "")) for name, own in tables.items()], indent=2) + "\n"
        )
    elif path.suffix == ".csv":
        parts = [own.assign(comparison=name, caution=cautions.get(name, "")) for name, own in tables.items()]
        columns = [*(["comparison"] if many else []), *parts[0].columns.drop("comparison")]
        text = pd.concat(parts)[columns].to_csv(index=False)
    else:
        text = "\n".join(_as_markdown(name, own, cautions.get(name, "")) for name, own in tables.items())
    partial = path.with_name(path.name + ".partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)


def _as_json(name: str, table: pd.DataFrame, caution: str) -> dict[str, Any]:
    models = [{key: _plain(value) for key, value in row.items()} for row in table.to_dict("records")]
    return {"comparison": name, "caution": caution, "models": models}


def _plain(value: Any) -> Any:
    if value is pd.NA or (isinstance(value, float) and not math.isfinite(value)):
        return None
    return value.item() if hasattr(value, "item") else value


def _as_markdown(name: str, table: pd.DataFrame, caution: str) -> str:
    def cell(value: Any) -> str:
        value = _plain(value)
        text = "" if value is None else f"{value:.2f}" if isinstance(value, float) else str(value)
        return text.replace("|", "\\|")

    lines = [f"## {name}", ""] if name else []
    lines += [f"| {' | '.join(table.columns)} |", "|" + " --- |" * len(table.columns)]
    lines += [f"| {' | '.join(map(cell, row))} |" for row in table.itertuples(index=False)]
    return "\n".join([*lines, *(["", caution] if caution else []), ""])

"""Cells as arrays and JSON, and back; levels keep their types."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict, fields
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from hiermod.data.cells import Cells, Source
from hiermod.data.levels import Level, as_levels, level_series
from hiermod.data.predictors import Basis, Factor, Grouping, Numeric, Predictor
from hiermod.data.recipes import Recipe
from hiermod.data.statistics import BinomialCells, CountCells, RealCells
from hiermod.formula.nodes import Formula

RESPONSES = {kind.__name__: kind for kind in (BinomialCells, CountCells, RealCells)}


def cells_to_dataset(cells: Cells) -> tuple[xr.Dataset, dict[str, Any]]:
    """The arrays of cells, and a JSON-ready description of the rest."""
    arrays: dict[str, np.ndarray] = {}
    columns = []
    for place, name in enumerate(cells.frame.columns):
        column = cells.frame[name]
        coded = isinstance(column.dtype, pd.CategoricalDtype)
        arrays[f"column_{place}"] = column.cat.codes.to_numpy().astype(np.int64) if coded else column.to_numpy()
        columns.append({"name": name, "levels": _levels_out(as_levels(column.cat.categories)) if coded else None})
    for part in fields(cells.response):
        arrays[f"response_{part.name}"] = getattr(cells.response, part.name)
    groupings = []
    for place, grouping in enumerate(cells.groupings.values()):
        arrays[f"grouping_{place}"] = grouping.combinations.ravel()
        groupings.append([[name, _levels_out(levels)] for name, levels in grouping.columns.items()])
    description = {
        "columns": columns,
        "response": type(cells.response).__name__,
        "predictors": [_predictor_out(predictor) for predictor in cells.predictors.values()],
        "groupings": groupings,
        "recipes": {name: _state_out(recipe.states) for name, recipe in cells.recipes.items()},
        "source": asdict(cells.source),
    }
    return xr.Dataset({name: (f"{name}_dim", values) for name, values in arrays.items()}), description


def cells_from_dataset(dataset: xr.Dataset, description: dict[str, Any], formula: Formula) -> Cells:
    """Cells from what `cells_to_dataset` gave."""
    columns = {}
    for place, column in enumerate(description["columns"]):
        values = dataset[f"column_{place}"].to_numpy()
        coded = column["levels"] is not None
        columns[column["name"]] = level_series(values, _levels_in(column["levels"])) if coded else values
    kind: Any = RESPONSES[description["response"]]
    response = kind(**{part.name: dataset[f"response_{part.name}"].to_numpy() for part in fields(kind)})
    groupings = {}
    for place, stored in enumerate(description["groupings"]):
        levels = {name: _levels_in(own) for name, own in stored}
        combinations = dataset[f"grouping_{place}"].to_numpy().reshape(-1, len(levels))
        grouping = Grouping(levels, combinations)
        groupings[grouping.name] = grouping
    predictors = {predictor.name: predictor for predictor in map(_predictor_in, description["predictors"])}
    frame = pd.DataFrame(columns, index=pd.RangeIndex(len(response.weight)))
    recipes = {
        name: Recipe(name, formula.expressions[name], _state_in(states))
        for name, states in description["recipes"].items()
    }
    return Cells(frame, response, predictors, groupings, recipes, Source(**description["source"]))


def _predictor_out(predictor: Predictor) -> dict[str, Any]:
    if isinstance(predictor, Numeric):
        return {"name": predictor.name, "integer": predictor.integer}
    if isinstance(predictor, Basis):
        return {"name": predictor.name, "count": predictor.count}
    return {"name": predictor.name, "levels": _levels_out(predictor.levels), "coding": predictor.coding}


def _predictor_in(stored: dict[str, Any]) -> Predictor:
    if "count" in stored:
        return Basis(stored["name"], stored["count"])
    if "levels" in stored:
        return Factor(stored["name"], _levels_in(stored["levels"]), stored["coding"])
    return Numeric(stored["name"], stored["integer"])


def _state_out(state: Any) -> Any:
    """What functions learned, ready for JSON; levels may be dates."""
    match state:
        case dict():
            return {"state": {key: _state_out(value) for key, value in state.items()}}
        case list() | tuple():
            return [_state_out(value) for value in state]
    return _level_out(state)


def _state_in(stored: Any) -> Any:
    match stored:
        case {"state": state}:
            return {key: _state_in(value) for key, value in state.items()}
        case list():
            return [_state_in(value) for value in stored]
    return _level_in(stored)


def _levels_out(levels: tuple[Level, ...]) -> list[Any]:
    return [_level_out(level) for level in levels]


def _level_out(level: Level) -> Any:
    if isinstance(level, dt.datetime):
        return {"datetime": level.isoformat()}
    return {"date": level.isoformat()} if isinstance(level, dt.date) else level


def _levels_in(stored: list[Any]) -> tuple[Level, ...]:
    return tuple(_level_in(level) for level in stored)


def _level_in(stored: Any) -> Level:
    match stored:
        case {"datetime": text}:
            return dt.datetime.fromisoformat(text)
        case {"date": text}:
            return dt.date.fromisoformat(text)
    return stored

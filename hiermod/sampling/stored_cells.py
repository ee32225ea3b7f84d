"""Cells as arrays and JSON, and back; levels keep their types."""

from __future__ import annotations

import datetime as dt
from dataclasses import fields
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from hiermod.data.cells import statistics
from hiermod.data.cells.kept import Kept
from hiermod.data.cells.table import Cells, Source
from hiermod.data.columns.functions import Recipe
from hiermod.data.columns.groupings import Grouping
from hiermod.data.columns.moments import Moments
from hiermod.data.columns.predictors import Basis, Factor, Numeric, Predictor, Steps
from hiermod.data.columns.values import Level, as_levels, level_series
from hiermod.formula.nodes import Formula

RESPONSES: dict[str, type[statistics.ResponseCells]] = {
    "trials": statistics.BinomialCells, "count": statistics.CountCells, "real": statistics.RealCells,
    "moments": statistics.MomentCells, "values": statistics.ValueCells, "pairs": statistics.PairCells,
    "categories": statistics.CategoryCells, "tallies": statistics.TallyCells,
    "measured": statistics.MeasuredCells, "errors": statistics.ErrorCells,
    "bounds": statistics.BoundedCells,
}  # fmt: skip


DESCRIBED = ("moments", "levels", "kept")  # no arrays
SOURCE = ("rows", "missing", "without_trials", "fingerprint")
ROW = "row_"


def cells_to_dataset(cells: Cells) -> tuple[xr.Dataset, dict[str, Any]]:
    """The arrays of cells, and a JSON-ready description of the rest."""
    arrays: dict[str, np.ndarray] = {}
    columns = []
    for place, name in enumerate(cells.frame.columns):
        column = cells.frame[name]
        coded = isinstance(column.dtype, pd.CategoricalDtype)
        arrays[f"column_{place}"] = column.cat.codes.to_numpy().astype(np.int64) if coded else column.to_numpy()
        columns.append({"name": name, "levels": _levels_out(as_levels(column.cat.categories)) if coded else None})
    for name, values in _statistics_out(cells.response).items():
        arrays[f"response_{name}"] = values
    groupings = []
    for place, grouping in enumerate(cells.groupings.values()):
        arrays[f"grouping_{place}"] = grouping.combinations.ravel()
        if grouping.standing_for is not None:
            arrays[f"grouping_{place}_standing_for"] = grouping.standing_for
        groupings.append([[name, _levels_out(levels)] for name, levels in grouping.columns.items()])
    arrays |= {f"behind_{place}": cells.behind.iloc[:, place].to_numpy() for place in range(cells.behind.shape[1])}
    description = {
        "columns": columns,
        "behind": list(cells.behind),
        "response": next(name for name, kind in RESPONSES.items() if kind is type(cells.response)),
        "moments": _moments_out(cells.response),
        "levels": _levels_out(cells.response.levels) if isinstance(cells.response, statistics.CategoryCells) else None,
        "predictors": [_predictor_out(predictor) for predictor in cells.predictors.values()],
        "groupings": groupings,
        "recipes": {name: _state_out(recipe.states) for name, recipe in cells.recipes.items()},
        "source": {name: getattr(cells.source, name) for name in SOURCE},
    }
    variables = {
        name: ([f"{name}_dim_{axis}" for axis in range(values.ndim)], values) for name, values in arrays.items()
    }
    return xr.Dataset(variables), description


def cells_from_dataset(dataset: xr.Dataset, description: dict[str, Any], formula: Formula) -> Cells:
    """Cells from what `cells_to_dataset` gave."""
    columns = {}
    for place, column in enumerate(description["columns"]):
        values = dataset[f"column_{place}"].to_numpy()
        coded = column["levels"] is not None
        columns[column["name"]] = level_series(values, _levels_in(column["levels"])) if coded else values
    kind: Any = RESPONSES[description["response"]]
    response = _statistics_in(kind, dataset, description)
    groupings = {}
    for place, stored in enumerate(description["groupings"]):
        levels = {name: _levels_in(own) for name, own in stored}
        combinations = dataset[f"grouping_{place}"].to_numpy().reshape(-1, len(levels))
        standing_for = f"grouping_{place}_standing_for"
        grouping = Grouping(levels, combinations, dataset[standing_for].to_numpy() if standing_for in dataset else None)
        groupings[grouping.name] = grouping
    predictors = {predictor.name: predictor for predictor in map(_predictor_in, description["predictors"])}
    frame = pd.DataFrame(columns, index=pd.RangeIndex(len(response.weight)))
    behind = {name: dataset[f"behind_{place}"].to_numpy() for place, name in enumerate(description.get("behind", []))}
    recipes = {
        name: Recipe(name, formula.expressions[name], _state_in(states))
        for name, states in description["recipes"].items()
    }
    rows, missing, without_trials, fingerprint = (description["source"][name] for name in SOURCE)
    source = Source(rows, missing, without_trials, partial(str, fingerprint))
    return Cells(frame, response, predictors, groupings, recipes, source, pd.DataFrame(behind))


def _statistics_out(response: statistics.ResponseCells) -> dict[str, np.ndarray]:
    arrays = {part.name: getattr(response, part.name) for part in fields(response) if part.name not in DESCRIBED}
    arrays |= {f"{ROW}{name}": part for name, part in response.kept.parts.items()} | {"rows": response.rows}
    if isinstance(response, statistics.MomentCells):
        arrays |= {"feature_mean": response.moments.mean, "feature_cross": response.moments.cross}
    return arrays


def _moments_out(response: statistics.ResponseCells) -> dict[str, Any] | None:
    if not isinstance(response, statistics.MomentCells):
        return None
    moments = response.moments
    return {"features": [list(own) for own in moments.features], "centres": dict(moments.centres)}


def _statistics_in(kind: Any, dataset: xr.Dataset, description: dict[str, Any]) -> Any:
    plain = [part.name for part in fields(kind) if part.name not in DESCRIBED]
    stored = {str(name).removeprefix("response_"): values.to_numpy() for name, values in dataset.items()}
    rows = {name.removeprefix(ROW): values for name, values in stored.items() if name.startswith(ROW)}
    arrays: dict[str, Any] = {name: stored[name] for name in plain} | {"kept": Kept(rows, None, stored["rows"])}
    if issubclass(kind, statistics.CategoryCells):
        return kind(**arrays, levels=_levels_in(description["levels"]))
    if kind is not statistics.MomentCells:
        return kind(**arrays)
    features = tuple(tuple(own) for own in description["moments"]["features"])
    mean, cross = (dataset[f"response_feature_{name}"].to_numpy() for name in ("mean", "cross"))
    return statistics.MomentCells(**arrays, moments=Moments(features, description["moments"]["centres"], mean, cross))


def _predictor_out(predictor: Predictor) -> dict[str, Any]:
    if isinstance(predictor, Numeric):
        return {"name": predictor.name, "integer": predictor.integer}
    if isinstance(predictor, Steps):
        return {"name": predictor.name, "steps": _levels_out(predictor.levels)}
    if isinstance(predictor, Basis):
        return {"name": predictor.name, "count": predictor.count, "labels": list(predictor.named)}
    return {"name": predictor.name, "levels": _levels_out(predictor.levels), "coding": predictor.coding}


def _predictor_in(stored: dict[str, Any]) -> Predictor:
    if "steps" in stored:
        levels = _levels_in(stored["steps"])
        return Steps(stored["name"], len(levels) - 1, levels=levels)
    if "count" in stored:
        return Basis(stored["name"], stored["count"], tuple(stored.get("labels", ())))
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

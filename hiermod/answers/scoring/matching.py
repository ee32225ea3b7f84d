"""Which observation of a model each joint row is, by its columns and its response."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from hiermod.answers.averaging.rows import read_variables_again
from hiermod.data.cells.observations import Observations
from hiermod.data.columns.numbering import number_rows
from hiermod.data.columns.values import as_levels, encode
from hiermod.data.pushdown.tally import OWN
from hiermod.errors import HiermodError
from hiermod.modeling.protocol import ModelSpec

DIGITS = 10  # of what functions make of columns


@dataclass(frozen=True, eq=False)
class Joint:
    """Distinct joint rows: their columns, their responses, and how many rows each is."""

    frame: pd.DataFrame
    responses: np.ndarray
    times: np.ndarray


@dataclass(frozen=True, eq=False)
class Matched:
    """A model's observations, each once, and the place of each joint row among them."""

    seen: Observations
    place: np.ndarray


def matched(spec: ModelSpec, seen: Observations, joint: Joint) -> Matched | None:
    """A model's observations, each once, and the place of each joint row among them.

    None where the joint rows are others, or lack a column.
    """
    responses = joint.responses
    if responses.shape[1] == 1 and seen.responses.shape[1] == 2:  # 0/1 is one trial
        responses = np.column_stack([responses, np.ones(len(responses))])
    needed = _key_columns(spec, seen.frame)
    made = _variables(spec, joint.frame, needed)
    if made is None:
        return None
    of_model = seen.frame.iloc[seen.place].reset_index(drop=True)
    keys: dict[str, np.ndarray] = {}
    for name in needed:
        values = _comparable(spec, name, of_model[name], made[name])
        if values is None:
            return None
        keys[name] = values
    for column in range(responses.shape[1]):
        keys[f"{OWN}{column}"] = np.concatenate([seen.responses[:, column], responses[:, column]])
    number = number_rows(pd.DataFrame(keys))
    mine, theirs = number[: len(seen)], number[len(seen) :]
    size = int(number.max()) + 1
    if not np.array_equal(np.bincount(mine, seen.times, size), np.bincount(theirs, joint.times, size)):
        return None
    merged, place = seen.merged(mine)
    return Matched(merged, place[theirs])


def _key_columns(spec: ModelSpec, frame: pd.DataFrame) -> list[str]:
    """The columns that tell a model's observations apart: what variables are made of, where it is there."""
    names: list[str] = list(spec.formula.grouping_columns)
    averaged = set(spec.cells.averaged)
    for variable in spec.formula.variables:
        sources = spec.formula.sources[variable]
        plain = all(name in frame and name not in averaged for name in sources)
        names += sources if plain else spec.cells.predictors[variable].columns
    return list(dict.fromkeys(names))


def _variables(spec: ModelSpec, frame: pd.DataFrame, needed: Sequence[str]) -> pd.DataFrame | None:
    """The variables of a model on joint rows, None where some cannot be made of their columns."""
    wanted = {*predictor_columns(spec), *spec.formula.variables, *needed}
    raw = frame[[name for name in frame if name in wanted]]
    try:
        made = read_variables_again(spec, raw, spec.formula.variables)
    except HiermodError:  # a level that the model has not seen: other rows
        return None
    return made if set(needed) <= set(made) else None


def _comparable(spec: ModelSpec, name: str, of_model: pd.Series, joint: pd.Series) -> np.ndarray | None:
    """Numbers that are equal where the values of a column are, of the model's observations and of joint rows."""
    levels = _levels(spec, name, of_model)
    if levels is not None:
        codes = encode(joint, levels)
        return None if (codes < 0).any() else np.concatenate([encode(of_model, levels), codes])
    try:
        both = np.concatenate([of_model.to_numpy(dtype=float), joint.to_numpy(dtype=float)])
    except (TypeError, ValueError):
        return None
    if name in spec.formula.all_columns:
        return both
    largest = np.abs(both).max(initial=0.0)
    return np.round(both / largest, DIGITS) if largest else both


def _levels(spec: ModelSpec, name: str, values: pd.Series) -> tuple[Any, ...] | None:
    if isinstance(values.dtype, pd.CategoricalDtype):
        return as_levels(values.cat.categories)
    return next(
        (grouping.columns[name] for grouping in spec.cells.groupings.values() if name in grouping.columns), None
    )


def predictor_columns(spec: ModelSpec) -> tuple[str, ...]:
    """The columns that a model's predictors and groups are made of."""
    return (*spec.formula.predictor_columns, *spec.formula.grouping_columns)

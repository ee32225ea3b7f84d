"""The common refinement of several models' cells: distinct joint rows, and what each is to each model.

That models were fitted to the same rows is not believed but counted: every observation of every model must come out as
often as it was fitted.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from hiermod.answers.averaging.rows import read_variables_again
from hiermod.data.cells.observations import Observations, counted_columns, observations
from hiermod.data.cells.rows import bounded_response
from hiermod.data.cells.statistics import BinomialCells, BoundedCells, PairCells, TallyCells
from hiermod.data.columns.bounds import PARTS, BoundedRows
from hiermod.data.columns.levels import encode
from hiermod.data.columns.measured import MeasuredRows
from hiermod.data.columns.responses import ResponseRows, TallyRows, TrialsRows
from hiermod.data.columns.values import as_levels, first_of, missing_rows, missing_values, number_rows
from hiermod.data.pushdown.tally import PREFIX
from hiermod.data.sources.frames import column_names, read_columns
from hiermod.errors import AnswerError, HiermodError, did_you_mean, enumerate_names
from hiermod.formula.nodes import Formula, TrialsResponse
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
        keys[f"{PREFIX}{column}"] = np.concatenate([seen.responses[:, column], responses[:, column]])
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


OF_TABLES = ("value", "successes", "trials", "times", "fold", "elpd", "pareto_k", "refitted", "unreliable", "rows")


def column_of_table(name: str) -> str:
    """What a column of the data is called in a table that has names of its own."""
    return f"{name}_" if name in OF_TABLES else name


@dataclass(frozen=True, eq=False)
class Aligned:
    """Distinct joint rows: their columns, responses, how many rows each is, and what each is to each model.

    `names` are what responses hold, where they are counts of categories.
    """

    frame: pd.DataFrame
    responses: np.ndarray
    times: np.ndarray
    models: tuple[Matched, ...]
    names: tuple[str, ...] = ()

    def labels(self) -> pd.DataFrame:
        """The joint rows for a table: the models' columns, the response, and ``times``."""
        names = self.names or {1: ("value",), 2: ("successes", "trials"), 5: PARTS}[self.responses.shape[1]]
        frame = self.frame.rename(columns=column_of_table)
        return frame.assign(**dict(zip(names, self.responses.T, strict=True)), times=self.times)

    def groups(self, columns: Sequence[str]) -> tuple[np.ndarray, list[str]]:
        """The group of each joint row by some columns, and the groups' labels."""
        chosen = self.frame[list(columns)]
        keys = pd.DataFrame({name: _sorted_codes(chosen[name]) for name in columns})
        number = number_rows(keys)
        first = np.unique(number, return_index=True)[1]
        return number, [":".join(map(str, chosen.iloc[row])) for row in first]


def align(specs: Mapping[str, ModelSpec], data: Any, columns: Sequence[str] = ()) -> Aligned:
    """Find the common refinement of the cells of several models.

    Parameters
    ----------
    specs : mapping by name
    data : data frame or path, optional
        The rows, for models none of which holds all columns of the others.
    columns : sequence of str
        Columns that the joint rows must have, such as those of a group.

    Raises
    ------
    AnswerError
        If the models are of different rows or responses, or rows are needed that are not there.
    """
    check_responses(specs)
    check_rows(specs)
    seen = {name: observations(spec.cells, spec.family.counts) for name, spec in specs.items()}
    counted = next(iter(specs.values())).cells.response
    names = tuple(counted_columns(counted)) if isinstance(counted, TallyCells) else ()
    for finest in seen.values():
        if set(columns) <= set(finest.frame):
            joint = Joint(finest.frame.iloc[finest.place].reset_index(drop=True), finest.responses, finest.times)
            models = [rows for name, spec in specs.items() if (rows := matched(spec, seen[name], joint))]
            if len(models) == len(specs):
                return Aligned(joint.frame, joint.responses, joint.times, tuple(models), names)
    if data is None:
        _refuse_unknown(specs, columns, {str(name) for rows in seen.values() for name in rows.frame})
        raise AnswerError(
            "These models see different columns, so that their rows can only be paired by the data, which stored fits "
            "do not hold. Give it: hm.compare(..., data=frame)."
        )
    joint = _read(specs, data, columns)
    models = []
    for name, spec in specs.items():
        rows = matched(spec, seen[name], joint)
        if rows is None:
            raise AnswerError(_other_rows(specs, name, joint, data, columns))
        models.append(rows)
    return Aligned(joint.frame, joint.responses, joint.times, tuple(models), names)


def check_responses(specs: Mapping[str, ModelSpec]) -> None:
    """Refuse models whose densities are not of the same numbers, on the same scale.

    Raises
    ------
    AnswerError
        Naming two of them, and what differs.
    """
    (first, one), *others = specs.items()
    for name, other in others:
        if _measure(one) != _measure(other) or not _same_response(one.formula, other.formula):
            raise AnswerError(
                f"{first!r} and {name!r} have different responses: {one.formula.left} ({one.family}, "
                f"{_measure(one)}) and {other.formula.left} ({other.family}, {_measure(other)}). Their scores are of "
                "different things; compare models of one response."
            )
        if one.cells.source.rows != other.cells.source.rows:
            raise AnswerError(
                f"{first!r} was fitted to {one.cells.source.rows:,} rows, {name!r} to {other.cells.source.rows:,}. "
                f"{_missing_hint(one, other)}"
            )


def check_rows(specs: Mapping[str, ModelSpec]) -> None:
    """Refuse models whose rows are not known.

    Raises
    ------
    AnswerError
        Naming one of them.
    """
    for name, spec in specs.items():
        if not spec.cells.rows_kept:
            raise AnswerError(
                f"The rows of {name!r} were aggregated where the data is: only their cells are known here, and rows "
                "are compared. Leave out whole groups (method='logo', score='joint'), or fit a sample of the rows that "
                "fits in memory."
            )


def _same_response(one: Formula, other: Formula) -> bool:
    """Successes out of trials may be spelled differently: what they hold is compared row by row.

    An exposure ``y | rate(t)`` is part of the model, as an offset is.
    """
    trials = isinstance(one.response, TrialsResponse) and isinstance(other.response, TrialsResponse)
    errors = (None if each.measured is None else each.measured.expression for each in (one, other))
    if len(set(errors)) > 1 or (one.bounds is None) != (other.bounds is None):
        return False
    return one.weights == other.weights and (trials or str(one.response) == str(other.response))


def _measure(spec: ModelSpec) -> str:
    """What a density is of."""
    if isinstance(spec.cells.response, BinomialCells | PairCells):
        return "probabilities of successes"
    if isinstance(spec.cells.response, TallyCells):
        return "probabilities of counts of categories"
    if isinstance(spec.cells.response, BoundedCells):
        return "probabilities of what bounds say"
    return spec.family.measure


def _missing_hint(one: ModelSpec, other: ModelSpec) -> str:
    here, there = (set(spec.formula.all_columns) for spec in (one, other))
    names = sorted(here ^ there)
    if (one.cells.source.missing or other.cells.source.missing) and names:
        return (
            f"Rows with missing values were left out, and the models differ in {enumerate_names(names)}. Drop these "
            "rows before both fits."
        )
    return "Fit both to the same rows."


def _read(specs: Mapping[str, ModelSpec], data: Any, columns: Sequence[str]) -> Joint:
    """Distinct rows of all columns, complete in all of them."""
    names = {name: None for spec in specs.values() for name in spec.formula.all_columns}
    _refuse_unknown(specs, (*names, *columns), column_names(data))
    raw = read_columns(data, tuple(dict.fromkeys([*names, *columns])))
    raw = raw[~missing_rows(raw)].reset_index(drop=True)
    first = next(iter(specs.values()))
    response = bounded_response(first.formula, raw)
    kept = response.weight > 0
    response = response.chosen(kept)
    predictors = {name for spec in specs.values() for name in predictor_columns(spec)}
    frame = raw.loc[kept, [name for name in raw if name in predictors or name in columns]].reset_index(drop=True)
    return _distinct(frame, _numbers(response, bool(first.family.categories)), response.times)


def _refuse_unknown(specs: Mapping[str, ModelSpec], names: Sequence[str], known: Collection[str]) -> None:
    for name in names:
        if name not in known:
            groupings = [factor for spec in specs.values() for factor in spec.cells.groupings]
            near = did_you_mean(name, dict.fromkeys([*known, *groupings]))
            raise AnswerError(f"The data has no column {name!r}, which the comparison needs.{near}")


def _distinct(frame: pd.DataFrame, responses: np.ndarray, times: np.ndarray) -> Joint:
    keys: dict[str, np.ndarray] = {str(name): _sorted_codes(frame[name]) for name in frame}
    numbers = {f"{PREFIX}{place}": values for place, values in enumerate(responses.T)}
    number = number_rows(pd.DataFrame({**keys, **numbers}))
    first = first_of(number)
    return Joint(
        frame.iloc[first].reset_index(drop=True), responses[first], np.bincount(number, times).astype(np.int64)
    )


def _numbers(response: ResponseRows, of_categories: bool) -> np.ndarray:
    if isinstance(response, TrialsRows):
        return np.column_stack([response.successes, response.trials])
    if isinstance(response, TallyRows):
        return response.counts
    if isinstance(response, MeasuredRows):
        return np.column_stack([response.values, response.error])
    if isinstance(response, BoundedRows):
        return np.column_stack(list(response.parts.values()))
    return (response.places if of_categories else response.values)[:, None]


def _other_rows(specs: Mapping[str, ModelSpec], name: str, joint: Joint, data: Any, columns: Sequence[str]) -> str:
    rows, fitted = int(joint.times.sum()), specs[name].cells.source.rows
    of_models = dict.fromkeys(column for spec in specs.values() for column in spec.formula.all_columns)
    raw = read_columns(data, tuple(dict.fromkeys([*of_models, *columns])))
    missing = [column for column in raw if missing_values(raw[column]).any()]
    if rows != fitted and missing:
        return (
            f"{name!r} was fitted to {fitted:,} rows, and {rows:,} rows are complete in all columns that are "
            f"needed; values are missing in {enumerate_names(missing)}. Drop these rows before all fits."
        )
    return (
        f"{name!r} was fitted to other rows than these: {fitted:,} rows there, {rows:,} here, which differ in the "
        f"response or in {enumerate_names(specs[name].formula.all_columns[1:] or ['nothing else'])}. Fit "
        "all models to one data."
    )


def _sorted_codes(values: pd.Series) -> np.ndarray:
    if isinstance(values.dtype, pd.CategoricalDtype):
        return values.cat.codes.to_numpy().astype(np.int64)
    return pd.factorize(values, sort=True)[0].astype(np.int64)

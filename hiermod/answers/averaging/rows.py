"""The rows that an answer averages over or predicts: the fitted cells, or a user's own rows read as those were."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from hiermod.answers.group_effects import Groups, Reading
from hiermod.answers.reader import per_exposure
from hiermod.data.cells.statistics import BoundedCells, MeasuredCells
from hiermod.data.columns.levels import as_fitted
from hiermod.data.columns.measured import read_errors
from hiermod.data.columns.predictors import Factor, apply_recipe
from hiermod.data.columns.responses import read_counts
from hiermod.data.columns.values import Level, Values, as_levels, kind_of, level_series, missing_rows
from hiermod.data.sources.frames import column_names, has_columns, read_columns
from hiermod.errors import AnswerError, DataError, enumerate_names
from hiermod.formula.nodes import CountsResponse, Measured, TrialsResponse
from hiermod.modeling.design import offset
from hiermod.modeling.protocol import ModelSpec


@dataclass(frozen=True, eq=False)
class Base:
    """Rows to average over, with their weights; `averaged` columns are means over several rows already.

    `counts` says how many rows or trials each stands for; its weight where it is None.
    """

    frame: pd.DataFrame
    weight: np.ndarray
    averaged: tuple[str, ...] = ()
    counts: np.ndarray | None = None

    @property
    def size(self) -> np.ndarray:
        """How many rows or trials each stands for, or what it weighs in `data`."""
        return self.weight if self.counts is None else self.counts

    def only(self, kept: np.ndarray) -> Base:
        """Some of the rows."""
        counts = None if self.counts is None else self.counts[kept]
        return replace(self, frame=self.frame[kept].reset_index(drop=True), weight=self.weight[kept], counts=counts)


def base_rows(
    spec: ModelSpec, data: Any, weights: Any, needed: Sequence[str], groups: Groups, setting: Sequence[str] = ()
) -> Base:
    """The fitted cells, or the rows of `data` read as the model reads them.

    `data` need not have the columns in `setting`, each of whose levels every row is set to. Where cells average over
    such a column, or one that is `needed`, the rows behind them are taken.
    """
    if data is None:
        if weights is not None:
            raise AnswerError("weights= names a column of data=, which is not given.")
        return _fitted(spec, (*needed, *setting))
    if weights is not None and not isinstance(weights, str):
        raise AnswerError(f"weights={weights!r}: the name of a column of data= is needed.")
    frame = new_rows(spec, data, needed, groups, setting)
    weight = _own_weights(spec, data, len(frame)) if weights is None else _read_weights(data, weights)
    return Base(frame, weight)


def _fitted(spec: ModelSpec, named: Sequence[str]) -> Base:
    cells = spec.cells
    if set(named).isdisjoint(cells.differing):
        weight = cells.response.weight
        return Base(cells.frame, weight * exposure(spec, cells.frame), cells.averaged, weight)
    frame, _ = cells.observations()
    return Base(frame, cells.response.row_times * exposure(spec, frame), (), cells.response.row_times)


def exposure(spec: ModelSpec, frame: pd.DataFrame) -> np.ndarray:
    """What rows of counts weigh: their exposure; one in other models, and of offsets that are not there."""
    names = spec.formula.offsets
    if not per_exposure(spec) or not set(names) <= set(frame.columns):
        return np.ones(len(frame))
    return np.asarray(np.exp(offset(names, frame)))


def has_raw_means(spec: ModelSpec) -> bool:
    """Whether averages of responses as they are say what is modelled; of censored ones they do not."""
    return not isinstance(spec.cells.response, BoundedCells)


def grand_rate(spec: ModelSpec) -> float:
    """The raw mean over all cells, by their weights, or the precision of known errors; per unit of exposure."""
    response = spec.cells.response
    if isinstance(response, MeasuredCells):
        return float(np.average(response.mean, weights=response.precision))
    weight = response.weight * exposure(spec, spec.cells.frame)
    return float(response.weight @ response.mean / weight.sum())


def new_rows(
    spec: ModelSpec,
    data: Any,
    needed: Sequence[str],
    groups: Groups,
    setting: Sequence[str] = (),
    exposed: bool = False,
) -> pd.DataFrame:
    """The variables of new rows, the columns behind them, and the groups.

    Columns in `setting` are read where `data` has them; so are groups that are not `needed`. The offset of a log link,
    an exposure, is read where `exposed` says so.
    """
    formula = spec.formula
    left_out = () if exposed or not per_exposure(spec) else formula.offsets
    variables = [name for name in formula.variables if name not in left_out]
    names = [
        *(name for variable in variables if variable not in setting for name in formula.sources[variable]),
        *needed,
    ]
    observed = {
        name
        for factor in spec.cells.groupings.values()
        if groups[factor.name] is Reading.OBSERVED
        for name in factor.columns
    }
    names += [name for name in formula.grouping_columns if name in observed]
    present = set(column_names(data))
    wanted = [name for name in dict.fromkeys(names) if name in present or name not in setting]
    wanted = [name for name in wanted if name not in formula.expressions]
    wanted += [name for name in formula.grouping_columns if name in present and name not in wanted]
    raw = read_columns(data, tuple(wanted))
    _refuse_missing(raw)
    return read_variables_again(spec, raw, variables)


def _refuse_missing(raw: pd.DataFrame) -> None:
    if not len(raw):
        raise DataError("data= has no rows.")
    if len(raw.columns) and (missing := missing_rows(raw)).any():
        which = [name for name in raw.columns if missing_rows(raw[[name]]).any()]
        raise DataError(
            f"data= has missing values in {missing.sum()} rows, in {enumerate_names(which)} "
            f"(the first is row {np.flatnonzero(missing)[0]}). Fill or drop those rows."
        )


def read_variables_again(spec: ModelSpec, raw: pd.DataFrame, variables: Sequence[str]) -> pd.DataFrame:
    """Code rows as the fitted ones; unknown levels of predictors are refused, of groups kept as they are.

    Variables whose columns are not there are left out.
    """
    predictors, recipes = spec.cells.predictors, spec.cells.recipes
    columns = {name: predictors[name].column(raw[name]) if name in predictors else raw[name] for name in raw.columns}
    for name, levels in _fitted_levels(spec).items():
        if name in raw and name not in predictors:
            columns[name] = as_fitted(raw[name], levels)
    for name in variables:
        if name in recipes and set(recipes[name].sources) <= set(raw.columns):
            columns |= apply_recipe(recipes[name], predictors[name], raw)
    return pd.DataFrame(columns, index=pd.RangeIndex(len(raw)))


def _fitted_levels(spec: ModelSpec) -> dict[str, tuple[Level, ...]]:
    """The levels of the columns that hold some, predictors aside."""
    frame = spec.cells.frame
    coded = [name for name in frame.columns if isinstance(frame[name].dtype, pd.CategoricalDtype)]
    levels = {name: as_levels(frame[name].cat.categories) for name in coded if name not in spec.cells.predictors}
    for grouping in spec.cells.groupings.values():
        levels |= grouping.columns
    return levels


def with_levels(spec: ModelSpec, base: Base, chosen: Mapping[str, Sequence[Level]], times: int = 1) -> pd.DataFrame:
    """The rows so many times, each time with each chosen column at one of its levels; what is made of it follows."""
    frame, size = base.frame, len(base.frame)
    if times != 1:
        frame = frame.iloc[np.tile(np.arange(size), times)].reset_index(drop=True)
    for name, levels in chosen.items():
        frame = with_column(frame, name, _throughout(spec, name, levels, size))
    for name, recipe in spec.cells.recipes.items():
        unused = per_exposure(spec) and name in spec.formula.offsets
        if set(recipe.sources).isdisjoint(chosen) or name in chosen or unused:
            continue
        absent = [source for source in recipe.sources if source not in frame or source in base.averaged]
        if absent:
            raise AnswerError(
                f"{name} follows from {enumerate_names(recipe.sources)}, and {absent[0]!r} differs within cells. "
                "Fit with compress=False, or give rows with data=."
            )
        for column, values in apply_recipe(recipe, spec.cells.predictors[name], frame).items():
            frame = with_column(frame, column, values)
    return frame


def _throughout(spec: ModelSpec, name: str, chosen: Sequence[Level], rows: int) -> Any:
    """Each of the chosen levels for so many rows."""
    if is_numeric(spec, name):
        return np.repeat(np.array(chosen), rows)
    predictor = spec.cells.predictors.get(name)
    levels = predictor.levels if isinstance(predictor, Factor) else as_levels(spec.cells.frame[name].cat.categories)
    places = {level: place for place, level in enumerate(levels)}
    if not places.keys() >= set(chosen):  # a group that the fitted data did not have
        return np.repeat(np.array([*chosen, None], dtype=object)[:-1], rows)
    return level_series(np.repeat([places[level] for level in chosen], rows), levels)


def is_numeric(spec: ModelSpec, name: str) -> bool:
    """Whether a column holds numbers, not levels; those that differ within cells are numbers."""
    return name not in spec.cells.frame or not isinstance(spec.cells.frame[name].dtype, pd.CategoricalDtype)


def with_column(frame: pd.DataFrame, name: str, values: Any) -> pd.DataFrame:
    """A copy of `frame` with one column new or changed, whatever its name (`assign` cannot take ``self``)."""
    copy = frame.copy(deep=False)
    copy[name] = values
    return copy


def _own_weights(spec: ModelSpec, data: Any, rows: int) -> np.ndarray:
    """A row weighs its trials or its frequency weight, where the model has them and `data` too; else one."""
    response, frequency = spec.formula.response, spec.formula.weights
    if frequency is not None and has_columns(data, [frequency]):
        return _read_weights(data, frequency)
    if per_exposure(spec):
        return _exposure_of(spec, data, rows)
    if not isinstance(response, TrialsResponse | CountsResponse) or not has_columns(data, response.trials.columns):
        return np.ones(rows)
    trials = trials_of(response, data, rows)
    if not trials.any():
        raise DataError(f"data= has no trials: {response.trials} is 0 in every row.")
    return trials


def _exposure_of(spec: ModelSpec, data: Any, rows: int) -> np.ndarray:
    """The exposure of rows of new data, one where they do not say it."""
    names = spec.formula.offsets
    behind = list(dict.fromkeys(source for name in names for source in spec.formula.sources[name]))
    if not has_columns(data, behind):
        return np.ones(rows)
    raw = read_columns(data, tuple(behind))
    _refuse_missing(raw)
    return exposure(spec, read_variables_again(spec, raw, names))


def trials_of(response: TrialsResponse | CountsResponse, data: Any, rows: int) -> np.ndarray:
    """The trials of each row of new data."""
    names = response.trials.columns
    frame = read_columns(data, names) if names else pd.DataFrame(index=pd.RangeIndex(rows))
    if names and missing_rows(frame).any():
        raise DataError(f"The trials of data=, {response.trials}, are missing in some rows. Fill or drop those rows.")
    return read_counts(response.trials, frame)


def errors_of(spec: ModelSpec, measured: Measured, data: Any) -> np.ndarray:
    """The known error of each row of new data, or of the fitted cells."""
    if data is None:
        response = spec.cells.response
        assert isinstance(response, MeasuredCells)
        return response.error
    names = measured.expression.columns
    frame = read_columns(data, names)
    if missing_rows(frame).any():
        raise DataError(f"{measured} of data= is missing in some rows. Fill or drop those rows.")
    return read_errors(measured, frame)


def _read_weights(data: Any, weights: str) -> np.ndarray:
    column = read_columns(data, (weights,))[weights]
    if (texts := Values(weights, column).texts) is not None:
        texts.refuse_as_numbers(f"The column {weights!r} of weights", ", no numbers")
    if kind_of(column) not in ("int", "float", "bool"):
        raise DataError(f"The weights in {weights!r} hold {kind_of(column)}, not numbers.")
    values = column.to_numpy(dtype=float, na_value=np.nan)
    wrong = np.flatnonzero(~(np.isfinite(values) & (values >= 0)))
    if len(wrong) or not values.any():
        where = f"; row {wrong[0]} has {values[wrong[0]]:g}" if len(wrong) else "; they are"
        raise DataError(f"The weights in {weights!r} must be finite numbers from 0 on, not all of them 0{where}.")
    return values

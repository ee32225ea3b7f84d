"""Centring of numeric predictors: which can be centred, and the exact map between both codings.

With `c` the centred and `b` the user's coefficients, ``c = b + S b``: `S` adds to a column's coefficient those of
the columns that hold its predictors times others, each weighted by the centres of those others. `S` links columns of
fewer numeric predictors to columns of more, so its determinant plays no part in a density.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from hiermod.data.columns.predictors import Factor, Predictor
from hiermod.modeling.coding import Block, Column

Combination = dict[Column, float]
LARGEST_SYSTEM = 1e6
EXACT = 1e-10


def choose_centres(
    blocks: Sequence[Block], predictors: Mapping[str, Predictor], means: Mapping[str, float]
) -> dict[str, float]:
    """Return the predictors of `means` that can be centred without changing what the model can express."""
    columns = {column for block in blocks for column in block.columns}
    failing = {
        name
        for column in columns
        for name in column.numerics
        if _express(_without(column, (name,)), columns, predictors) is None
    }
    return {name: mean for name, mean in means.items() if name not in failing}


def shift_matrix(
    blocks: Sequence[Block], predictors: Mapping[str, Predictor], centres: Mapping[str, float]
) -> np.ndarray:
    """The matrix `S` of shape ``(columns, columns)``, in the order of the blocks' columns."""
    ordered = [column for block in blocks for column in block.columns]
    place = {column: index for index, column in enumerate(ordered)}
    shift = np.zeros((len(ordered), len(ordered)))
    for source, column in enumerate(ordered):
        for dropped in _subsets([name for name in column.numerics if name in centres]):
            factor = float(np.prod([centres[name] for name in dropped]))
            combination = _express(_without(column, dropped), set(ordered), predictors) or {}
            for target, coefficient in combination.items():
                shift[place[target], source] += factor * coefficient
    return shift


def _subsets(names: list[str]) -> list[tuple[str, ...]]:
    return [subset for size in range(1, len(names) + 1) for subset in itertools.combinations(names, size)]


def _without(column: Column, dropped: tuple[str, ...]) -> Column:
    return Column(tuple(name for name in column.numerics if name not in dropped), column.levels, column.contrasts)


def _express(column: Column, columns: set[Column], predictors: Mapping[str, Predictor]) -> Combination | None:
    """Write a column as a combination of the design's columns, None where it is none."""
    same = [other for other in columns if frozenset(other.numerics) == frozenset(column.numerics)]
    if any(other.contrasts for other in (column, *same)):
        return _solve(column, same, predictors)
    combination = _as_sum(column, columns, predictors)
    for name, code in column.levels:
        if combination is None and code == 0:
            combination = _as_remainder(column, name, columns, predictors)
    return combination


def _solve(column: Column, candidates: list[Column], predictors: Mapping[str, Predictor]) -> Combination | None:
    """Write a column by others of the same numbers: solve for it over all combinations of the factors' levels."""
    names = sorted({name for each in (column, *candidates) for name, _ in (*each.levels, *each.contrasts)})
    sizes = [len(_levels(predictors[name])) for name in names]
    if np.prod([*sizes, len(candidates)], dtype=float) > LARGEST_SYSTEM or not candidates:
        return None
    grid = dict(zip(names, np.indices(sizes).reshape(len(names), -1) if names else [], strict=True))
    rows = int(np.prod(sizes)) if names else 1
    target = _over_levels(column, grid, rows)
    candidates = sorted(candidates, key=repr)
    matrix = np.column_stack([_over_levels(other, grid, rows) for other in candidates])
    weights = np.linalg.lstsq(matrix, target, rcond=None)[0]
    if not np.allclose(matrix @ weights, target, atol=EXACT):
        return None
    return {other: float(weight) for other, weight in zip(candidates, weights, strict=True) if abs(weight) > EXACT}


def _levels(predictor: Predictor) -> tuple[object, ...]:
    assert isinstance(predictor, Factor)
    return predictor.levels


def _over_levels(column: Column, grid: Mapping[str, np.ndarray], rows: int) -> np.ndarray:
    """The factors' part of a column for each combination of levels."""
    values = np.ones(rows)
    for name, code in column.levels:
        values = values * (grid[name] == code)
    for name, numbers in column.contrasts:
        values = values * np.array(numbers)[grid[name]]
    return values


def _as_sum(column: Column, columns: set[Column], predictors: Mapping[str, Predictor]) -> Combination | None:
    """A column is the sum of its products with all indicators of a further factor."""
    if column in columns:
        return {column: 1.0}
    factors = {name for name, _ in column.levels}
    present = {name for other in columns if factors < {name for name, _ in other.levels} for name, _ in other.levels}
    for name in sorted(present - factors):
        factor = predictors[name]
        assert isinstance(factor, Factor)
        total: Combination = {}
        for code in range(len(factor.levels)):
            part = _as_sum(replace(column, levels=(*column.levels, (name, code))), columns, predictors)
            if part is None:
                break
            total.update(part)
        else:
            return total
    return None


def _as_remainder(
    column: Column, name: str, columns: set[Column], predictors: Mapping[str, Predictor]
) -> Combination | None:
    """The indicator of a reference level is one minus those of the other levels."""
    factor = predictors[name]
    assert isinstance(factor, Factor)
    rest = tuple(pair for pair in column.levels if pair[0] != name)
    parts = [(replace(column, levels=rest), 1.0)]
    parts += [(replace(column, levels=(*rest, (name, code))), -1.0) for code in range(1, len(factor.levels))]
    total: Combination = {}
    for part, sign in parts:
        combination = _express(part, columns, predictors)
        if combination is None:
            return None
        for target, coefficient in combination.items():
            total[target] = total.get(target, 0.0) + sign * coefficient
    return total

"""Terms as columns of a design, coded as R codes them; which can be centred, and the map between both codings."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from hiermod.data.columns.factors import contrast_labels, contrast_matrix
from hiermod.data.columns.moments import product_name
from hiermod.data.columns.predictors import Basis, Factor, Numeric, Predictor
from hiermod.formula.nodes import INTERCEPT, Term


@dataclass(frozen=True)
class Column:
    """A column of a design: a product of numbers, of indicators of factor levels, and of contrasts of levels.

    A contrast gives each level of its factor a number.
    """

    numerics: tuple[str, ...] = ()
    levels: tuple[tuple[str, int], ...] = ()
    contrasts: tuple[tuple[str, tuple[float, ...]], ...] = ()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Column) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)

    @property
    def _key(self) -> tuple[frozenset[Any], ...]:
        return frozenset(self.numerics), frozenset(self.levels), frozenset(self.contrasts)

    def values(self, frame: pd.DataFrame, centres: Mapping[str, float]) -> np.ndarray:
        """The column on `frame`, shape ``(rows,)``; each numeric predictor in `centres` has its centre taken off.

        Centres are for rows that average over nothing.
        """
        result = np.ones(len(frame))
        for name in self.numerics if centres else _factors(self.numerics, frame):
            result *= frame[name].to_numpy(dtype=float) - centres.get(name, 0.0)
        for name, code in self.levels:
            result *= frame[name].cat.codes.to_numpy() == code
        for name, numbers in self.contrasts:
            result *= np.array(numbers)[frame[name].cat.codes.to_numpy()]
        return result


def _factors(numerics: Sequence[str], frame: pd.DataFrame) -> list[str]:
    """The columns whose product is that of `numerics`: cells that average over several hold the mean of their product.

    The mean of a product is not the product of means.
    """
    for size in range(len(numerics), 1, -1):
        for held in itertools.combinations(numerics, size):
            if product_name(held) in frame:
                return [product_name(held), *_factors([name for name in numerics if name not in held], frame)]
    return list(numerics)


def prefix_of(parameter: str) -> str:
    """What the names of coefficients and effects in a parameter's linear predictor begin with."""
    return "" if parameter == "mu" else f"{parameter}_"


@dataclass(frozen=True)
class Wiggles:
    """Columns of a block that are penalised together, from `first` to before `stop`; `level` is that of ``by=``."""

    level: str
    first: int
    stop: int


@dataclass(frozen=True)
class Steps:
    """The monotonic effects of a term: the places of each one's steps among its columns, shape ``(effects, steps)``.

    ``mo(x):f`` has an effect for each column of f: `beside` are these columns, and `labels` their names, None where
    there is one number alone.
    """

    places: tuple[tuple[int, ...], ...]
    beside: tuple[Column, ...]
    labels: tuple[str, ...] | None


@dataclass(frozen=True)
class Block:
    """The columns of one term.

    `labels` names them where the term has several (the levels, joined by ``", "``), None for a single number;
    `parameter` is the one of the family in whose linear predictor the term stands.
    `wiggles` are the columns of a smooth that are penalised, by curves, `steps` which columns are the steps of
    monotonic effects. `level` is the one of a factor in the term whose columns alone these are.
    """

    term: Term
    columns: tuple[Column, ...]
    labels: tuple[str, ...] | None
    full: bool
    parameter: str = "mu"
    wiggles: tuple[Wiggles, ...] = ()
    steps: Steps | None = None
    level: str = ""

    @property
    def name(self) -> str:
        """The coefficient's name in a posterior, Bambi's: ``treated``, ``Intercept``, ``sigma_treated``.

        That of steps is ``mo(x)_steps``, since ``mo(x)`` is the whole effect.
        """
        whole = self.prefix + ("Intercept" if self.term == INTERCEPT else self.term.name)
        return (whole if self.steps is None else f"{whole}_steps") + self._of_level

    @property
    def effect_name(self) -> str:
        """What it is called as a varying effect: ``1``, ``treated``, ``sigma_1``."""
        return self.prefix + self.term.name + self._of_level

    @property
    def _of_level(self) -> str:
        return f"[{self.level}]" if self.level else ""

    @property
    def prefix(self) -> str:
        """What names begin with in the linear predictor of another parameter than mu: ``sigma_``."""
        return prefix_of(self.parameter)

    @property
    def degree(self) -> int:
        """How many numeric predictors are multiplied in each column."""
        return len(self.columns[0].numerics)

    @property
    def spans_constant(self) -> bool:
        """Whether its columns sum to one: the intercept, or an indicator for each combination of levels."""
        references = {name for column in self.columns for name, code in column.levels if code == 0}
        return self.degree == 0 and references == set(self.term.variables)

    @property
    def free(self) -> np.ndarray:
        """The columns that are not penalised."""
        penalised = [place for each in self.wiggles for place in range(each.first, each.stop)]
        return np.setdiff1d(np.arange(len(self.columns)), penalised)

    def row_names(self) -> list[str]:
        """The names of its rows in tables: ``treated`` or ``period[2]``."""
        whole = self.name.removesuffix(self._of_level)
        return [self.name] if self.labels is None else [f"{whole}[{label}]" for label in self.labels]

    def at_level(self, factor: str, code: int, label: str) -> Block:
        """Its columns of one level of a factor that keeps all levels."""
        places = [place for place, column in enumerate(self.columns) if (factor, code) in column.levels]
        columns = tuple(self.columns[place] for place in places)
        labels = tuple(self.labels[place] for place in places) if self.labels else (label,)
        if len(places) == 1:
            return replace(self, columns=columns, labels=None, level=labels[0])
        return replace(self, columns=columns, labels=labels, level=label)

    def matrix(self, frame: pd.DataFrame, centres: Mapping[str, float] | None = None) -> np.ndarray:
        """The term's columns on `frame`, shape ``(rows, columns)``."""
        return np.column_stack([column.values(frame, centres or {}) for column in self.columns])


def code_terms(terms: Sequence[Term], intercept: bool, predictors: Mapping[str, Predictor]) -> tuple[Block, ...]:
    """Code terms into blocks of columns, the intercept first.

    A factor in a term is coded by its contrasts where the term without it is empty or stands, whole or as a part, in
    an earlier term; else by an indicator for each level. Without an intercept, the first factor of the first term that
    has one keeps all its levels. This is R's rule (``?model.matrix``, and ``TermCode`` in its sources).
    """
    blocks = [Block(INTERCEPT, (Column(),), None, full=False)] if intercept else []
    keeps_all = None if intercept else _first_factor(terms, predictors)
    for place, term in enumerate(terms):
        full = {
            name
            for name in term.variables
            if isinstance(predictors[name], Factor)
            and (not _is_marginal(term.without(name), terms[:place]) or (term, name) == keeps_all)
        }
        blocks.append(code_term(term, full, predictors))
    return tuple(blocks)


def _is_marginal(margin: Term, earlier: Sequence[Term]) -> bool:
    wanted = set(margin.variables)
    return not wanted or any(wanted <= set(term.variables) for term in earlier)


def _first_factor(terms: Sequence[Term], predictors: Mapping[str, Predictor]) -> tuple[Term, str] | None:
    for term in terms:
        for name in term.variables:
            if isinstance(predictors[name], Factor):
                return term, name
    return None


def code_term(
    term: Term, full: Collection[str], predictors: Mapping[str, Predictor], averaged: Collection[str] = ()
) -> Block:
    """Code one term: the factors in `full` keep all levels, those in `averaged` have a mean beside their contrasts."""
    choices = [
        [*([(Column(), "mean")] if name in averaged else []), *_choices(predictors[name], name in full)]
        for name in term.variables
    ]
    columns, labels = [], []
    for parts in itertools.product(*choices):
        columns.append(
            Column(
                tuple(name for part, _ in parts for name in part.numerics),
                tuple(pair for part, _ in parts for pair in part.levels),
                tuple(pair for part, _ in parts for pair in part.contrasts),
            )
        )
        labels.append(", ".join(label for _, label in parts if label))
    plain = len(columns) == 1 and labels == [""]
    return Block(term, tuple(columns), None if plain else tuple(labels), bool(full))


def _choices(predictor: Predictor, full: bool) -> list[tuple[Column, str]]:
    """What one variable contributes to the columns of a term, each with its part of the label."""
    match predictor:
        case Numeric(name):
            return [(Column((name,)), "")]
        case Basis():
            return [(Column((name,)), label) for name, label in zip(predictor.columns, predictor.labels, strict=True)]
        case Factor(name, levels, coding) if coding != "treatment" and not full:
            columns = contrast_matrix(coding, len(levels)).T
            labels = contrast_labels(coding, levels)
            return [
                (Column((), (), ((name, tuple(column.tolist())),)), label)
                for column, label in zip(columns, labels, strict=True)
            ]
        case Factor(name, levels):
            named = full or not _is_boolean(predictor)
            codes = range(0 if full else 1, len(levels))
            return [(Column((), ((name, code),)), str(levels[code]) if named else "") for code in codes]


def _is_boolean(factor: Factor) -> bool:
    return all(isinstance(level, bool) for level in factor.levels)


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

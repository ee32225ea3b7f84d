"""Turns terms into columns of a design matrix, coded as R codes them."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Block:
    """The columns of one term.

    `labels` names them where the term has several (the levels, joined by ``", "``), None for a single number.
    """

    term: Term
    columns: tuple[Column, ...]
    labels: tuple[str, ...] | None
    full: bool

    @property
    def name(self) -> str:
        """The coefficient's name in a posterior."""
        return "Intercept" if self.term == INTERCEPT else self.term.name

    @property
    def degree(self) -> int:
        """How many numeric predictors are multiplied in each column."""
        return len(self.columns[0].numerics)

    @property
    def spans_constant(self) -> bool:
        """Whether its columns sum to one: the intercept, or an indicator for each combination of levels."""
        references = {name for column in self.columns for name, code in column.levels if code == 0}
        return self.degree == 0 and references == set(self.term.variables)

    def row_names(self) -> list[str]:
        """The names of its rows in tables: ``treated`` or ``period[2]``."""
        return [self.name] if self.labels is None else [f"{self.name}[{label}]" for label in self.labels]

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
        blocks.append(_block(term, full, predictors))
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


def _block(term: Term, full: set[str], predictors: Mapping[str, Predictor]) -> Block:
    choices = [_choices(predictors[name], name in full) for name in term.variables]
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

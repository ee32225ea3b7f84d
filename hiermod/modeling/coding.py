"""Turns terms into columns of a design matrix, coded as R codes them."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from hiermod.data.predictors import Factor, Numeric, Predictor
from hiermod.formula.nodes import INTERCEPT, Term


@dataclass(frozen=True)
class Column:
    """A column of a design: a product of numeric predictors and of indicators of factor levels."""

    numerics: tuple[str, ...] = ()
    levels: tuple[tuple[str, int], ...] = ()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Column) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)

    @property
    def _key(self) -> tuple[frozenset[str], frozenset[tuple[str, int]]]:
        return frozenset(self.numerics), frozenset(self.levels)

    def values(self, frame: pd.DataFrame, centres: Mapping[str, float]) -> np.ndarray:
        """The column on `frame`, shape ``(rows,)``; each numeric predictor in `centres` has its centre taken off."""
        result = np.ones(len(frame))
        for name in self.numerics:
            result *= frame[name].to_numpy(dtype=float) - centres.get(name, 0.0)
        for name, code in self.levels:
            result *= frame[name].cat.codes.to_numpy() == code
        return result


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

    A factor in a term is coded by treatment contrasts where the term without it is in the model too, else by an
    indicator for each level; without an intercept, the first factor of the first term that has one keeps all its
    levels (R's rule, ``?model.matrix``).
    """
    present = {*terms, INTERCEPT}
    blocks = [Block(INTERCEPT, (Column(),), None, full=False)] if intercept else []
    keeps_all = None if intercept else _first_factor(terms, predictors)
    for term in terms:
        full = {
            name
            for name in term.variables
            if isinstance(predictors[name], Factor) and (term.without(name) not in present or (term, name) == keeps_all)
        }
        blocks.append(_block(term, full, predictors))
    return tuple(blocks)


def _first_factor(terms: Sequence[Term], predictors: Mapping[str, Predictor]) -> tuple[Term, str] | None:
    for term in terms:
        for name in term.variables:
            if isinstance(predictors[name], Factor):
                return term, name
    return None


def _block(term: Term, full: set[str], predictors: Mapping[str, Predictor]) -> Block:
    numerics = tuple(name for name in term.variables if isinstance(predictors[name], Numeric))
    factors = [predictor for name in term.variables if isinstance(predictor := predictors[name], Factor)]
    choices = [range(0 if factor.name in full else 1, len(factor.levels)) for factor in factors]
    columns, labels = [], []
    for codes in itertools.product(*choices):
        columns.append(Column(numerics, tuple((f.name, code) for f, code in zip(factors, codes, strict=True))))
        named = [
            str(factor.levels[code])
            for factor, code in zip(factors, codes, strict=True)
            if factor.name in full or not _is_boolean(factor)
        ]
        labels.append(", ".join(named))
    plain = len(columns) == 1 and labels == [""]
    return Block(term, tuple(columns), None if plain else tuple(labels), bool(full))


def _is_boolean(factor: Factor) -> bool:
    return all(isinstance(level, bool) for level in factor.levels)

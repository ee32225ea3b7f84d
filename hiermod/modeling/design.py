"""The design: common blocks with their centring, and the varying effects of each group term, on the cells."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from hiermod.data.cells.table import Cells
from hiermod.data.columns.groupings import Grouping
from hiermod.data.columns.predictors import Factor
from hiermod.errors import DataError
from hiermod.families.links import Link
from hiermod.formula.expressions import quote
from hiermod.formula.nodes import INTERCEPT, Formula, GroupTerm, ParameterFormula, Term
from hiermod.memory import refuse_beyond
from hiermod.modeling.coding import Block, Column, choose_centres, code_terms, shift_matrix
from hiermod.modeling.density_rows import Observed, observe
from hiermod.modeling.monotonic import monotonic_of, with_steps
from hiermod.modeling.smooths import centred_alone, marked

ROUNDING = 1e-12
Part = Formula | ParameterFormula
MOST_OF_FEW = 1000  # levels of a common term that may be more than half of the rows
SQUARES, COPIES = 8, 4  # how many squares of its columns, and how many times its columns, a common design takes


@dataclass(frozen=True, eq=False)
class CommonDesign:
    """The common part of the linear predictor.

    Parameters
    ----------
    blocks : tuple of Block
        The coded terms, the intercept first.
    centres : dict
        The predictors at whose weighted means priors are stated, and those means.
    shift : ndarray, shape (columns, columns)
        Maps the user's coefficients to centred ones: ``c = b + shift @ b``.
    scales : ndarray, shape (columns,)
        Weighted standard deviation of each centred column; 1 where it holds only 0 and 1.
    at_zero : tuple of int
        The columns of the intercept whose priors stand where numeric predictors are 0, not at their means.
    level : ndarray, shape (columns,), optional
        Where thresholds take the place of the intercept, which is not among the blocks: by how much a coefficient moves
        them from where numeric predictors are at their means.
    """

    blocks: tuple[Block, ...]
    centres: dict[str, float]
    shift: np.ndarray
    scales: np.ndarray
    at_zero: tuple[int, ...] = ()
    level: np.ndarray | None = None

    @property
    def intercept(self) -> Block | None:
        """The intercept; where there is none, the first full set of indicators stands in for it, but not thresholds."""
        if self.level is not None:
            return None
        return next((block for block in self.blocks if block.spans_constant), None)

    def of(self, parameter: str) -> CommonDesign:
        """The same in the linear predictor of another parameter."""
        return replace(self, blocks=tuple(replace(block, parameter=parameter) for block in self.blocks))

    def slices(self) -> dict[str, slice]:
        """Where each block's columns stand."""
        ends = np.cumsum([len(block.columns) for block in self.blocks], dtype=int)
        return {
            block.name: slice(int(end) - len(block.columns), int(end))
            for block, end in zip(self.blocks, ends, strict=True)
        }


def joined(designs: Sequence[CommonDesign]) -> CommonDesign:
    """The common parts of several linear predictors, one after the other; centres are those of all."""
    if len(designs) == 1:
        return designs[0]
    size = sum(len(design.shift) for design in designs)
    shift, at = np.zeros((size, size)), 0
    at_zero: list[int] = []
    for design in designs:
        shift[at : at + len(design.shift), at : at + len(design.shift)] = design.shift
        at_zero += [at + place for place in design.at_zero]
        at += len(design.shift)
    blocks = tuple(block for design in designs for block in design.blocks)
    centres = {name: centre for design in designs for name, centre in design.centres.items()}
    return CommonDesign(blocks, centres, shift, np.concatenate([design.scales for design in designs]), tuple(at_zero))


@dataclass(frozen=True, eq=False)
class LinearPredictor:
    """The linear predictor of one parameter of the family, but for the effects of groups.

    Parameters
    ----------
    parameter : str
        The parameter's name: ``mu`` is the mean.
    link : Link
    common : CommonDesign
    offsets : tuple of str
        The columns that are added with the coefficient 1.
    """

    parameter: str
    link: Link
    common: CommonDesign
    offsets: tuple[str, ...]

    @property
    def scale(self) -> str:
        """What its coefficients are measured on, for tables: ``logit``, ``log of sigma``."""
        of = "" if self.parameter == "mu" else f" of {self.parameter}"
        return f"{self.link.name}{of}" if self.link.name != "identity" or not of else self.parameter


@dataclass(frozen=True, eq=False)
class GroupEffect:
    """One effect of a group term, such as ``treated|country``.

    `scales` is the sd of each of its columns, `parameter` the one of the family in whose predictor it stands.
    """

    name: str
    block: Block
    scales: np.ndarray
    parameter: str = "mu"

    @property
    def sd_name(self) -> str:
        """The name of its standard deviations in a posterior: ``treated|country_sigma``."""
        return f"{self.name}_sigma"

    @property
    def row_names(self) -> list[str]:
        """The names of its columns in tables: ``Intercept``, ``treated``, ``period[2]``."""
        return self.block.row_names()


@dataclass(frozen=True, eq=False)
class GroupDesign:
    """One group term: its effects, the grouping factor they vary over, and whether they are correlated."""

    effects: tuple[GroupEffect, ...]
    grouping: Grouping
    correlated: bool

    @property
    def row_names(self) -> list[str]:
        """The names of all its columns."""
        return [name for effect in self.effects for name in effect.row_names]

    @property
    def correlation_name(self) -> str:
        """The name of its correlations in a posterior: ``1+treated|country_cor``, ``1+sigma_1|country_cor``."""
        terms = "+".join(effect.block.effect_name for effect in self.effects)
        return f"{terms}|{self.grouping.name}_cor"

    @property
    def blocks(self) -> list[Block]:
        """The columns of each effect."""
        return [effect.block for effect in self.effects]

    def sd_keys(self) -> list[str]:
        """What each column's standard deviation is called in tables: ``sd(1|country)``, ``sd(treated|country)``."""
        names = [
            f"{effect.block.prefix}1" if effect.block.term == INTERCEPT else name
            for effect in self.effects
            for name in effect.row_names
        ]
        return [f"sd({name}|{self.grouping.name})" for name in names]

    def joined_with(self, other: GroupDesign) -> GroupDesign:
        """One term of the effects of both, which are correlated."""
        return GroupDesign((*self.effects, *other.effects), self.grouping, correlated=True)

    def correlation_keys(self) -> list[str]:
        """What each correlation is called there: ``cor(Intercept, treated|country)``."""
        names = self.row_names
        return [f"cor({names[column]}, {names[row]}|{self.grouping.name})" for row, column in self.pairs()]

    def pairs(self) -> list[tuple[int, int]]:
        """The pairs of columns whose correlations are parameters, as (row, column) below the diagonal."""
        return [(row, column) for row in range(1, len(self.row_names)) for column in range(row)]

    def correlation_matrices(self, correlations: np.ndarray) -> np.ndarray:
        """Matrices of shape ``(draws, columns, columns)`` from draws of `pairs`; the identity without correlations."""
        matrices = np.tile(np.eye(len(self.row_names)), (len(correlations), 1, 1))
        for place, (row, column) in enumerate(self.pairs() if self.correlated else ()):
            matrices[:, row, column] = matrices[:, column, row] = correlations[:, place]
        return matrices


def build_common(formula: Part, cells: Cells) -> CommonDesign:
    """Code the common terms as R does."""
    _refuse_identifiers(formula, cells)
    _refuse_dense(formula, cells)
    blocks = marked(code_terms(formula.common, formula.intercept, cells.predictors), cells.recipes)
    blocks = with_steps(blocks, cells.predictors)
    return common_of(blocks, formula, cells)


def build_predictor(part: ParameterFormula, link: Link, cells: Cells) -> LinearPredictor:
    """The linear predictor of another parameter than the mean."""
    return LinearPredictor(part.parameter, link, build_common(part, cells).of(part.parameter), part.offsets)


def _refuse_identifiers(formula: Part, cells: Cells) -> None:
    """Refuse coefficients for the levels of a column that tells rows from each other, as names and remarks do.

    Raises
    ------
    DataError
    """
    rows = max(cells.source.rows, int(min(cells.response.weight.sum(), 2**53)))  # or the trials in them
    for name in formula.common_variables:
        predictor = cells.predictors[name]
        if isinstance(predictor, Factor) and len(predictor.levels) > max(MOST_OF_FEW, rows // 2):
            raise DataError(
                f"The predictor {name!r} has {len(predictor.levels):,} levels in {rows:,} rows, each with a "
                f"coefficient of its own: it tells rows from each other, as names and remarks do. Leave it out, as in "
                f"y ~ . - {name if name in cells.recipes else quote(name)}, or pool its levels "
                f"{_pooling([name], cells)}."
            )


def _pooling(factors: Sequence[str], cells: Cells) -> str:
    """How levels are pooled: by a bar, in which columns stand, and no functions of them."""
    made = [name for name in factors if name in cells.recipes]
    columns = {name: f"levels{number}" for number, name in enumerate(made, 1)}
    bar = f"(1 | {':'.join(columns.get(name) or quote(name) for name in factors)})"
    if not made:
        return f"with {bar}"
    stored = " and ".join(f"{name} in a column {column}" for name, column in columns.items())
    return f"with {bar}, having stored {stored}"


def dense_bytes(columns: int, cells: int) -> float:
    """Bytes that a common design takes at its peak: squares of its columns, and its columns on the cells."""
    return 8.0 * columns * (SQUARES * columns + COPIES * cells)


def _refuse_dense(formula: Part, cells: Cells) -> None:
    """Refuse more common coefficients than there is memory for, before a column of them is made.

    Raises
    ------
    DataError
    """
    sizes = {term: _columns_of(term, cells) for term in formula.common}
    columns = 1 + sum(sizes.values())
    if not sizes or columns <= MOST_OF_FEW:
        return
    term = max(sizes, key=lambda term: sizes[term])
    factors = [name for name in term.variables if isinstance(cells.predictors[name], Factor)]
    remedy = f"pool its levels instead, {_pooling(factors, cells)}" if factors else "take fewer columns"
    what = f"The {columns:,} common coefficients of {len(cells.frame):,} cells, {sizes[term]:,} of them of {term},"
    refuse_beyond(dense_bytes(columns, len(cells.frame)), what, remedy, DataError)


def _columns_of(term: Term, cells: Cells) -> int:
    """How many columns a term has at least."""
    predictors = [cells.predictors[name] for name in term.variables]
    return math.prod(len(each.levels) - 1 if isinstance(each, Factor) else len(each.columns) for each in predictors)


def common_of(blocks: Sequence[Block], formula: Part, cells: Cells) -> CommonDesign:
    """Choose what is centred of coded common terms, and measure each centred column."""
    rows = observe(cells)
    means = {
        name: mean
        for variable in formula.common_variables
        if not isinstance(cells.predictors[variable], Factor)
        for name in cells.predictors[variable].columns
        if (mean := _centre(rows, Column((name,))))
    }
    steps = {name for block in blocks if block.steps for column in block.columns for name in column.numerics}
    uncentred = centred_alone(blocks) | steps  # effects are monotonic where the numbers beside them are 0
    means = {name: mean for name, mean in means.items() if name not in uncentred}
    centres = choose_centres(blocks, cells.predictors, means)
    if not blocks:
        return CommonDesign((), {}, np.zeros((0, 0)), np.zeros(0))
    scales = np.array([_column_scale(rows, column, centres) for block in blocks for column in block.columns])
    for own in monotonic_of(blocks):  # whose steps are of 0 and 1, so that what is beside them has the scale
        scales[own.places] = np.array([_column_scale(rows, column, {}) for column in own.steps.beside])[:, None]
    return CommonDesign(tuple(blocks), centres, shift_matrix(blocks, cells.predictors, centres), scales)


def _centre(rows: Observed, column: Column) -> float:
    """The mean of a column; 0 where it holds 0 and 1 alone, or its mean is 0 but for rounding."""
    mean = rows.mean(column)
    return 0.0 if rows.is_binary(column, {}) or abs(mean) < ROUNDING * rows.sd(column, {}) else mean


def offset(names: Iterable[str], frame: pd.DataFrame) -> np.ndarray:
    """The sum of offsets on `frame`, shape ``(rows,)``, on the link scale."""
    return np.asarray(sum((frame[name].to_numpy(dtype=float) for name in names), np.zeros(len(frame))))


def build_group(term: GroupTerm, cells: Cells, parameter: str = "mu") -> tuple[list[GroupDesign], list[str]]:
    """Code the effects of a group term of a parameter, uncentred as in lme4; return them with notices.

    Where levels of a factor have a covariance each, these are so many terms.
    """
    inner = [one for one in term.terms if one != INTERCEPT]
    coded = code_terms(inner, INTERCEPT in term.terms, cells.predictors)
    blocks = [replace(block, parameter=parameter) for block in coded]
    rows = observe(cells)
    if term.by:
        _check_by(term, cells)
    built = [_group(term, own, cells) for own in (_by_level(term, blocks, cells) if term.covariances else [blocks])]
    return built, _group_notices(term, built, cells, rows)


def _group(term: GroupTerm, blocks: Sequence[Block], cells: Cells) -> GroupDesign:
    effects = tuple(effect_of(f"{block.effect_name}|{term.group}", block, cells) for block in blocks)
    several = sum(len(effect.block.columns) for effect in effects) > 1
    return GroupDesign(effects, cells.groupings[term.group], term.correlated and several)


def _by_level(term: GroupTerm, blocks: Sequence[Block], cells: Cells) -> list[list[Block]]:
    """The columns of each level of the factor behind ``by =``."""
    factor = cells.predictors[term.by]
    assert isinstance(factor, Factor)
    return [[block.at_level(term.by, code, str(level)) for block in blocks] for code, level in enumerate(factor.levels)]


def effect_of(name: str, block: Block, cells: Cells) -> GroupEffect:
    """An effect of these columns, measured."""
    rows = observe(cells)
    scales = np.array([_column_scale(rows, column, {}) for column in block.columns])
    return GroupEffect(name, block, scales, block.parameter)


def _check_by(term: GroupTerm, cells: Cells) -> None:
    """Refuse a factor for whose levels groups would have variances, where a group is in several of them."""
    if not isinstance(cells.predictors[term.by], Factor):
        raise DataError(f"gr({term.group}, by = {term.by}): {term.by!r} is numeric. Write by = its levels as text.")
    levels, codes = cells.frame[term.by].cat.codes.to_numpy(), cells.codes[term.group]
    pairs = np.unique(np.stack([codes, levels], axis=1), axis=0)[:, 0]
    twice = pairs[1:][np.diff(pairs) == 0]
    if len(twice):
        label = cells.groupings[term.group].labels()[int(twice[0])]
        raise DataError(
            f"gr({term.group}, by = {term.by}): {term.group} {label!s} is in several levels of {term.by!r}, so that it "
            f"has no one variance. For effects that differ between levels within a group write (0 + {term.by} | "
            f"{term.group})."
        )


def _group_notices(term: GroupTerm, built: Sequence[GroupDesign], cells: Cells, rows: Observed) -> list[str]:
    notices = []
    factors = (name for inner in term.terms for name in inner.variables if isinstance(cells.predictors[name], Factor))
    if term.covariances:
        notices.append(f"{term}: a covariance for each level of {term.by}")
    elif term.by:
        notices.append(f"gr({term.group}, by = {term.by}) is {term}: a variance for each level of {term.by}")
    elif not term.correlated and any(factors):
        notices.append(f"{term}: the columns of the factor vary without correlations (lme4 would keep them correlated)")
    for effect in built[0].effects:
        for name in effect.block.columns[0].numerics:
            mean, sd = rows.mean(Column((name,))), rows.sd(Column((name,)), {})
            if abs(mean) > 2 * sd:
                notices.append(
                    f"{term}: {name} is far from 0 (mean {mean:.3g}, sd {sd:.3g}), where its varying intercept stands; "
                    "centre the column if that is not meant"
                )
    return notices


def _column_scale(rows: Observed, column: Column, centres: Mapping[str, float]) -> float:
    return 1.0 if rows.is_binary(column, centres) else (rows.sd(column, centres) or 1.0)

"""Penalised smooths ``s(x)``: common terms whose wiggles share a standard deviation, as varying effects do.

They are common in meaning: no grouping factor's, and the same whatever ``groups=`` says. A smooth is one curve, or with
``by=`` a factor one for each of its levels, each with a standard deviation of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from hiermod.data.columns.functions import Recipe
from hiermod.data.columns.smooths import curves_of
from hiermod.errors import ModelError
from hiermod.formula.expressions import Call, Expression, Text, quote
from hiermod.formula.nodes import Formula, ParameterFormula
from hiermod.modeling.coding import Block, Wiggles

Part = Formula | ParameterFormula
WORDS = {"tp": "thin plate spline", "ps": "P-spline"}


@dataclass(frozen=True, eq=False)
class Curve:
    """One curve of a smooth: what its standard deviation is called, and where its wiggles stand.

    `key` is its name in tables and priors, as in brms: ``sds(s(x))``, ``sds(s(x, by=f)[A])``; `wiggles` are places
    among the coefficients, `place` is that of its standard deviation in the smooth's.
    """

    sd_name: str
    key: str
    place: int
    wiggles: np.ndarray
    parameter: str

    @property
    def name(self) -> str:
        """The curve itself: ``s(x)``, ``s(x, by=f)[A]``."""
        return self.key.removeprefix("sds(").removesuffix(")")


@dataclass(frozen=True, eq=False)
class Smooth:
    """A smooth's block of columns, and where these begin among the coefficients."""

    block: Block
    first: int

    @property
    def sd_name(self) -> str:
        """The name of its standard deviations in a posterior: ``s(x)_sigma``."""
        return f"{self.block.name}_sigma"

    @property
    def levels(self) -> tuple[str, ...]:
        """The levels of ``by=`` that have a curve; none where it is one curve."""
        return tuple(each.level for each in self.block.wiggles if each.level)

    @property
    def curves(self) -> tuple[Curve, ...]:
        """Its curves."""
        found = []
        for place, each in enumerate(self.block.wiggles):
            name = f"{self.block.name}[{each.level}]" if each.level else self.block.name
            wiggles = np.arange(self.first + each.first, self.first + each.stop)
            found.append(Curve(self.sd_name, f"sds({name})", place, wiggles, self.block.parameter))
        return tuple(found)

    @property
    def free(self) -> np.ndarray:
        """Where the columns that are not penalised stand among the coefficients."""
        return self.first + self.block.free


def basis_words(expression: Call) -> str:
    """What the basis of a smooth is called."""
    bs = dict(expression.options).get("bs")
    return WORDS[bs.value if isinstance(bs, Text) else "tp"]


def curves(smooths: Sequence[Smooth]) -> Iterator[Curve]:
    """The curves of several smooths."""
    for smooth in smooths:
        yield from smooth.curves


def is_smooth(expression: Expression | None) -> bool:
    """Whether an expression of a variable is a smooth."""
    return isinstance(expression, Call) and expression.function == "s"


def marked(blocks: Sequence[Block], recipes: Mapping[str, Recipe]) -> tuple[Block, ...]:
    """The blocks, those of smooths marked as such."""
    made = {name for name, recipe in recipes.items() if is_smooth(recipe.expression)}
    return tuple(
        replace(block, wiggles=_wiggles(recipes[block.term.variables[0]]))
        if made.issuperset(block.term.variables or "-")
        else block
        for block in blocks
    )


def _wiggles(recipe: Recipe) -> tuple[Wiggles, ...]:
    found = curves_of(recipe.states[recipe.name])
    return tuple(Wiggles(level, middle, stop) for level, _, middle, stop in found)


def smooths_of(blocks: Sequence[Block]) -> tuple[Smooth, ...]:
    """The smooths among blocks."""
    starts = np.cumsum([0, *(len(block.columns) for block in blocks)])
    return tuple(Smooth(block, int(start)) for block, start in zip(blocks, starts, strict=False) if block.wiggles)


def centred_alone(blocks: Sequence[Block]) -> set[str]:
    """The columns whose means are not taken off: wiggles, and those of curves by levels, which are centred as one."""
    return {
        name
        for smooth in smooths_of(blocks)
        for place, column in enumerate(smooth.block.columns)
        for name in column.numerics
        if smooth.levels or place not in smooth.block.free
    }


def smooth_notices(part: Part, recipes: Mapping[str, Recipe]) -> list[str]:
    """What is to be told of curves by a column: which reading ``by=`` has, and main effects that are missing."""
    made = {name: recipes[name] for name in part.common_variables if name in recipes}
    smooths = {name: recipe for name, recipe in made.items() if is_smooth(recipe.expression)}
    plain = {_argument(recipe) for recipe in smooths.values() if _by(recipe) is None}
    told = []
    for name, recipe in smooths.items():
        learned, by = recipe.states[name]["by"], str(_by(recipe))
        if "number" in learned:
            told.append(
                f"{name}: {by} holds numbers, so that its slope is a curve, its mean included; by=factor({by}) has a "
                "curve for each value"
            )
        if "levels" not in learned:
            continue
        first, x = learned["labels"][0], _argument(recipe)
        if not _has_level(part, by):
            told.append(
                f"{name}: curves are centred, and no term has a level for each {by}; add + {by} if these differ"
            )
        if learned["ordered"]:
            also = "" if x in plain else f"; add + s({x}), its curve"
            told.append(f"{name}: {by} is ordered, so that other curves are differences from that of {first!r}{also}")
        if set(learned["labels"]) == {False, True}:
            told.append(f"{name}: a curve for each of False and True; mgcv reads a logical {by} as a number, 0 or 1")
    return told


def _by(recipe: Recipe) -> Expression | None:
    assert isinstance(recipe.expression, Call)
    return dict(recipe.expression.options).get("by")


def _argument(recipe: Recipe) -> str:
    assert isinstance(recipe.expression, Call)
    return str(recipe.expression.arguments[0])


def _has_level(part: Part, by: str) -> bool:
    """Whether levels of a factor differ beside curves: by a term of factors, or as a grouping factor."""
    grouped = any(by in map(quote, group.factors) for group in part.groups)
    return grouped or any(by in map(quote, term.variables) for term in part.common)


def refuse_products(formula: Formula) -> None:
    """Refuse smooths in interactions and in bars.

    Raises
    ------
    ModelError
        With what is nearest.
    """
    for term in formula.common:
        inside = [name for name in term.variables if is_smooth(formula.expressions.get(name))]
        if inside and len(term.variables) > 1:
            other = next(name for name in term.variables if name not in inside[:1])
            raise ModelError(
                f"{term}: a smooth is no part of an interaction. A curve for each level of a factor, or the slope of a "
                f"number as a curve, is {_with_by(inside[0], other)}."
            )
    for bar in formula.groups:
        for term in bar.terms:
            for name in term.variables:
                if is_smooth(formula.expressions.get(name)):
                    raise ModelError(
                        f"{bar}: a smooth {name} does not vary over groups. The nearest is (1 + x | g), or of few "
                        f"groups {_with_by(name, bar.group)}."
                    )
    for name, expression in formula.expressions.items():
        if "s" in expression.functions and not is_smooth(formula.expressions.get(name)):
            raise ModelError(f"{name}: a smooth stands alone, s(x); arithmetic stands inside of it, s(I(x / 10)).")


def _with_by(smooth: str, by: str) -> str:
    return f"{smooth[:-1]}, by={quote(by)})"

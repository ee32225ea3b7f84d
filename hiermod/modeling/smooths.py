"""Penalised smooths ``s(x)``: common terms whose wiggles share a standard deviation, as varying effects do.

They are common in meaning: no grouping factor's, and the same whatever ``groups=`` says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from hiermod.data.columns.functions import Recipe
from hiermod.errors import ModelError
from hiermod.formula.expressions import Call, Expression
from hiermod.formula.nodes import Formula
from hiermod.modeling.coding import Block

LINES = 1  # columns of a smooth's block that are not penalised: a straight line


@dataclass(frozen=True, eq=False)
class Smooth:
    """A smooth's block of columns, the first of which is a straight line, and where they stand among coefficients."""

    block: Block
    first: int

    @property
    def sd_name(self) -> str:
        """The name of its standard deviation in a posterior: ``s(x)_sigma``."""
        return f"{self.block.name}_sigma"

    @property
    def key(self) -> str:
        """What its standard deviation is called in tables and priors, as in brms: ``sds(s(x))``."""
        return f"sds({self.block.name})"

    @property
    def wiggles(self) -> np.ndarray:
        """Where the penalised columns stand among the coefficients."""
        return np.arange(self.first + LINES, self.first + len(self.block.columns))


def is_smooth(expression: Expression | None) -> bool:
    """Whether an expression of a variable is a smooth."""
    return isinstance(expression, Call) and expression.function == "s"


def marked(blocks: Sequence[Block], recipes: Mapping[str, Recipe]) -> tuple[Block, ...]:
    """The blocks, those of smooths marked as such."""
    made = {name for name, recipe in recipes.items() if is_smooth(recipe.expression)}
    return tuple(replace(block, smooth=True) if made.issuperset(block.term.variables or "-") else block
                 for block in blocks)  # fmt: skip


def smooths_of(blocks: Sequence[Block]) -> tuple[Smooth, ...]:
    """The smooths among blocks."""
    starts = np.cumsum([0, *(len(block.columns) for block in blocks)])
    return tuple(Smooth(block, int(start)) for block, start in zip(blocks, starts, strict=False) if block.smooth)


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
            raise ModelError(
                f"{term}: a smooth is no part of an interaction. The nearest is {inside[0]} beside the slopes, x:f; a "
                f"product of unpenalised splines is ns(x, df=4):f."
            )
    for bar in formula.groups:
        for term in bar.terms:
            for name in term.variables:
                if is_smooth(formula.expressions.get(name)):
                    raise ModelError(f"{bar}: a smooth {name} does not vary over groups. The nearest is (1 + x | g).")
    for name, expression in formula.expressions.items():
        if "s" in expression.functions and not is_smooth(formula.expressions.get(name)):
            raise ModelError(f"{name}: a smooth stands alone, s(x); arithmetic stands inside of it, s(I(x / 10)).")

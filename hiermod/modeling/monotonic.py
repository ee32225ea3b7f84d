"""Monotonic effects ``mo(x)``: coefficients of steps from level to level, all up or all down.

A step's coefficient is its share of the whole effect, from the lowest level to the highest; the prior is of the whole
effect and of the shares, which add up to 1 (Bürkner and Charpentier 2020, Br. J. Math. Stat. Psychol. 73, 420-451).
brms's coefficient is the average step. In products numbers are not centred, so that the effect is monotonic where they
are 0, as in brms.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from hiermod.data.columns import predictors as columns
from hiermod.data.columns.predictors import Predictor
from hiermod.errors import ModelError
from hiermod.formula.expressions import Call, Expression
from hiermod.formula.nodes import Formula, Term
from hiermod.modeling.coding import Block, Steps, code_term
from hiermod.priors.distributions import Prior


@dataclass(frozen=True, eq=False)
class Monotonic:
    """The monotonic effects of a term, and where the first of their columns stands among coefficients."""

    block: Block
    first: int

    @property
    def steps(self) -> Steps:
        """Its columns by effects."""
        assert self.block.steps is not None
        return self.block.steps

    @property
    def name(self) -> str:
        """What the whole effects are called in a posterior, in tables and in priors: ``mo(x)``."""
        return self.block.prefix + self.block.term.name

    @property
    def row_names(self) -> list[str]:
        """The names of whole effects in tables: ``mo(x)``, ``mo(x):f[b]``."""
        labels = self.steps.labels
        return [self.name] if labels is None else [f"{self.name}[{label}]" for label in labels]

    @property
    def shares_name(self) -> str:
        """What the steps' shares are called in a posterior: ``mo(x)_shares``, labelled as the steps are."""
        return f"{self.name}_shares"

    @property
    def share_keys(self) -> list[str]:
        """What the prior of each effect's shares is called, as in brms: ``simo(mo(x))``."""
        return [f"simo({name})" for name in self.row_names]

    @property
    def within(self) -> np.ndarray:
        """Where each effect's steps stand among the term's columns, shape ``(effects, steps)``."""
        return np.array(self.steps.places)

    @property
    def places(self) -> np.ndarray:
        """The same among the coefficients."""
        return self.first + self.within

    def of_steps(self, totals: np.ndarray, shares: np.ndarray) -> np.ndarray:
        """Coefficients of steps from draws of whole effects ``(..., effects)`` and of shares ``(..., columns)``."""
        return np.asarray(totals[..., self.effect_of] * shares)

    @property
    def effect_of(self) -> np.ndarray:
        """To which effect each of the term's columns belongs."""
        found = np.empty(self.within.size, dtype=int)
        found[self.within] = np.arange(len(self.within))[:, None]
        return found


def sticks(prior: Prior, steps: int) -> tuple[Prior, ...]:
    """The priors of what each step but the last takes of the rest, given that of all shares, a Dirichlet."""
    (size,) = prior.arguments
    return tuple(Prior("Beta", (size, size * (steps - 1 - place))) for place in range(steps - 1))


def shares_of(sticks: np.ndarray) -> np.ndarray:
    """Shares of what each takes of the rest, the last axis, which gets one more."""
    one = np.ones((*sticks.shape[:-1], 1))
    rest = np.cumprod(1.0 - sticks, axis=-1)
    return np.asarray(np.concatenate([sticks, one], axis=-1) * np.concatenate([one, rest], axis=-1))


def log_shares(prior: Prior, shares: np.ndarray) -> np.ndarray:
    """The log density of an effect's shares, the last axis."""
    return np.asarray(prior.distribution.log_density(shares, *prior.arguments))


def draw_shares(priors: Sequence[Prior], own: Monotonic, rng: np.random.Generator, draws: int) -> np.ndarray:
    """Shares from their priors, shape ``(draws, columns)``."""
    shares = np.empty((draws, own.within.size))
    for prior, place in zip(priors, own.within, strict=True):
        shares[:, place] = rng.dirichlet(np.full(len(place), prior.arguments[0]), draws)
    return shares


def is_monotonic(expression: Expression | None) -> bool:
    """Whether an expression of a variable is a monotonic effect."""
    return isinstance(expression, Call) and expression.function == "mo"


def with_steps(blocks: Sequence[Block], predictors: Mapping[str, Predictor]) -> tuple[Block, ...]:
    """The blocks, the steps of those of monotonic effects marked."""
    return tuple(_marked(block, predictors) for block in blocks)


def _marked(block: Block, predictors: Mapping[str, Predictor]) -> Block:
    own = [name for name in block.term.variables if isinstance(predictors[name], columns.Steps)]
    if not own:
        return block
    full = {name for column in block.columns for name, code in column.levels if code == 0}
    place = block.term.variables.index(own[0])
    before = code_term(Term(block.term.variables[:place]), full, predictors)
    rest = code_term(block.term.without(own[0]), full, predictors)
    grid = np.arange(len(block.columns)).reshape(len(before.columns), len(predictors[own[0]].columns), -1)
    by_effect = grid.swapaxes(1, 2).reshape(len(rest.columns), -1)
    return replace(block, steps=Steps(tuple(map(tuple, by_effect.tolist())), rest.columns, rest.labels))


def monotonic_of(blocks: Sequence[Block]) -> tuple[Monotonic, ...]:
    """The monotonic effects among blocks."""
    starts = np.cumsum([0, *(len(block.columns) for block in blocks)])
    return tuple(Monotonic(block, int(start)) for block, start in zip(blocks, starts, strict=False) if block.steps)


def refuse_steps(formula: Formula) -> None:
    """Refuse products of monotonic effects, and those that vary over groups.

    Raises
    ------
    ModelError
        With what is nearest.
    """
    expressions = formula.expressions
    for term in (term for part in formula.parts for term in part.common):
        inside = [name for name in term.variables if is_monotonic(expressions.get(name))]
        if len(inside) > 1:
            raise ModelError(
                f"{term}: a product holds one monotonic effect. The nearest is {inside[0]} beside levels of the other, "
                f"{inside[0]}:factor({_inner(inside[1])}), which has a monotonic effect in each of them."
            )
    for bar in (bar for part in formula.parts for bar in part.groups):
        for name in (name for term in bar.terms for name in term.variables):
            if is_monotonic(expressions.get(name)):
                inner = _inner(name)
                raise ModelError(
                    f"{bar}: a monotonic effect does not vary over groups. The nearest is {name} + (1 + {inner} | "
                    f"{bar.group}), with effects of {inner} that vary about it."
                )


def _inner(name: str) -> str:
    return name.removeprefix("mo(").removesuffix(")")
